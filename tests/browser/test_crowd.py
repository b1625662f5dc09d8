"""The short form of the soak's crowd: loops, sessions, a real page, and rows that are written meanwhile."""

import pytest

from soak.crowd import crowd
from soak.databases import sqlite_database
from soak.evidence import line

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_few_sessions_for_a_few_seconds(tmp_path):
    finding = crowd(sqlite_database(tmp_path), tmp_path, minutes=0.1, sessions=4, tabs=1)
    assert finding.passed, line(finding)
