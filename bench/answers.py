"""The aggregation of AI quality beside a bare GROUP BY of the same columns; its memory."""

from sqlalchemy import Engine, text

from bench import job_memory
from bench.databases import databases
from bench.measure import Result, against, median_seconds, once_seconds
from bench.quiet import run_quality
from bench.rows import DAYS, FIRST, day_number
from db.tables.quality import MARKS

ROWS = 1_000_000  # of evaluations, and of feedbacks
MODELS, TALK = 4, 3  # rows of a conversation

_NUMBERS = "WITH RECURSIVE numbers(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM numbers WHERE k < :last)"
_AT = {
    "sqlite": ("datetime('{first}', '+' || {k} || ' seconds')", "date('{first}', '+' || {k} || ' seconds')"),
    "postgresql": (
        "timestamptz '{first} 00:00+00' + {k} * interval '1 second'",
        "date '{first}' + CAST({k} / 86400 AS integer)",
    ),
}


def fill(engine: Engine, rows: int) -> None:
    """So many evaluations and feedbacks in time order over a year; the triggers leave their marks."""
    second = f"(CAST(k AS bigint) * {DAYS * 86_400 - 1} / {rows})"
    at, day = (told.format(first=FIRST, k=second) for told in _AT[engine.dialect.name])
    marks = ", ".join(f"(k * {17 + 2 * n} % 101) / 10.0" for n in range(len(MARKS)))
    model = f"'model-' || (k / {TALK} % {MODELS})"
    statements = (
        f"INSERT INTO conversation_evaluation (conversation_id, model, evaluator, created_at, day, channel,"
        f" topic, {', '.join(MARKS)}) {_NUMBERS} SELECT 'c' || (k / {TALK}), {model}, 'judge-' || (k % 2),"
        f" {at}, {day}, 'channel-' || (k % 5 / 4), 'topic-' || (k % 7), {marks} FROM numbers",
        f"INSERT INTO feedback_log (conversation_id, message_id, created_at, day, feedback, model) {_NUMBERS}"
        f" SELECT 'c' || (k / {TALK}), 'm' || k, {at}, {day},"
        f" CASE WHEN k * 7 % 10 < 6 THEN 'like' ELSE 'dislike' END, {model} FROM numbers",
    )
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), {"last": rows - 1})
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def bare(engine: Engine) -> None:
    """What the database alone needs for the figures of all days."""
    figures = ", ".join(f"count({mark}), avg({mark}), sum({mark} * {mark})" for mark in MARKS)
    groups = "day, evaluator, model, channel, topic"
    likes = ", ".join(f"count(*) FILTER (WHERE feedback = '{what}')" for what in ("like", "dislike"))
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # one thread, as a job has
            connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
        for statement in (
            f"SELECT {groups}, count(*), {figures} FROM conversation_evaluation GROUP BY {groups}",
            f"SELECT day, model, {likes} FROM feedback_log GROUP BY day, model",
        ):
            connection.execute(text(statement)).all()


def measure(rows: int = ROWS) -> list[Result]:
    """A million of each, the memory beside that of a tenth; 70 ms a week are the bootstrap of the agreement."""
    smaller = {}
    with databases() as engines:
        for name, engine in engines.items():
            fill(engine, rows // 10)
            smaller[name] = job_memory.of(engine, "aggregate_quality")
    results = []
    with databases() as engines:
        for name, engine in engines.items():
            fill(engine, rows)
            results += _measure_one(f"{name}, {rows / 1e6:g} M answers + feedbacks", engine, smaller[name])
    return results


def _measure_one(name: str, engine: Engine, smaller: float) -> list[Result]:
    everything = {"since": day_number(0), "until": day_number(DAYS - 1)}
    alone = median_seconds(lambda: bare(engine), 3)
    memory = job_memory.of(engine, "aggregate_quality")  # everything is stale
    whole = once_seconds(lambda: run_quality(engine, **everything))
    day = median_seconds(lambda: run_quality(engine, day=day_number(200)), 3)
    ratio = f"{memory / smaller:.2f} ×"
    return [
        against(f"{name}: 365 days / bare GROUP BY", whole, alone, "≤ 6, PostgreSQL ≤ 15"),
        against(f"{name}: one day / bare GROUP BY of 365", day, alone, "≤ 0.3"),
        Result(
            f"{name}: peak memory above idle / a tenth",
            f"{memory:.0f} MB",
            f"{smaller:.0f} MB",
            ratio,
            "≤ 200 MB",
        ),
    ]
