"""Where worker and schedule loop write what they do."""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from db.errors import Refused
from language import _
from settings import Settings

MOST_BYTES, OLD_FILES = 5 * 2**20, 5
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(config: Settings) -> None:
    """To standard error, and to LOG_FILE, of which the newest 5 MB and five older files are kept.

    Raises Refused where LOG_FILE cannot be written.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if config.log_file:
        handlers.append(_file(config.log_file))
    logging.basicConfig(level=config.log_level, format=FORMAT, handlers=handlers)
    logging.getLogger("schedule").setLevel(logging.WARNING)


def _file(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return RotatingFileHandler(path, maxBytes=MOST_BYTES, backupCount=OLD_FILES, encoding="utf-8")
    except OSError as error:
        told = _("LOG_FILE {file} cannot be written: {why}")
        raise Refused(told.format(file=path, why=error.strerror), status=2) from None
