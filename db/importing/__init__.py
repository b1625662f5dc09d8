"""Files and rows from outside into source tables, with a report of what was rejected and why."""

from db.importing.files import import_file
from db.importing.report import Report
from db.importing.specs import SPECS

__all__ = ["SPECS", "Report", "import_file"]
