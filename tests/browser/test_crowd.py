"""The short form of the soak's crowd: loops, sessions, a real page, and rows that are written meanwhile."""

import pytest

from soak.crowd import crowd
from soak.evidence import line
from tests import filled

pytestmark = pytest.mark.browser


def test_a_few_sessions_for_a_few_seconds(tmp_path):
    finding = crowd(filled.upgraded(tmp_path / "tidemark.db"), tmp_path, minutes=0.1, sessions=4, tabs=1)
    assert finding.passed, line(finding)
