"""Text that a spreadsheet would run as a formula, and the apostrophe that keeps it text.

`guarded` and `unguarded` undo each other for every text, also for one that begins with apostrophes itself: where
a formula follows them, one more is put before and one is taken off; all other text stays as it is.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """The text as a cell of a CSV file."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(cell: str) -> str:
    """The text that a cell of a CSV file stands for."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def guarded_raw(cell: str) -> str:
    """The same for a cell of any column, as it came: a number stays a number that can be mended."""
    try:
        float(cell)
    except ValueError:
        return guarded(cell)
    return cell
