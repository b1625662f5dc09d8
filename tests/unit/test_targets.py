"""Targets of metrics from a file that people write."""

import os
from pathlib import Path

import pytest

from db.errors import Refused
from db.targets import targets


def test_no_file_no_targets(tmp_path: Path) -> None:
    assert targets(tmp_path / "targets.yaml") == {}


def test_targets_are_read_again_when_the_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text("# ours\nfinal_score: 72\nsupport_breach_rate: 7.5\n")
    assert targets(file) == {"final_score": 72.0, "support_breach_rate": 7.5}
    file.write_text("final_score: 70\n")
    os.utime(file, ns=(1, 1))
    assert targets(file) == {"final_score": 70.0}
    file.write_text("")
    assert targets(file) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("final_score: [70", "is no YAML: line"),
        ("- 70", "holds no lines like"),
        ("socre: 70", "there is no metric “socre”; there are final_score, "),
        ("final_score: high", "the target of final_score is “high”; it takes a number from 0 to 100"),
        ("final_score: true", "is “True”"),
        ("final_score: 101", "is “101”"),
        ("human_score: 10", "from 20 to 100"),
        ("final_score: 2026-13-45", "cannot be read: month must be in 1..12"),
        ("final_score: " + 5000 * "9", "cannot be read: Exceeds the limit"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        targets(file)
    assert told in str(refused.value) and "targets.yaml" in str(refused.value)
