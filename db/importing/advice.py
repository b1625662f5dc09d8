"""How whoever reads a report says which column of a file is which: by an option of the command, or on the page."""

from collections.abc import Sequence

from language import _


class ByCommand:
    """For people at a terminal."""

    def taken_from(self, ours: str, other: str) -> str:
        return _("to take it from another column: --set {ours}={other}").format(ours=ours, other=other)

    def called_otherwise(self, ours: str, names: str) -> str:
        told = _("where the file calls it otherwise (it has {names}): --map theirs={ours}")
        return told.format(ours=ours, names=names)

    def one_of_two(self) -> str:
        return _("say with --map which one it is")

    def other_names(self) -> str:
        return _("other names: --map theirs=ours")


class OnPage(ByCommand):
    """For people in front of the card that imports a file, with its choice of columns."""

    def taken_from(self, ours: str, other: str) -> str:
        told = _("to take it from another column, such as {other}: choose that under Columns")
        return told.format(other=other)

    def called_otherwise(self, ours: str, names: str) -> str:
        return _("where the file calls it otherwise (it has {names}): choose that under Columns").format(
            names=names
        )

    def one_of_two(self) -> str:
        return _("choose under Columns which one it is")

    def other_names(self) -> str:
        return _("other names: choose them under Columns")


def listed(names: Sequence[str], most: int) -> str:
    """The first of some names."""
    return ", ".join(names[:most]) + (", …" if names[most:] else "")
