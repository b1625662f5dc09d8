"""python -m db import: files into a source table, and what is said of them."""

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.clock import utc_now
from db.commands import Arguments
from db.errors import Refused
from db.exits import DONE, FAILED, WRONG_CALL
from db.importing import SPECS, Report, import_file
from db.importing.files import Part, spec_of
from db.importing.specs import PREDICTION_OUTCOMES, PREDICTIONS
from db.importing.unresolved import PREDICTED, of_predictions, resolved, unresolved
from db.progress import ProgressLine
from db.schema import refuse_unready
from language import _

COUNTS = ("read", "new", "updated", "unchanged", "rejected", "repeated")


def add_options(own: argparse.ArgumentParser) -> None:
    """What may be typed behind import."""
    own.add_argument("table", help=_("one of: {tables}").format(tables=", ".join(SPECS)))
    own.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_("csv, csv.gz, jsonl or parquet"))
    own.add_argument(
        "--map",
        action="append",
        default=[],
        type=_pair,
        metavar="theirs=ours",
        help=_("their column name for one of ours"),
    )
    own.add_argument(
        "--set",
        action="append",
        default=[],
        type=_pair,
        metavar="ours=other",
        help=_("take a column, where it is empty, from another column of the file"),
    )
    own.add_argument(
        "--as-predictions",
        action="store_true",
        help=_("of prediction_outcomes: store the rows that are not resolved yet as predictions"),
    )
    own.add_argument("--dry-run", action="store_true", help=_("report what would change, write nothing"))
    own.add_argument("--strict", action="store_true", help=_("write nothing of a file with a rejected row"))
    own.add_argument(
        "--rejects",
        type=Path,
        metavar="FILE",
        help=_("keep rejected rows as CSV (with several files: FILE-name of each)"),
    )
    own.add_argument("--keep-demo", action="store_true", help=_("leave the simulated rows in"))
    own.add_argument("--json", action="store_true", help=_("print one JSON object and nothing else"))


def _pair(text: str) -> tuple[str, str]:
    left, separator, right = text.partition("=")
    if not (left.strip() and separator and right.strip()):
        raise argparse.ArgumentTypeError(_("“{text}” is not of the form name=name").format(text=text))
    return left.strip(), right.strip()


def import_files(args: Arguments, engine: Engine, zone: ZoneInfo) -> int:
    spec_of(args.table)
    if args.as_predictions and args.table != PREDICTION_OUTCOMES.table:
        raise Refused(_("--as-predictions is for prediction_outcomes"), status=WRONG_CALL)
    _refuse_bad_paths(args)
    refuse_unready(engine, zone)
    done: list[tuple[Path, Report]] = []
    refused: Refused | None = None
    for path in args.files:
        try:
            for report in _import_one(args, engine, zone, path):
                done.append((path, report))
                if not args.json:
                    _tell_import(path, report, args)
        except Refused as error:
            refused = error
            break
    if args.json:
        print(json.dumps(_as_json(args, done, refused), ensure_ascii=False))
    if refused:
        raise refused
    return _import_status([report for _path, report in done], args.strict)


def _refuse_bad_paths(args: Arguments) -> None:
    for path in args.files:
        if not path.is_file():
            raise Refused(_("There is no file {path}").format(path=path), status=WRONG_CALL)
        kept = _rejects_file(args, path)
        if kept and any(kept.exists() and kept.samefile(file) for file in args.files):
            raise Refused(
                _("--rejects would overwrite {path}, which is to be imported; name another file").format(
                    path=kept
                ),
                status=WRONG_CALL,
            )


def _rejects_file(args: Arguments, path: Path) -> Path | None:
    """Where the rejected rows of a file go: with several files each has its own, as their columns differ."""
    kept: Path | None = args.rejects
    if kept is None or len(args.files) == 1:
        return kept
    return kept.with_name(f"{kept.stem}-{path.name.split('.')[0]}{kept.suffix}")


def _import_one(args: Arguments, engine: Engine, zone: ZoneInfo, path: Path) -> Iterator[Report]:
    """The report of the file; with --as-predictions one for its outcomes, and one for what is not resolved yet."""
    kept, mapping = _rejects_file(args, path), dict(args.map)
    known = partial(resolved, mapping=mapping) if args.as_predictions else None
    first = _import_part(args, engine, zone, path, args.table, kept, known)
    yield first
    if args.as_predictions and not (args.strict and first.rejected):
        beside = kept and kept.with_name(f"{kept.stem}-predictions{kept.suffix}")
        unknown = partial(unresolved, mapping=mapping)
        yield _import_part(args, engine, zone, path, PREDICTIONS.table, beside, unknown)


def _import_part(
    args: Arguments,
    engine: Engine,
    zone: ZoneInfo,
    path: Path,
    table: str,
    kept: Path | None,
    part: Part | None,
) -> Report:
    progress = ProgressLine(path.name)
    whole = table == args.table
    try:
        return import_file(
            engine,
            table,
            path,
            zone=zone,
            now=utc_now(),
            mapping=dict(args.map) if whole else of_predictions(dict(args.map)),
            filling={ours: other for ours, other in args.set if whole or ours in PREDICTED},
            dry_run=args.dry_run,
            strict=args.strict,
            keep_demo=args.keep_demo,
            rejects=kept,
            progress=progress,
            part=part,
        )
    finally:
        progress.end()


def _tell_import(path: Path, report: Report, args: Arguments) -> None:
    called = path.name if report.table == args.table else f"{path.name} → {report.table}"
    print(f"{called}: {report.summary()}")
    if report.removed_demo:
        print(_("The demo was removed: from now on the database holds your data."))
    if _is_lost(report) and len(args.files) > 1:
        print(_("No row of {file} is good: nothing of it was written.").format(file=path.name))
    elif args.strict and report.rejected:
        print(_("Nothing of {file} was written, because of --strict.").format(file=path.name))
    for note in report.notes:
        print(f"  {note}")
    for reason in report.told_reasons():
        print(f"  {reason}")
    kept = _rejects_file(args, path)
    if kept and report.rejected:
        print(_("The rejected rows are in {path}: mend them and import it.").format(path=kept))


def _as_json(args: Arguments, done: list[tuple[Path, Report]], refused: Refused | None) -> dict[str, Any]:
    """One object for all files: the sums, then each file."""
    sums = {name: sum(getattr(report, name) for _path, report in done) for name in COUNTS}
    files = [{"file": str(path)} | report.as_json() for path, report in done]
    told = {"table": args.table, "dry_run": args.dry_run} | sums | {"files": files}
    return told | ({"error": str(refused)} if refused else {})


def _import_status(reports: list[Report], strict: bool) -> int:
    if strict and any(report.rejected for report in reports):
        return FAILED
    if any(map(_is_lost, reports)):  # however good the others are
        return FAILED
    return DONE if any(report.good for report in reports) else FAILED


def _is_lost(report: Report) -> bool:
    """Whether a file had rows, and none of them was good."""
    return report.read > 0 and not report.good
