"""Charts: what is drawn, from the specification that the browser gets."""

import itertools
import json
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from reports.charts import theme
from reports.charts.coverage import coverage
from reports.charts.labels import NEAR, PHONE_WIDTH, PLOT_WIDTH, Event, lay_out, spread
from reports.charts.look import Look, slots_of
from reports.charts.panels import panel
from reports.charts.picture import picture
from reports.charts.rates import percent, rates
from reports.charts.scales import AROUND_PLOT, x_ticks, y_domain, y_ticks
from reports.charts.series import prepare
from reports.charts.sparkline import Sparkline, sparkline
from reports.charts.text import number, period_name, signed
from reports.charts.trend import HEIGHT, LABEL_GAP, trend

SUBJECTS = ["atlas", "borealis", "cirrus", "delta", "ember", "fathom", "gale", "harbor"]
MONDAY = date(2026, 5, 25)


def weeks(subject: str, values: list[float | None], **columns: Any) -> pd.DataFrame:
    rows = [
        {
            "subject": subject,
            "period": MONDAY + timedelta(weeks=k),
            "value": value,
            "n": 40,
            "unfinished": False,
        }
        | {"low": None if value is None else value - 2, "high": None if value is None else value + 2}
        for k, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(**columns)


def drawn(frame: pd.DataFrame, **arguments: Any) -> dict[str, Any]:
    look = {"highlighted": ["atlas"], "title": "Score by week", "unit": "mean score"}
    look |= {name: arguments.pop(name) for name in set(arguments) & {"highlighted", "grain", "span"}}
    return trend(frame, a_look(**look), **arguments).to_dict()


def a_look(**arguments: Any) -> Look:
    return Look(**({"dark": False, "subjects": SUBJECTS} | arguments))


def colours(spec: dict[str, Any]) -> dict[str, str]:
    """The colour of each subject; all layers must agree."""
    (scale,) = {
        json.dumps(layer["encoding"]["color"]["scale"])
        for layer in spec["layer"]
        if "scale" in layer["encoding"].get("color", {})
    }
    return dict(zip(json.loads(scale)["domain"], json.loads(scale)["range"], strict=True))


def layers(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def rows_of(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    return spec["datasets"][(layer.get("data") or spec["data"])["name"]]


def points(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return rows_of(spec, spec["layer"][-1])


def texts(spec: dict[str, Any], field: str) -> list[dict[str, Any]]:
    layer = next(item for item in layers(spec, "text") if item["encoding"]["text"]["field"] == field)
    return rows_of(spec, layer)


def test_a_week_without_a_row_is_a_gap() -> None:
    frame = weeks("atlas", [70, 71, 72, 73, 74]).drop(index=2)
    assert [row["segment"] for row in points(drawn(frame))] == [1, 1, 2, 2]


def test_a_week_without_a_value_is_the_same_gap() -> None:
    assert [row["segment"] for row in points(drawn(weeks("atlas", [70, 71, None, 73, 74])))] == [1, 1, 2, 2]


def test_lines_and_bands_are_cut_at_gaps() -> None:
    spec = drawn(weeks("atlas", [70, 71, None, 73, 74]))
    assert {layer["encoding"]["detail"]["field"] for layer in layers(spec, "line")} == {"segment"}
    assert {layer["encoding"]["detail"]["field"] for layer in layers(spec, "area")} == {"band"}


def test_a_weekend_is_a_gap_for_days_and_a_lone_day_is_a_dot() -> None:
    friday = date(2026, 11, 13)
    days = [friday - timedelta(days=1), friday, friday + timedelta(days=3)]
    frame = pd.DataFrame({"subject": "atlas", "period": days, "value": [1.0, 2.0, 3.0], "n": 9})
    found = points(drawn(frame, grain="day"))
    assert [row["segment"] for row in found] == [1, 1, 2]
    assert [row.get("alone", False) for row in found] == [False, False, True]
    assert any(
        "datum.alone" in str(layer["transform"]) for layer in layers(drawn(frame, grain="day"), "circle")
    )


def test_the_step_to_an_unfinished_week_is_dashed_and_its_point_hollow() -> None:
    frame = weeks("atlas", [70, 71, 72], unfinished=[False, False, True])
    spec = drawn(frame)
    assert [row.get("tail", False) for row in points(spec)] == [False, True, True]
    solid = next(layer for layer in layers(spec, "line") if "!datum.unfinished" in str(layer["transform"]))
    dashed = next(layer for layer in layers(spec, "line") if "datum.tail" in str(layer["transform"]))
    assert "strokeDash" not in solid["mark"]
    assert dashed["mark"]["strokeDash"]
    hollow = layers(spec, "point")[0]
    assert "datum.unfinished" in str(hollow["transform"])
    assert hollow["mark"]["fill"] == theme.LIGHT.page
    assert len(layers(spec, "rect")) == 1


def test_nothing_is_dashed_over_a_gap() -> None:
    frame = weeks("atlas", [70, 71, None, 72], unfinished=[False, False, False, True])
    assert [row.get("tail", False) for row in points(drawn(frame))] == [False, False, True]


def test_without_an_unfinished_week_there_is_no_column() -> None:
    assert not layers(drawn(weeks("atlas", [70, 71])), "rect")


def test_fewer_than_three_have_no_band_and_a_hollow_point() -> None:
    found = points(drawn(weeks("atlas", [70, 71, 72, 73], n=[40, 2, 40, 40])))
    assert ["low" in row for row in found] == [True, False, True, True]
    assert [row.get("few", False) for row in found] == [False, True, False, False]
    assert found[0]["band"] != found[2]["band"]
    assert found[0]["segment"] == found[3]["segment"]


def test_a_band_of_one_week_is_marked_because_an_area_would_not_show() -> None:
    data = prepare(weeks("atlas", [70, 71, 72], n=[40, 2, 40]), "week")
    assert data["band_alone"].tolist() == [True, False, True]


def test_colours_do_not_depend_on_what_is_highlighted() -> None:
    frame = pd.concat([weeks(subject, [60, 61]) for subject in SUBJECTS])
    own = dict(zip(SUBJECTS, theme.LIGHT.category, strict=True))
    for highlighted in (["atlas"], ["harbor", "gale"], SUBJECTS[::-1]):
        assert colours(drawn(frame, highlighted=highlighted)) == {name: own[name] for name in highlighted}


def test_more_subjects_than_colours_never_give_two_highlighted_ones_the_same() -> None:
    many = [f"model-{k:02}" for k in range(30)]
    for highlighted in itertools.combinations(many[:18], 4):
        slots = slots_of(many, highlighted)
        assert len({slots[name] for name in highlighted}) == 4
        assert slots[highlighted[0]] == many.index(highlighted[0]) % 8, "the oldest keeps its own"
        assert all(slots[name] == k % 8 for k, name in enumerate(many) if name not in highlighted)
    assert slots_of(many, many[:9:8])["model-08"] == 1
    assert slots_of(many, ["model-08", "model-01", "model-00"])["model-08"] == 2, "1 is taken by another"


def test_a_shifted_colour_is_the_same_in_every_chart_of_the_page() -> None:
    many = [f"model-{k:02}" for k in range(9)]
    look = a_look(subjects=many, highlighted=["model-08", "model-00"])
    table = pd.DataFrame({"subject": many, "rate": 50.0, "n": 9, "part": 1, "whole": 2})
    frame = pd.concat([weeks(name, [60, 61]) for name in many])
    charts = [
        trend(frame, look),
        rates(table, look),
        coverage(table, look),
        panel(frame, look, subject="model-08"),
    ]
    assert {colours(chart.to_dict())["model-08"] for chart in charts} == {theme.LIGHT.category[1]}


def test_a_grey_line_that_is_clicked_stays_grey() -> None:
    frame = pd.concat([weeks("atlas", [70, 71]), weeks("harbor", [60, 61])])
    hits = drawn(frame, selection="pick")["layer"][-1]["encoding"]["color"]
    assert hits["condition"] == {"test": "datum.ghost", "value": theme.LIGHT.muted}


def test_every_layer_has_the_same_axes() -> None:
    """Two domains for one scale make Vega draw nothing, without an error."""
    frame = weeks("atlas", [70, 71, 72], unfinished=[False, False, True])
    events = pd.DataFrame([{"period": MONDAY, "kind": "swap", "label": "a → b"}])
    spec = drawn(frame, previous=frame, events=events, targets=[71.5], selection="pick")
    for channel in ("x", "y"):
        parts = [layer["encoding"][channel] for layer in spec["layer"] if channel in layer["encoding"]]
        assert len({json.dumps(part["scale"]) for part in parts if "scale" in part}) == 1


def test_grey_lines_carry_no_band_and_come_first() -> None:
    frame = pd.concat([weeks("atlas", [70, 71]), weeks("harbor", [60, 61])])
    found = points(drawn(frame, highlighted=["atlas"]))
    assert [row["subject"] for row in found] == ["harbor", "harbor", "atlas", "atlas"]
    assert not {"low", "high", "band", "interval"} & set(found[0])


@pytest.mark.parametrize("span", [None, (date(2026, 10, 19), date(2026, 11, 17))])
def test_an_empty_frame_says_so(span: tuple[date, date] | None) -> None:
    spec = drawn(weeks("atlas", []).reindex(columns=["subject", "period", "value"]), span=span)
    assert [row["words"] for row in texts(spec, "words")] == ["no data in this period"]


def test_values_that_are_all_missing_are_an_empty_frame() -> None:
    assert texts(drawn(weeks("atlas", [None, None])), "words")


def test_a_single_week_has_a_domain() -> None:
    spec = drawn(weeks("atlas", [70]))
    start, end = spec["layer"][-1]["encoding"]["x"]["scale"]["domain"]
    assert start < end


def test_the_previous_period_is_of_the_first_highlighted_only() -> None:
    frame = pd.concat([weeks("atlas", [70, 71]), weeks("harbor", [60, 61])])
    spec = drawn(frame, highlighted=["harbor", "atlas"], previous=frame)
    dotted = next(layer for layer in layers(spec, "line") if layer["mark"].get("strokeCap") == "round")
    assert {row["subject"] for row in rows_of(spec, dotted)} == {"harbor"}


def test_a_click_selects_subject_and_period() -> None:
    spec = drawn(weeks("atlas", [70, 71]), selection="pick")
    (pick,) = spec["params"]
    assert pick["name"] == "pick"
    assert pick["select"]["fields"] == ["subject", "period"]
    assert points(spec)[0]["period"] == "2026-05-25"


def test_names_at_the_ends_are_16_pixels_apart() -> None:
    frame = pd.concat([weeks(name, [60 + k, 70 + k / 10]) for k, name in enumerate(SUBJECTS[:4])])
    spec = drawn(frame, highlighted=SUBJECTS[:4])
    low, high = spec["layer"][-1]["encoding"]["y"]["scale"]["domain"]
    pixel = (high - low) / (HEIGHT - AROUND_PLOT)
    places = sorted(row["value"] for row in texts(spec, "subject"))
    assert len(places) == 4
    assert all(b - a >= (LABEL_GAP - 0.01) * pixel for a, b in itertools.pairwise(places))


def test_spread_keeps_order_bounds_and_what_is_apart_already() -> None:
    assert spread([10, 50, 90], 16, 0, 100) == [10, 50, 90]
    assert spread([50, 50], 16, 0, 100) == [42, 58]
    placed = spread([99, 98, 100], 16, 0, 100)
    assert max(placed) <= 100
    assert placed[1] < placed[0] < placed[2]
    assert spread([], 16, 0, 100) == []


def overlap(one: Event, two: Event, width: int) -> bool:
    (a, b), (c, d) = one.span(one.flip, width), two.span(two.flip, width)
    return one.lane == two.lane and a < d and c < b


def crosses(text: Event, rule: Event, width: int) -> bool:
    start, end = text.span(text.flip, width)
    return (rule.lane or 0) < (text.lane or 0) and start < rule.at * width < end


@pytest.mark.parametrize("every", [1, 9, 14, 40])
def test_event_labels_touch_no_other_label_and_no_rule(every: int) -> None:
    days = [MONDAY + timedelta(days=k) for k in range(0, 182, every)]
    events = pd.DataFrame(
        {"period": days, "kind": "swap", "label": [f"model-{k}: q8 → q4" for k in range(len(days))]}
    )
    placed = [
        event for event in lay_out(events, MONDAY, MONDAY + timedelta(days=182)) if event.lane is not None
    ]
    assert placed
    for one in placed:
        for two in placed:
            if one is not two:
                assert not overlap(one, two, PLOT_WIDTH)
                assert not crosses(one, two, PLOT_WIDTH)
                assert not overlap(one, two, max(one.needs, two.needs))


def test_where_words_have_no_room_the_glyph_stands_alone() -> None:
    events = pd.DataFrame({"period": [MONDAY], "kind": "note", "label": "a very long note " * 20})
    spec = drawn(weeks("atlas", [70, 71, 72]), events=events)
    assert [row["glyph"] for row in texts(spec, "glyph")] == ["●"]
    assert texts(spec, "label") == []
    assert "very long" in rows_of(spec, layers(spec, "rule")[0])[0]["mark"]


def test_events_outside_the_period_are_left_out_and_the_rest_have_a_tooltip() -> None:
    days = [MONDAY - timedelta(days=1), *[MONDAY + timedelta(weeks=1)] * 6]
    events = pd.DataFrame(
        {"period": days, "kind": "note", "label": [f"a note with number {k}" for k in range(7)]}
    )
    spec = drawn(weeks("atlas", [70, 71, 72]), events=events)
    rules = rows_of(spec, layers(spec, "rule")[0])
    assert len(rules) == 1
    assert all(f"number {k}" in rules[0]["mark"] for k in range(1, 7))


def test_wordless_marks_beside_each_other_are_one_that_tells_of_all() -> None:
    long = "a very long note " * 20
    days = [MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=90)]
    events = pd.DataFrame({"period": days, "kind": "missing", "label": [f"{long}{k}" for k in range(3)]})
    first, other = lay_out(events, MONDAY, MONDAY + timedelta(days=182))
    assert all(f"{long}{k}" in first.mark for k in (0, 1))
    assert first.mark.endswith(f"({(days[0] if first.day == days[1] else days[1]).day} May)")
    assert first.lane is not None and first.glyph_only and not other.more


def test_a_phone_shows_no_glyph_on_another() -> None:
    days = [MONDAY + timedelta(days=k) for k in range(0, 182, 5)]
    events = pd.DataFrame({"period": days, "kind": "missing", "label": [f"note {k}" for k in range(37)]})
    shown = [event.at for event in lay_out(events, MONDAY, MONDAY + timedelta(days=182)) if not event.crowded]
    assert len(shown) > 2
    assert all((b - a) * PHONE_WIDTH >= NEAR for a, b in itertools.pairwise(shown))


def test_lanes_make_room_above_the_values() -> None:
    frame = weeks("atlas", [70, 71, 79.5])
    events = pd.DataFrame([{"period": MONDAY, "kind": "swap", "label": "a → b"}])
    top = drawn(frame, events=events)["layer"][-1]["encoding"]["y"]["scale"]["domain"][1]
    lane = texts(drawn(frame, events=events), "label")[0]["value"]
    assert frame["high"].max() < lane < top


def test_eight_models_over_a_year_are_small() -> None:
    frame = pd.concat(
        [weeks(name, [60 + k + j % 7 / 3 for j in range(53)]) for k, name in enumerate(SUBJECTS)]
    )
    events = pd.DataFrame(
        {"period": [MONDAY + timedelta(weeks=k) for k in range(10)], "kind": "note", "label": "note"}
    )
    spec = drawn(frame, highlighted=SUBJECTS[:4], previous=frame, events=events, selection="pick")
    assert len(json.dumps(spec)) < 200_000


def test_no_date_reaches_the_browser_as_a_time() -> None:
    spec = json.dumps(drawn(weeks("atlas", [70, 71])))
    assert "T00:00:00" not in spec
    assert "temporal" not in spec


def test_a_panel_shows_one_subject_over_the_others() -> None:
    frame = pd.concat([weeks(name, [60 + k, 61 + k]) for k, name in enumerate(SUBJECTS)])
    spec = panel(frame, a_look(unit="score", low=50, high=80, dark=True), subject="gale").to_dict()
    assert {row["subject"] for row in points(spec)} == {"gale"}
    assert spec["layer"][-1]["encoding"]["y"]["scale"]["domain"] == [50, 80]


def test_rates_keep_the_order_given_and_leave_out_what_is_unknown() -> None:
    frame = pd.DataFrame(
        [
            ("harbor", 57.0, 45.0, 67.0, 58, 59.0),
            ("atlas", 50.0, 9.0, 91.0, 2, None),
            ("gale", None, None, None, 0, 40.0),
        ],
        columns=["subject", "rate", "low", "high", "n", "previous"],
    )
    spec = rates(frame, a_look(unit="% of predictions", show=percent)).to_dict()
    harbor, atlas, gale = points(spec)
    assert spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == ["harbor", "atlas", "gale"]
    assert harbor["count"] == "n = 58"
    assert harbor["interval"] == "45.0% … 67.0%"
    assert "low" not in atlas
    assert "previous" not in atlas
    assert "rate" not in gale


def test_coverage_names_the_share_once_and_the_counts_in_a_column_of_their_own() -> None:
    rows = [("atlas", 63, 68), ("harbor", 1, 1), ("gale", 0, 0)]
    spec = coverage(pd.DataFrame(rows, columns=["subject", "part", "whole"]), a_look()).to_dict()
    assert [row["percent"] for row in points(spec)] == ["93%", "100%", "–"]
    assert [row["counts"] for row in points(spec)] == ["63 of 68", "1 of 1", ""]
    share, counts = layers(spec, "text")
    assert (share["encoding"]["text"]["field"], counts["encoding"]["text"]["field"]) == ("percent", "counts")
    assert share["mark"]["align"] == counts["mark"]["align"] == "right"
    assert counts["mark"]["color"] == theme.LIGHT.muted


def strokes(small: Sparkline) -> list[dict[str, str]]:
    return [dict(part.attrib) for part in ElementTree.fromstring(small.svg)]


def test_a_sparkline_ends_in_the_colour_of_its_verdict() -> None:
    small = sparkline(weeks("", [70, 71, None, 73, 74]), a_look(), tone="declined")
    _first_band, band, *lines = strokes(small)
    assert [part["stroke"] for part in lines[-2:]] == [theme.LIGHT.declined] * 2
    assert {part["stroke"] for part in lines[:-2]} == {theme.LIGHT.muted}
    assert band["fill"] == theme.LIGHT.faint
    assert [part["d"].count("L") for part in lines] == [
        1,
        1,
        1,
        1,
    ]  # a line a segment, the last step, the dot


def test_a_sparkline_keeps_a_place_for_a_period_without_a_value() -> None:
    small = sparkline(weeks("", [70, 71, None, 73, 74]), a_look())
    assert [bool(told) for told in small.told] == [True, True, False, True, True]
    assert [told.split(": ")[1].split(" ")[0] for told in small.told if told] == [
        "70.0",
        "71.0",
        "73.0",
        "74.0",
    ]
    across = [float(part["d"][1:].split(" ")[0]) for part in strokes(small) if "stroke" in part]
    steps = (1000 - 2 * 12) / 5
    assert across[-1] == pytest.approx(12 + 4.5 * steps, abs=0.1)  # the last dot, in the middle of its strip


def test_a_sparkline_of_nothing_and_of_one_period_is_a_picture() -> None:
    assert strokes(sparkline(weeks("", [70]).iloc[:0], a_look(dark=True))) == []
    line, dot = strokes(sparkline(weeks("", [70]), a_look(dark=True)))
    assert line["d"] == dot["d"]
    page = sparkline(weeks("", [70]).iloc[:0], a_look()).html()
    assert page.count("<span") == 0 and 'alt=""' in page


def test_what_a_sparkline_says_cannot_break_out_of_the_page() -> None:
    page = Sparkline("<svg/>", ['"><script>', ""]).html()
    assert "<script>" not in page and "&quot;&gt;&lt;script&gt;" in page


def test_config_and_pictures_have_the_same_colours() -> None:
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
    for mode, colours in (("light", theme.LIGHT), ("dark", theme.DARK)):
        assert config[mode]["chartCategoricalColors"] == colours.category
        assert config[mode]["backgroundColor"] == colours.page
        assert config[mode]["textColor"] == colours.text
        assert config[mode]["borderColor"] == colours.border


def test_a_picture_carries_its_colours_and_its_title() -> None:
    chart = trend(weeks("atlas", [70, 71]), a_look(highlighted=["atlas"], unit="score"))
    spec = picture(chart, title="Score by week")
    assert colours(spec) == {"atlas": theme.LIGHT.category[0]}
    assert spec["title"]["text"] == "Score by week"
    assert spec["config"]["axis"]["labelColor"] == theme.LIGHT.muted


def test_domains_are_round_and_ticks_inside() -> None:
    assert y_domain([57.2, 79.8]) == (55, 80)
    assert y_domain([3.0, 3.0])[0] < 3 < y_domain([3.0, 3.0])[1]
    assert y_domain([40.0], 0, 100) == (0, 100)
    assert y_ticks(55, 80) == [55, 60, 65, 70, 75, 80]


def test_ticks_are_days_mondays_or_months() -> None:
    assert next(iter(x_ticks(date(2026, 11, 11), date(2026, 11, 17)).values())) == "11 Nov"
    assert all(day.weekday() == 0 for day in x_ticks(date(2026, 10, 19), date(2026, 11, 17)))
    months = list(x_ticks(date(2026, 11, 16), date(2027, 3, 1)).values())
    assert months == ["Dec", "Jan 2027", "Feb", "Mar"]


@pytest.mark.parametrize("years", [3, 30, 201])
def test_long_times_have_few_ticks_evenly_apart(years: int) -> None:
    days = list(x_ticks(date(1900, 1, 1), date(1900 + years, 1, 1) - timedelta(days=1)))
    assert 2 <= len(days) <= 13
    assert (
        len(
            {
                later.year * 12 + later.month - day.year * 12 - day.month
                for day, later in itertools.pairwise(days)
            }
        )
        == 1
    )


def test_numbers_and_periods_are_written_as_people_write_them() -> None:
    assert number(-2870.25) == "−2,870.2"
    assert period_name(date(2026, 11, 9), "week") == "9 – 15 Nov 2026"
    assert period_name(date(2026, 9, 28), "week") == "28 Sep – 4 Oct 2026"
    assert period_name(date(2026, 11, 16), "day") == "16 Nov 2026"


def rings(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if {"filter": "datum.restated"} in layer.get("transform", [])]


@pytest.mark.parametrize("dark", [False, True])
def test_a_restated_point_has_a_ring_and_tells_what_it_was(dark: bool) -> None:
    frame = weeks("atlas", [60, 61, 62]).assign(restated=[None, "71.2 before", None])
    both = pd.concat([frame, weeks("borealis", [50, 51, 52]).assign(restated="1.0 before")])
    look = a_look(dark=dark, highlighted=["atlas"])
    for spec in (trend(both, look).to_dict(), panel(both, look, subject="atlas").to_dict()):
        (ring,) = rings(spec)
        assert ring["mark"]["color"] == theme.palette(dark).restated
        rows = spec["datasets"][ring["data"]["name"]]
        assert [row["text"] for row in rows if "restated" in row] == ["61.0 (restated: 71.2 before)"]
        tips = [tip["field"] for layer in spec["layer"] for tip in layer["encoding"].get("tooltip", [])]
        assert "restated" not in tips, (
            "of most points there is nothing to tell, and the browser would print it"
        )


def test_without_restated_points_there_is_no_layer_for_them() -> None:
    assert rings(drawn(weeks("atlas", [60, 61, 62]))) == []


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed(value) for value in (-0.04, 0.04, -0.06, 1234.5)] == ["0.0", "0.0", "−0.1", "+1,234.5"]
