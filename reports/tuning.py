"""The tuning data set: good answers as chat messages, or better and worse answers to one prompt as pairs.

The same rows and choices give the same bytes: lines are in the order of their own text's hash, and a hash says on which
side of the split a conversation stands.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection

from db.queries.tuning import Answer, answers

Kind = Literal["chat", "pairs"]
Likes = Literal["liked", "not disliked", "any"]
KINDS: tuple[Kind, ...] = ("chat", "pairs")
LIKES: tuple[Likes, ...] = ("not disliked", "liked", "any")
PARTS = 10_000  # steps in which the share of validation can be given


@dataclass(frozen=True)
class Choice:
    """What goes into the data set. Scores are 0–10; `margin` is how much better the chosen answer of a pair scores."""

    kind: Kind = "chat"
    min_score: float = 8.0
    likes: Likes = "not disliked"
    margin: float = 2.0
    since: date | None = None
    until: date | None = None
    model: str | None = None
    evaluator: str | None = None
    validation: float = 0.1


@dataclass(frozen=True)
class DataSet:
    """Two JSONL texts, and the manifest that says what they hold."""

    train: bytes
    validation: bytes
    manifest: bytes

    def files(self, name: str) -> dict[str, bytes]:
        """The contents by file name."""
        return {
            f"{name}.train.jsonl": self.train,
            f"{name}.validation.jsonl": self.validation,
            f"{name}.manifest.json": self.manifest,
        }


def zipped(found: DataSet) -> bytes:
    """All three files in one; the same bytes whenever it is made."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in found.files("tuning").items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


@dataclass(frozen=True)
class _Example:
    group: str  # what stands on one side of the split as a whole: a conversation, or for pairs a prompt
    line: bytes


def data_set(connection: Connection, choice: Choice) -> DataSet:
    """The answers that fit the choice, without doubles, split into train and validation."""
    found = answers(connection, choice.since, choice.until, choice.model, choice.evaluator)
    examples = _chats(found, choice) if choice.kind == "chat" else _pairs(found, choice)
    once = {example.line: example for example in sorted(examples, key=lambda one: (one.group, one.line))}
    ordered = sorted(once.values(), key=lambda one: hashlib.sha256(one.line).digest())
    sides: dict[bool, list[bytes]] = {True: [], False: []}
    for example in ordered:
        sides[_in_validation(example.group, choice.validation)].append(example.line)
    train, validation = b"".join(sides[False]), b"".join(sides[True])
    counts = {"train": len(sides[False]), "validation": len(sides[True])}
    return DataSet(train, validation, _manifest(choice, counts, train, validation))


def _in_validation(group: str, share: float) -> bool:
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8]) % PARTS
    return place < round(share * PARTS)


def _chats(found: Iterable[Answer], choice: Choice) -> Iterator[_Example]:
    """Each good answer as the two messages of a chat."""
    for answer in found:
        if _fits(answer.score, answer.balance, choice):
            messages = [
                {"role": "user", "content": answer.prompt},
                {"role": "assistant", "content": answer.response},
            ]
            yield _Example(answer.conversation_id, _line({"messages": messages}))


def _pairs(found: Iterable[Answer], choice: Choice) -> Iterator[_Example]:
    """For each prompt the best answer that is good, against every answer that scored so much lower."""
    prompts: dict[str, dict[str, _Tally]] = {}
    for answer in found:
        prompts.setdefault(answer.prompt, {}).setdefault(answer.response, _Tally()).add(answer)
    for prompt, texts in prompts.items():
        good = [text for text, tally in texts.items() if _fits(tally.score, tally.balance, choice)]
        if not good:
            continue
        chosen = min(good, key=lambda text: (-texts[text].score, text))
        for text, tally in texts.items():
            if texts[chosen].score - tally.score >= choice.margin and text != chosen:
                yield _Example(prompt, _line({"prompt": prompt, "chosen": chosen, "rejected": text}))


@dataclass
class _Tally:
    """One answer to one prompt, given in several conversations."""

    total: float = 0.0
    n: int = 0
    balance: int = 0

    def add(self, answer: Answer) -> None:
        self.total, self.n, self.balance = (
            self.total + answer.score,
            self.n + 1,
            self.balance + answer.balance,
        )

    @property
    def score(self) -> float:
        return round(self.total / self.n, 9)  # a sum of the same numbers in another order is the same


def _fits(score: float, balance: int, choice: Choice) -> bool:
    least = {"liked": 1, "not disliked": 0, "any": None}[choice.likes]
    return round(score, 9) >= choice.min_score and (least is None or balance >= least)


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _manifest(choice: Choice, counts: dict[str, int], train: bytes, validation: bytes) -> bytes:
    """Format, filters, counts, and the hashes by which both files are known again."""
    filters = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(choice).items()
        if name != "margin" or choice.kind == "pairs"
    }
    hashes = {
        "train": hashlib.sha256(train).hexdigest(),
        "validation": hashlib.sha256(validation).hexdigest(),
    }
    content = {"format": filters.pop("kind"), "filters": filters, "examples": counts, "sha256": hashes}
    return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"
