"""Where worker and schedule loop write what they do."""

import logging
import sys
from logging.handlers import RotatingFileHandler

from settings import Settings

MOST_BYTES, OLD_FILES = 5 * 2**20, 5
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(config: Settings) -> None:
    """To standard error, and to LOG_FILE, of which the newest 5 MB and five older files are kept."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if config.log_file:
        config.log_file.parent.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(
            config.log_file, maxBytes=MOST_BYTES, backupCount=OLD_FILES, encoding="utf-8", delay=True
        )
        handlers.append(file)
    logging.basicConfig(level=config.log_level, format=FORMAT, handlers=handlers)
    logging.getLogger("schedule").setLevel(logging.WARNING)
