"""python -m db: prepare, back up, check, fill and empty the database."""

import gc

if __name__ == "__main__":
    gc.disable()  # nothing of what is imported is garbage: to look for some takes a fifth of the start

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import settings
from db.commands import Arguments, assignments, export, import_files, models, prices, upkeep
from db.commands.demo import demo
from db.engine import default_engine, refuse_unreachable
from db.exits import exit_status
from language import N_, _


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m db", description=_(__doc__ or ""))
    commands = parser.add_subparsers(dest="command", required=True, metavar=_("COMMAND"))

    def command(name: str, work: Callable[..., int], told: str) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=_(told), description=_(told))
        own.set_defaults(work=work)
        return own

    for name, work, told in (
        ("upgrade", upkeep.upgrade, N_("bring the schema to the newest version; backs up first")),
        ("rollback", upkeep.rollback, N_("take the schema one version back; backs up first")),
    ):
        own = command(name, work, told)
        own.add_argument("--no-backup", action="store_true", help=_("make no backup first"))
    own.add_argument("revision", nargs="?", help=_("the version to go back to (default: one back)"))

    own = command("backup", upkeep.make_backup, N_("write a copy of the whole database"))
    own.add_argument("file", nargs="?", type=Path, help=_("a new file (default: one in BACKUP_DIR)"))
    own = command(
        "restore", upkeep.restore_backup, N_("replace the whole database by a backup; backs up first")
    )
    own.add_argument("file", type=Path, help=_("a file that backup made"))
    own.add_argument("--no-backup", action="store_true", help=_("make no backup first"))
    command("check", upkeep.check_database, N_("say what is wrong with the database, and how fresh it is"))
    import_files.add_options(
        command("import", import_files.import_files, N_("bring files into a source table"))
    )
    export.add_options(command("export", export.export, N_("write a table to a file")))
    models.add_options(
        command("models", models.models, N_("list models; rename, merge or retire one, or undo that"))
    )
    prices.add_options(
        command(
            "prices",
            prices.prices,
            N_("apply the price book to calls of models that are stored already, or fill it"),
        )
    )
    assignments.add_options(
        command(
            "assignments", assignments.assignments, N_("say in a YAML file which model each agent runs on")
        )
    )
    own = command("demo", demo, N_("fill an empty database with a simulated year"))
    own.add_argument("--remove", action="store_true", help=_("take the demo out again"))
    own = command("timezone", upkeep.move_to_timezone, N_("change TIMEZONE and recompute the business days"))
    own.add_argument("name", help=_("IANA name, such as Asia/Seoul"))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    args = _parser().parse_args(argv)
    return exit_status(lambda: _run(args), interrupted=N_("Interrupted; nothing half-done was left."))


def _run(args: Arguments) -> int:
    zone = settings.current().zone
    engine = default_engine()
    refuse_unreachable(engine)
    status: int = args.work(args, engine, zone)
    return status


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main())
