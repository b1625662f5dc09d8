"""Models renamed, merged and retired: a typo in a file makes a model. Each can be tried first, and undone."""

from db.model_changes.merging import merge
from db.model_changes.naming import rename, retire
from db.model_changes.records import Change
from db.model_changes.undoing import undo

__all__ = ["Change", "merge", "rename", "retire", "undo"]
