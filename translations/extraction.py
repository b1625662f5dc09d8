"""The texts that the code marks for translation.

Babel's own extractor does not look into f-strings, where many calls of `_` stand; Python's syntax tree does.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog

from settings import ROOT

SPOKEN = ("dashboard", "db", "jobs", "reports", "run.py")
Text = str | tuple[str, str]  # one text, or the forms for one and for many


def template() -> Catalog:
    """A catalogue of every text of the code, with the files that it stands in."""
    found = Catalog()
    for path in spoken_files():
        for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            found.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    return found


def spoken_files() -> Iterator[Path]:
    """The files whose texts people read."""
    for name in SPOKEN:
        yield from [ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py"))


def texts(tree: ast.Module) -> Iterator[Text]:
    """The texts inside _(…), N_(…) and ngettext(…), in the order of the file."""
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name == "ngettext":
            one, many = (text for argument in call.args[:2] for text in _constants(argument, tree))
            yield one, many
        elif name in ("_", "N_") and call.args:
            yield from _constants(call.args[0], tree)


def _constants(argument: ast.expr, tree: ast.Module) -> Iterator[str]:
    """The texts of an argument: itself, either side of a condition, or the docstring that it names."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from (*_constants(argument.body, tree), *_constants(argument.orelse, tree))
    elif isinstance(argument, ast.BoolOp):
        told = any(isinstance(node, ast.Name) and node.id == "__doc__" for node in argument.values)
        yield from [ast.get_docstring(tree, clean=False) or ""] if told else []
