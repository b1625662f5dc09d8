"""Whose forecasts an ensemble is made of: one set of members for all codes, others for codes with a prefix."""

from dataclasses import dataclass
from functools import cached_property

from jobs.formulas.weight_names import FOR_TWO

ENSEMBLE = "ensemble"  # what is made of the members, and never one of them
TAKES = "chronos,lgbm; PREFIX=name,name,…"


@dataclass(frozen=True)
class Members:
    """`sets`: prefix of codes → its members; the prefix '' holds for all codes that no other one fits."""

    sets: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        """As in the setting."""
        told = (f"{prefix}={','.join(names)}" for prefix, names in self.sets.items())
        return "; ".join(part.removeprefix("=") for part in told)

    def of(self, code: str) -> tuple[str, ...]:
        return self.sets[self.prefix_of(code)]

    def prefix_of(self, code: str) -> str:
        """The longest prefix that fits."""
        return next(prefix for prefix in self._longest_first if code.startswith(prefix))

    @cached_property
    def _longest_first(self) -> list[str]:
        return sorted(self.sets, key=len, reverse=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Every member of any set, once."""
        return tuple(dict.fromkeys(name for members in self.sets.values() for name in members))

    def can_be_weighed_by(self, rule: str) -> bool:
        """Whether the rule knows sets of these sizes."""
        return rule not in FOR_TWO or all(len(members) == 2 for members in self.sets.values())


DEFAULT = Members({"": ("chronos", "lgbm")})


def members_from(text: str | Members) -> Members:
    """From `chronos,lgbm; EPEX_=DNN Ensemble,LEAR Ensemble`; raises ValueError.

    Without a part for all codes they are chronos and lgbm.
    """
    if isinstance(text, Members):
        return text
    sets: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        prefix, names = (cell.strip() for cell in part.split("=", 1)) if "=" in part else ("", part)
        if not prefix and names != part:
            raise ValueError(f"a prefix of codes stands before “=” in “{part}”; {TAKES}")
        if prefix in sets:
            told = f"the prefix “{prefix}”" if prefix else "codes without a prefix"
            raise ValueError(f"{told} only once; {TAKES}")
        sets[prefix] = _names(names)
    return Members(DEFAULT.sets | sets)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"“{text}” is not two or more different names; {TAKES}")
    if ENSEMBLE in names:
        raise ValueError(f"“{ENSEMBLE}” is made of the members and is none of them; {TAKES}")
    return names
