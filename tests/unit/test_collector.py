"""The garbage collector's threshold during imports."""

import gc

import pytest

from db.importing.collector import RARELY, collecting_rarely


def test_the_usual_threshold_comes_back_after_the_last_import() -> None:
    usual = gc.get_threshold()
    with collecting_rarely():
        with pytest.raises(ValueError, match="broken"), collecting_rarely():
            assert gc.get_threshold() == RARELY
            raise ValueError("broken")
        assert gc.get_threshold() == RARELY
    assert gc.get_threshold() == usual
