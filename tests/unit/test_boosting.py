"""What can be learnt is learnt and put to use; noise is not; the same rows give the same model."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.formulas import openmp
from jobs.formulas.boosting import Scored, Trees, moves, train, usable_rows
from jobs.formulas.features import Bars, features
from jobs.formulas.promotion import NO_BETTER, NO_BETTER_THAN_BEFORE, NOT_CLEARLY, why_kept
from tests.prices import bars, closes


@pytest.fixture(scope="module")
def learnable() -> Bars:
    return bars(closes(momentum=0.8))


@pytest.fixture(scope="module")
def scored(learnable: Bars) -> Scored:
    return train(learnable, 1)


def test_a_good_signal_is_learnt(scored: Scored) -> None:
    assert scored.mae < 0.8 * scored.mae_no_change
    assert scored.hit_rate > 0.7
    assert scored.p < 0.001
    assert why_kept(scored) is None
    assert [fold.rows for fold in scored.folds] == [29] * 5
    assert scored.rows == 299
    assert scored.folds[-1].mae == scored.mae


def test_noise_is_not_put_to_use() -> None:
    """Without the guard luck alone would put some of them to use."""
    found = [train(bars(closes(seed=seed)), 1) for seed in range(20, 32)]
    assert [why_kept(one) for one in found].count(None) == 0
    unguarded = [why_kept(one, guarded=False) for one in found]
    assert 0 < unguarded.count(None) < len(found)


def test_the_model_is_the_one_that_was_scored(learnable: Bars, scored: Scored) -> None:
    newest = slice(len(learnable) - 30, len(learnable) - 1)  # but the last bar, whose target is to come
    said = moves(scored.trees, features(learnable)[newest])
    was = np.diff(np.log(learnable.close))[newest.start :]
    assert np.abs(said - was)[: scored.folds[-1].rows].mean() == pytest.approx(scored.mae)
    assert scored.trees.trained_until < scored.folds[-1].first


def test_the_same_rows_give_the_same_model(learnable: Bars, scored: Scored) -> None:
    assert train(learnable, 1) == scored


def test_the_model_in_use_is_scored_on_the_same_days(learnable: Bars, scored: Scored) -> None:
    again = train(learnable, 1, scored.trees)
    assert again.mae_before == scored.mae
    assert why_kept(again) == NO_BETTER_THAN_BEFORE
    knew = replace(scored.trees, trained_until=scored.folds[-1].first)
    assert train(learnable, 1, knew).mae_before is None


def test_why_a_model_is_kept(scored: Scored) -> None:
    assert why_kept(replace(scored, mae=scored.mae_no_change)) == NO_BETTER
    assert why_kept(replace(scored, mae_before=scored.mae)) == NO_BETTER_THAN_BEFORE
    assert why_kept(replace(scored, mae_before=scored.mae + 1e-9)) is None
    for p in (0.051, np.nan):
        assert why_kept(replace(scored, p=p)) == NOT_CLEARLY
        assert why_kept(replace(scored, p=p), guarded=False) is None


def test_prices_below_zero_are_left_out_and_the_rest_is_learnt(learnable: Bars) -> None:
    close = learnable.close.copy()
    close[200] = -37.63
    found = replace(learnable, close=close)
    assert usable_rows(found, 1) == usable_rows(learnable, 1) - 2
    assert why_kept(train(found, 1)) is None


def test_a_price_that_stands_still_and_rows_that_are_too_few() -> None:
    still = train(bars(np.full(320, 5.0)), 1)
    assert why_kept(still) == NO_BETTER
    with pytest.raises(ValueError, match="too few"):
        train(bars(closes(25)), 1)


def test_all_values_known_or_some(learnable: Bars) -> None:
    rng = np.random.default_rng(0)
    close = learnable.close
    known = replace(learnable, high=close * 1.01, low=close * 0.99, volume=rng.uniform(0, 2, len(close)))
    known.volume[::3] = np.nan
    known.volume[1::3] = 0
    assert train(known, 3).p < 0.05


OTHER_MACHINE = """
import ctypes, pathlib, sys
import jobs.formulas.openmp as openmp
library = pathlib.Path(sys.argv[1])
needed = b"libgomq.so.1"  # which no machine has
content = pathlib.Path(sys.argv[2], "lib", "lib_lightgbm.so").read_bytes()
library.write_bytes(content.replace(b"libgomp.so.1", needed))
try:
    ctypes.CDLL(str(library))
except OSError as error:
    assert needed.decode() in str(error)
    assert openmp.load_bundled(needed.decode())
    ctypes.CDLL(str(library))
    print("loaded")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere LightGBM asks for another library")
def test_a_machine_without_openmp_has_that_of_scikit_learn(tmp_path: Path) -> None:
    lightgbm = openmp.lightgbm()
    arguments = [str(tmp_path / "lib_lightgbm.so"), str(Path(lightgbm.__file__).parent)]
    done = subprocess.run(
        [sys.executable, "-c", OTHER_MACHINE, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "loaded\n", done.stderr


def test_trees_survive_their_text(scored: Scored, learnable: Bars) -> None:
    x = features(learnable).tail(3)
    assert moves(Trees(scored.trees.booster, 1.0, 0), x) * scored.trees.scale == pytest.approx(
        moves(scored.trees, x)
    )
