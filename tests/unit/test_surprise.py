"""The strip of surprises: where a dot stands, and which are named."""

import pandas as pd

from reports.charts.look import Look
from reports.charts.surprise import NAMED, PLOT, WIDEST, WORDS, surprise

QUIET = "no clear change"


def drawn(rows):
    frame = pd.DataFrame(rows, columns=["name", "signed", "verdict"]).assign(told="+1.0")
    return surprise(frame, Look(dark=False)).to_dict()


def values(spec, kind):
    (data,) = [layer["data"] for layer in spec["layer"] if layer["mark"]["type"] == kind]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def dots(spec):
    return values(spec, "circle")


def test_the_zone_holds_every_change_that_is_not_clear():
    spec = drawn([("a", 5.3, "improved"), ("b", -3.4, QUIET), ("c", 1.0, QUIET)])
    (zone,) = values(spec, "rect")
    assert zone["x"] < -3.4 and zone["x2"] > 3.4 and zone["x2"] < 5.3
    assert zone["told"] == "no clear change: 2 of 3"
    assert [dot["named"] for dot in dots(spec)] == [True, False, False]


def test_equal_surprises_stand_on_each_other_and_no_noise_stands_at_the_edge():
    spec = drawn([("far", 99.0, "improved"), *((str(k), 0.5, QUIET) for k in range(5))])
    assert [dot["y"] for dot in dots(spec)] == [1, 1, 2, 3, 4, 5]
    assert dots(spec)[0]["x"] == WIDEST


def test_names_are_for_a_few_and_do_not_meet():
    spec = drawn([(f"a model with a long name {k}", 6 - k * 0.1, "improved") for k in range(12)])
    named = [dot for dot in dots(spec) if dot["named"]]
    assert len(named) == NAMED
    assert len({dot["y"] for dot in named[:4]}) == 4


def test_names_of_equal_surprises_have_room_for_their_letters_beside_a_high_pile():
    twins = [("all answers, Answer score", 4.1, "improved"), ("assistant-2, Answer score", 4.1, "improved")]
    spec = drawn([*twins, *((str(k), 0.0, QUIET) for k in range(20))])
    (y,) = {layer["encoding"]["y"]["scale"]["domain"][1] for layer in spec["layer"][2:]}
    first, second = (dot["y"] for dot in dots(spec) if dot["named"])
    assert abs(first - second) / y * PLOT >= 12


def test_a_week_without_any_clear_change():
    spec = drawn([("a", 0.0, QUIET)])
    assert spec["layer"][1]["encoding"]["x"]


def test_however_high_the_pile_it_stays_below_the_words():
    for many in (1, 5, 87, 4_000):
        spec = drawn([(str(k), 0.0, QUIET) for k in range(many)])
        (y,) = {layer["encoding"]["y"]["scale"]["domain"][1] for layer in spec["layer"][2:]}
        highest = max(dot["y"] for dot in dots(spec))
        assert (y - highest) / y * PLOT > WORDS
