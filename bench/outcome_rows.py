"""Outcomes of forecasts, made by the database itself in the order of their key."""

from datetime import date, timedelta

from sqlalchemy import Connection, Engine, text

from db.triggers import WATCHED, install, uninstall

TABLE = "prediction_outcomes"
MODELS, HORIZONS, EACH = ("chronos", "ensemble", "lgbm", "naive", "theta"), (1, 3, 5), 133
PER_CODE = len(MODELS) * len(HORIZONS) * EACH
DAYS = 43  # on which outcomes became known, of which 31 are in the window: 72 %
LAST = date(2026, 6, 1)

COLUMNS = (
    *("code", "model", "horizon", "predicted_at", "target_date"),
    *("predicted_value", "base_value", "actual_value", "resolved_at", "day"),
)
_NUMBERS = "WITH RECURSIVE numbers(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM numbers WHERE k < :last)"
_SERIES = "WITH numbers AS (SELECT k FROM generate_series(CAST(0 AS bigint), :last) AS k)"
# Each outcome of a cell an eighth of a day or so after the one before it.
_AT = {
    "sqlite": (
        "datetime('{first}', '+' || ({minute}) || ' minutes')",
        "date('{first}', '+' || ({day}) || ' days')",
    ),
    "postgresql": (
        "timestamptz '{first} 00:00+00' + ({minute}) * interval '1 minute'",
        "date '{first}' + CAST({day} AS integer)",
    ),
}
INDEXES = {
    "ix_prediction_outcomes_window": "day, code, horizon, model, direction_hit, abs_error, base_value, actual_value",
    "ix_prediction_outcomes_code_target_date": "code, target_date",
}


def fill_outcomes(engine: Engine, codes: int) -> int:
    """PER_CODE outcomes of each of so many codes; returns how many. Indexes and triggers come back afterwards."""
    name, rows = engine.dialect.name, codes * PER_CODE
    with engine.begin() as connection:
        _watch(connection, "DISABLE")
        for index in INDEXES:
            connection.execute(text(f"DROP INDEX {index}"))
        connection.execute(text(_insert(name)), {"last": rows - 1})
        for index, columns in INDEXES.items():
            connection.execute(text(f"CREATE INDEX {index} ON {TABLE} ({columns})"))
        _watch(connection, "ENABLE")
    settle(engine)
    return rows


def _watch(connection: Connection, what: str) -> None:
    """Triggers off or on."""
    watched = next(one for one in WATCHED if one.table == TABLE)
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {TABLE} {what} TRIGGER USER"))
    elif what == "ENABLE":
        install(connection, watched)
    else:
        uninstall(connection, watched)


def settle(engine: Engine) -> None:
    """What autovacuum does within a minute, and SQLite's log brought into its file."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))
        else:
            connection.execute(text("ROLLBACK"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _insert(name: str) -> str:
    first = LAST - timedelta(days=DAYS - 1)
    e = f"(k % {EACH})"
    cell = f"(k / {EACH})"
    horizon = _pick(f"{cell} % {len(HORIZONS)}", HORIZONS)
    model = _pick(f"{cell} / {len(HORIZONS)} % {len(MODELS)}", MODELS)
    moment, day = _AT[name]
    known = f"({e} * {DAYS} / {EACH})"
    code = (
        f"'code-' || substr('0000' || (k / {PER_CODE}), -5)"
        if name == "sqlite"
        else (f"'code-' || lpad((k / {PER_CODE})::text, 5, '0')")
    )
    values = (
        code,
        model,
        horizon,
        moment.format(first=first - timedelta(days=7), minute=f"{e} * {DAYS * 1440 // EACH}"),
        day.format(first=first, day=known),
        "100.0 + (k * 7919 % 1009) / 100.0 - 5",
        "100.0",
        f"100.0 + (k / {PER_CODE} * 31 + {e} * 104729) % 997 / 100.0 - 5",
        moment.format(first=first, minute=f"{known} * 1440 + 60"),
        day.format(first=first, day=known),
    )
    numbers = _NUMBERS if name == "sqlite" else _SERIES
    return f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) {numbers} SELECT {', '.join(values)} FROM numbers"


def _pick(number: str, names: tuple[object, ...]) -> str:
    return f"CASE {number} " + " ".join(f"WHEN {k} THEN {name!r}" for k, name in enumerate(names)) + " END"
