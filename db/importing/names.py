"""The columns of a file by our names: what `--map` and `--set` say, our own names, and the usual other ones."""

from collections.abc import Mapping, Sequence

from db.errors import Refused
from db.importing.advice import listed
from db.importing.cells import shown
from db.importing.columns import Column, Spec
from db.importing.report import Report
from db.importing.rows import Batch, plain
from language import _

_TOLD = 8  # columns that a message names


class Names:
    """What the columns of a file are; `mapping` is theirs → ours, `filling` ours → other column of the file."""

    def __init__(
        self, spec: Spec, report: Report, mapping: Mapping[str, str], filling: Mapping[str, str]
    ) -> None:
        self._spec, self._report = spec, report
        self._own = {column.name: column.name for column in spec.columns}
        for ours in (*mapping.values(), *filling):
            if ours not in self._own:
                told = _("An import of {table} cannot set {name}; it can set {names}")
                raise Refused(told.format(table=spec.table, name=ours, names=", ".join(self._own)), status=2)
        self._known = {
            alias: column.name for column in spec.columns for alias in (column.name, *column.aliases)
        }
        self._mapping = {plain(theirs): ours for theirs, ours in mapping.items()}
        self._filling = {ours: plain(other) for ours, other in filling.items()}
        self._seen: dict[str, None] = {}  # columns of the file, in their order

    def resolve(self, batch: Batch) -> dict[str, list[str]]:
        """Our column names → the cells of the file."""
        theirs: dict[str, list[str]] = {}
        for name, cells in zip(batch.header, batch.cells, strict=True):
            if theirs.setdefault(plain(name), cells) is not cells:
                raise Refused(
                    _("Two columns of the file are called {name}").format(name=shown(plain(name))), status=2
                )
        self._refuse_unreadable(batch.unreadable)
        self._seen |= dict.fromkeys(theirs)
        if batch.headed:
            self.refuse_absent()
        found = self._named(theirs)
        if batch.headed and not found and not self._filling:
            raise self._nothing_known(batch.header)
        for ours, other in self._filling.items():
            source = found.get(self._known.get(other, other), theirs.get(other))
            if source is None:
                self._note_absent(other)
            else:
                own = found.get(ours)
                found[ours] = (
                    source if own is None else [mine or its for mine, its in zip(own, source, strict=True)]
                )
        return found

    def missing(self, column: Column, similar: Sequence[str], in_file: bool) -> str:
        """That a file, or a row, lacks a column that is needed, and what there is to do."""
        told, advice = _("{name} is missing").format(name=column.name), self._report.advice
        if similar:
            return _("{told}; {advice}").format(told=told, advice=advice.taken_from(column.name, similar[0]))
        if self._report.unknown and not in_file:
            names = _listed(self._report.unknown)
            return _("{told}; {advice}").format(told=told, advice=advice.called_otherwise(column.name, names))
        return told

    def refuse_absent(self) -> None:
        """Raises Refused where `--map` or `--set` names a column that no row so far has: a slip of the pen."""
        ours = {self._known.get(self._mapping.get(name, name)) for name in self._seen}
        absent = [name for name in self._mapping if name not in self._seen]
        absent += [
            other
            for other in self._filling.values()
            if other not in self._seen and self._known.get(other) not in ours
        ]
        if self._seen and absent:
            told = _(
                "The file has no column {absent}, which --map or --set names; it has {names}. Nothing was written."
            )
            names = _listed(list(self._seen))
            raise Refused(told.format(absent=_listed(absent), names=names), status=2)

    def _refuse_unreadable(self, unreadable: Mapping[str, str]) -> None:
        """Raises Refused where the cells of a column that is wanted are no single values; notes the others."""
        for name, holds in unreadable.items():
            own = plain(name)
            if own in self._mapping or own in self._known or own in self._filling.values():
                told = _("Column {name} of the file holds {type}; write it as one text, number or time a row")
                raise Refused(told.format(name=shown(name), type=shown(holds)))
            if own not in self._spec.computed:
                told = _("column {name} holds {type} and was left out")
                self._report.note_column(told.format(name=shown(name), type=shown(holds)))

    def _nothing_known(self, header: tuple[str, ...]) -> Refused:
        told = _(
            "No column of the file is known here: it has {names}. Needed are {needed}; {advice}. "
            "The first line of a CSV file names the columns, separated by comma, semicolon, tab or bar."
        )
        needed = ", ".join(column.name for column in self._spec.columns if column.required)
        advice = self._report.advice.other_names()
        return Refused(told.format(names=_listed(header), needed=needed, advice=advice))

    def _named(self, theirs: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """What `--map` names comes before a column's own name, and that before its other names."""
        found: dict[str, list[str]] = {}
        left = dict(theirs)
        for names in (self._mapping, self._own, self._known):
            fresh: dict[str, str] = {}
            for name in left:
                ours = names.get(name)
                if ours is None or ours in found:
                    continue
                if ours in fresh:
                    raise Refused(
                        _("Two columns of the file are {ours}; {advice}").format(
                            ours=ours, advice=self._report.advice.one_of_two()
                        ),
                        status=2,
                    )
                fresh[ours] = name
            found |= {ours: left.pop(name) for ours, name in fresh.items()}
        for name in left:
            if name in self._known:
                self._report.note(
                    _("column {name} was left out: {ours} comes from another column").format(
                        name=name, ours=self._known[name]
                    )
                )
            elif name not in self._spec.computed and name not in self._filling.values():
                if name not in self._report.unknown[:_TOLD]:
                    self._report.unknown.append(name)
                told = _("column {name} is not known here and was left out")
                self._report.note_column(told.format(name=shown(name)))
        for name in sorted(self._mapping.keys() - theirs.keys()):
            self._note_absent(name)
        return found

    def _note_absent(self, name: str) -> None:
        """Says that a column of `--map` or `--set` is not in these rows of a file whose rows name their columns."""
        self._report.note(_("there is no column {name} in some rows").format(name=name))


def _listed(names: Sequence[str]) -> str:
    return listed([shown(name) for name in names[: _TOLD + 1]], _TOLD)
