"""How a command ends: its exit status, and what is said where it did not work."""

import os
import sys
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

import settings
from db.engine import explain
from db.errors import Refused
from language import _

DONE, FAILED, WRONG_CALL = 0, 1, 2
INTERRUPTED, PIPE_CLOSED, TERMINATED = 130, 141, 143  # as a shell tells it


def exit_status(command: Callable[[], int], interrupted: str = "") -> int:
    """Runs a command and returns its exit status; what a person can mend is told without a traceback."""
    try:
        status = command()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _say(_(interrupted) if interrupted else "", INTERRUPTED)
    except settings.WrongSetting as error:
        return _say(str(error), WRONG_CALL)
    except Refused as error:
        return _say(str(error), error.status)
    except SQLAlchemyError as error:
        return _say(explain(error), FAILED)
    return status


def _say(text: str, status: int) -> int:
    if text:
        print(text, file=sys.stderr)
    return status
