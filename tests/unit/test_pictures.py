"""Pictures of the digest: drawn with the bundled font, also on a machine that has none."""

import os
import struct
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from reports.blocks import Picture
from reports.charts.look import Look
from reports.charts.trend import trend
from reports.pictures import SCALE, WIDTH, drawn

WEEK = date(2026, 11, 9)
EMPTY = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><cachedir>{folder}</cachedir></fontconfig>"""
# Prints the picture of each title that it is given, as hexadecimal digits.
PROGRAM = """
import sys
from tests.unit.test_pictures import picture
for title in sys.argv[1:]:
    print(picture(title).png.hex())
"""


def picture(title: str, name: str = "harbor") -> Picture:
    rows = pd.DataFrame(
        [
            {"subject": name, "period": WEEK - k * timedelta(weeks=1), "value": 60.0 + k, "n": 40.0}
            | {"low": 58.0 + k, "high": 62.0 + k, "part": 40.0, "unfinished": False}
            for k in range(12)
        ]
    )
    look = Look(dark=False, subjects=[name], highlighted=[name], span=(WEEK - timedelta(weeks=11), WEEK))
    return drawn(trend(rows, look, height=260), "models", title, "weekly mean", f"Score of {name}.")


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return int(width), int(height)


def test_a_picture_has_its_size_and_its_words() -> None:
    made = picture("Model scores")
    assert (made.name, made.title, made.alt) == ("models", "Model scores", "Score of harbor.")
    width, height = size(made.png)
    assert width == WIDTH * SCALE and 260 * SCALE <= height <= 500 * SCALE
    assert len(made.png) < 200_000


def test_without_any_font_of_the_machine_korean_is_drawn(tmp_path: Path) -> None:
    """A letter that no font has is a box, and then pictures with as many letters are equal."""
    folder = tmp_path / "no-fonts"
    folder.mkdir()
    config = tmp_path / "fonts.conf"
    config.write_text(EMPTY.format(folder=folder), encoding="utf-8")
    titles = ("모델 점수", "답변 품질", "Model scores", "\u1b05\u1b06\u1b07", "\u1b08\u1b09\u1b0a")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *titles],
        env=os.environ | {"FONTCONFIG_FILE": str(config), "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    korean, other, english, *balinese = (bytes.fromhex(line) for line in done.stdout.split())
    assert len({korean, other, english}) == 3
    assert balinese[0] == balinese[1], "these letters have no font, so the machine's are hidden indeed"


def test_names_that_are_long_or_markup_leave_the_size() -> None:
    for name in ("x" * 300, "<b>*bold*</b> & <!channel>", "שלום", "모델"):
        assert size(picture("t", name).png)[0] == WIDTH * SCALE
