"""Charts as PNG: the dashboard's own, with the title inside and a font that every machine has, since it is bundled."""

import json
from functools import cache, lru_cache
from pathlib import Path

import altair as alt
import vl_convert

from reports.blocks import Picture
from reports.charts.picture import picture

FOLDER = Path(__file__).parent / "fonts"
FONT = "NanumGothic"  # Latin and Korean
WIDTH, SCALE = 720, 2


@cache
def _fonts() -> None:
    vl_convert.register_font_directory(str(FOLDER))


def drawn(chart: alt.LayerChart, name: str, title: str, subtitle: str, alt_text: str) -> Picture:
    """The chart as a picture of a message; `alt_text` says in words what it shows."""
    _fonts()
    spec = picture(chart, title=title, subtitle=subtitle, width=WIDTH, fonts=FONT)
    return Picture(name, title, alt_text, _png(json.dumps(spec)))


@lru_cache(maxsize=16)
def _png(spec: str) -> bytes:
    """Half a second of work; a preview and the message after it show the same pictures."""
    return vl_convert.vegalite_to_png(spec, scale=SCALE)
