"""What verdicts are called in the database; the tables are defined without the arithmetic."""

IMPROVED, DECLINED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA = (
    "improved",
    "declined",
    "no clear change",
    "too little data",
)
VERDICTS = (IMPROVED, DECLINED, NO_CLEAR_CHANGE, TOO_LITTLE_DATA)
