"""python -m reports tuning FILE: the tuning data set as JSONL files, with a manifest beside them."""

import argparse
import json
from pathlib import Path

from db.clock import parse_day
from db.engine import default_engine, reading
from db.errors import Refused
from db.exits import DONE, FAILED
from language import N_, _, ngettext
from reports.commands import Arguments
from reports.tuning import KINDS, LIKES, Choice, DataSet, data_set
from settings import Settings

HELP = N_("write the tuning data set: good answers, or better and worse ones, as JSONL files")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What goes into the data set, and where to."""
    usual = Choice()
    parser.add_argument(
        "file",
        type=Path,
        help=_("where to: good.jsonl gives good.train.jsonl, good.validation.jsonl and good.manifest.json"),
    )
    parser.add_argument(
        "--format",
        dest="kind",
        choices=KINDS,
        default=usual.kind,
        help=_("chat: good answers as messages; pairs: a better and a worse answer to one prompt"),
    )
    parser.add_argument(
        "--min-score", type=float, default=usual.min_score, help=_("lowest mean score of a good answer, 0–10")
    )
    parser.add_argument(
        "--likes",
        choices=LIKES,
        default=usual.likes,
        help=_("what users must have said of a good answer's conversation"),
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=usual.margin,
        help=_("pairs: how much better the chosen answer scores at least"),
    )
    parser.add_argument("--since", type=parse_day, help=_("first business day"))
    parser.add_argument("--until", type=parse_day, help=_("last business day, included"))
    parser.add_argument("--model", help=_("answers of this model only"))
    parser.add_argument("--evaluator", help=_("scores of this evaluator only"))
    parser.add_argument(
        "--validation",
        type=float,
        default=usual.validation,
        help=_("share of conversations for validation, 0–0.9"),
    )


def run(args: Arguments, _settings: Settings) -> int:
    """Writes the three files, all or none; exit status 1 where no answer fits."""
    names = Choice.__dataclass_fields__
    choice = _checked(Choice(**{name: getattr(args, name) for name in names}))
    with reading(default_engine()) as connection:
        found = data_set(connection, choice)
    counts = json.loads(found.manifest)["examples"]
    if not sum(counts.values()):
        print(
            _(
                "No answer fits. Those with prompt and response count; --min-score and --likes let more in. "
                "Nothing was written."
            )
        )
        return FAILED
    for path in _written(args.file, found):
        print(path)
    train = ngettext("{n} example to train", "{n} examples to train", counts["train"])
    rest = ngettext("{n} to validate", "{n} to validate", counts["validation"])
    print(_("{train}, {rest}").format(train=train, rest=rest))
    return DONE


def _checked(choice: Choice) -> Choice:
    for name, value, low, high in (
        ("min-score", choice.min_score, 0, 10),
        ("margin", choice.margin, 0, 10),
        ("validation", choice.validation, 0, 0.9),
    ):
        if not low <= value <= high:
            told = _("--{name} got {value:g}; it takes a number from {low:g} to {high:g}")
            raise Refused(told.format(name=name, value=value, low=low, high=high), status=2)
    return choice


def _written(file: Path, found: DataSet) -> list[Path]:
    """Each under a name of its own first, so that a full disk leaves what was there before."""
    stem = file.with_suffix("") if file.suffix == ".jsonl" else file
    paths = {stem.with_name(name): content for name, content in found.files(stem.name).items()}
    parts = {path: path.with_name(path.name + ".part") for path in paths}
    try:
        for path, content in paths.items():
            parts[path].write_bytes(content)
        for path, part in parts.items():
            part.replace(path)
    except OSError as error:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise Refused(_("{file} cannot be written: {why}").format(file=file, why=error.strerror)) from None
    return list(paths)
