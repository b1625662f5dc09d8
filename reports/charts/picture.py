"""The same chart as a picture: what the page gives in the browser is written into the chart itself."""

from typing import Any

import altair as alt

from reports.charts.theme import palette

# In quotes: a bare name with a digit in it is no font name, and then no text is drawn at all.
FONTS = "'Source Sans 3','Source Sans Pro','Noto Sans KR','Noto Sans CJK KR','NanumGothic',sans-serif"


def picture(
    chart: alt.LayerChart,
    *,
    title: str,
    subtitle: str = "",
    width: int = 960,
    dark: bool = False,
    fonts: str = FONTS,
) -> dict[str, Any]:
    """A Vega-Lite specification for vl-convert, with the title inside, because no page stands around it."""
    colours = palette(dark)
    spec: dict[str, Any] = chart.to_dict()
    spec |= {
        "width": width,
        "autosize": {"type": "fit", "contains": "padding"},
        "background": colours.page,
        "padding": {"left": 14, "top": 12, "right": 14, "bottom": 12},
        "title": {"text": title, "anchor": "start", "frame": "bounds", "offset": 14}
        | {"fontSize": 15, "fontWeight": 600, "color": colours.text}
        | (
            {"subtitle": subtitle, "subtitleColor": colours.muted, "subtitleFontSize": 12} if subtitle else {}
        ),
    }
    spec["config"] |= {"font": fonts}
    return spec
