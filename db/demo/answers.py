"""The demo's answers: what an assistant said, how a judge and people scored it, and who liked it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from db.clock import business_day, to_utc, week_start
from db.demo.conversations import CHANNELS, TOPICS, Topic
from db.demo.holding import DEMO_ID

SEED = 20_261_116
A_WEEK = 190  # conversations
WEEKDAYS = np.array([0.18, 0.18, 0.18, 0.17, 0.15, 0.07, 0.07])
BETTER = 0.75  # points that the newer model's answers gained in the last finished week
BY_PEOPLE, RATED = 0.12, 0.4  # shares of conversations
COMMENTS = {
    "like": ("", "", "quick and clear", "that solved it"),
    "dislike": ("", "", "did not answer my question", "wrong plan", "too long"),
}

Row = dict[str, Any]


def simulated_answers(zone: ZoneInfo, now: datetime, days: int) -> Iterator[tuple[str, Row]]:
    """Rows of conversation_evaluation and feedback_log up to a moment, each with its table's name."""
    today = business_day(now, zone)
    first, this_week = today - timedelta(days=days), week_start(today)
    for weeks_ago in range(days // 7 + 1, -1, -1):
        monday = this_week - timedelta(weeks=weeks_ago)
        random = np.random.default_rng([SEED, monday.toordinal()])
        for table, row in _week(monday, weeks_ago, zone, random):
            if row["created_at"] <= now and business_day(row["created_at"], zone) >= first:
                yield table, row


def _week(
    monday: date, weeks_ago: int, zone: ZoneInfo, random: np.random.Generator
) -> Iterator[tuple[str, Row]]:
    """One week's conversations in the order of their time, each with what was said of it."""
    n = int(random.poisson(A_WEEK))
    shares = np.array([topic.share(weeks_ago) for topic in TOPICS])
    topics = random.choice(len(TOPICS), n, p=shares / shares.sum())
    level, noise = random.normal(0, 0.06), random.normal(0, 1, n)
    noise -= noise.mean() if 1 <= weeks_ago <= 2 else 0.0  # the story is told whatever the day
    days = np.sort(random.choice(7, n, p=WEEKDAYS / WEEKDAYS.sum()))
    for i in range(n):
        topic = TOPICS[topics[i]]
        model = "assistant-2" if random.random() < _newer(weeks_ago) else "assistant-1"
        gain = (0.35 if model == "assistant-2" else 0.0) + (BETTER if weeks_ago <= 1 else 0.0)
        quality = float(np.clip(topic.level + gain + level + 1.15 * noise[i], 0.5, 9.9))
        seconds = int(random.triangular(8 * 3600, 11 * 3600, 22 * 3600))
        at = datetime.combine(monday + timedelta(days=int(days[i])), datetime.min.time())
        talk = f"{DEMO_ID}{monday + timedelta(days=int(days[i])):%Y%m%d}-{i + 1:03d}"
        common = {"conversation_id": talk, "model": model}
        yield from _told(common, topic, quality, to_utc(at + timedelta(seconds=seconds), zone), random)


def _newer(weeks_ago: int) -> float:
    """The share of conversations that the newer model has: it came half a year ago."""
    return min(0.8, max(0.0, (26 - weeks_ago) / 15))


def _told(
    common: Row, topic: Topic, quality: float, at: datetime, random: np.random.Generator
) -> Iterator[tuple[str, Row]]:
    asked = topic.questions[random.integers(len(topic.questions))]
    answer = asked.good if quality > 6.5 else asked.poor
    marks = np.clip(quality + random.normal(0, 0.6, 4), 0, 10)
    row: Row = {
        **common,
        "evaluator": "judge",
        "created_at": at,
        "score": round(quality, 1),
        "quality": round(float(marks[0]), 1),
        "accuracy": round(float(marks[1]), 1),
        "consistency": round(float(marks[2]), 1),
        "sentiment_match": round(float(marks[3]), 1),
        "channel": CHANNELS[random.integers(len(CHANNELS))],
        "topic": topic.name,
        "prompt": asked.text,
        "response": answer,
    }
    yield "conversation_evaluation", row
    if random.random() < BY_PEOPLE:  # a person gives half points, and fewer criteria
        score = round(2 * float(np.clip(quality + random.normal(-0.3, 0.9), 0, 10))) / 2
        later = at + timedelta(hours=float(random.uniform(2, 30)))
        nothing = dict.fromkeys(("accuracy", "consistency", "sentiment_match"))
        yield (
            "conversation_evaluation",
            row | {"evaluator": "reviewer", "created_at": later, "score": score, "quality": score} | nothing,
        )
    if random.random() < RATED:
        liked = random.random() < 1 / (1 + np.exp(-(quality - 6.2) / 1.1))
        feedback = "like" if liked else "dislike"
        comment = COMMENTS[feedback][random.integers(len(COMMENTS[feedback]))] or None
        said = {**common, "message_id": "1", "created_at": at + timedelta(minutes=3), "feedback": feedback}
        yield "feedback_log", said | {"comment": comment}
