"""Intervals and correlations on rows with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loopnet_cli.evaluation.statistics import bootstrap, mean_of, median_of, ratio_of_means, share_of, spearman


def test_interval_of_a_mean_has_the_width_of_theory():
    rows = np.random.default_rng(0).normal(5.0, 2.0, 400)
    found = mean_of(rows, seed=1)
    assert found.value == pytest.approx(rows.mean())
    assert found.loops == 400
    assert found.high - found.low == pytest.approx(2 * 1.96 * rows.std() / 20, rel=0.1)
    assert found.low < found.value < found.high


def test_same_seed_same_interval_other_seed_other_interval():
    rows = np.arange(20.0)
    assert mean_of(rows, seed=1) == mean_of(rows, seed=1)
    assert mean_of(rows, seed=1) != mean_of(rows, seed=2)


def test_loops_that_lack_the_measure_do_not_count():
    found = median_of([1.0, float("nan"), 3.0, 2.0], seed=0)
    assert (found.value, found.loops) == (2.0, 3)


def test_no_rows_give_nothing_rather_than_a_figure():
    found = mean_of([], seed=0)
    assert math.isnan(found.value)
    assert found.loops == 0


def test_ratio_draws_pairs_together():
    bottom = np.random.default_rng(0).uniform(1, 10, 50)
    found = ratio_of_means(list(0.7 * bottom), list(bottom), seed=0)
    assert found.value == pytest.approx(0.7)
    # each loop's ratio is the same, so whatever is drawn the ratio is
    assert found.high - found.low < 1e-9


def test_bootstrap_draws_whole_rows():
    rows = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    found = bootstrap(rows, lambda drawn: np.abs(drawn[..., 0] - drawn[..., 1]).sum(axis=1), seed=0)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_share_of_all_is_not_certain():
    found = share_of([True] * 10, seed=0)
    assert found.value == 1.0
    assert 0.6 < found.low < 0.8  # Wilson: 0.722
    assert share_of([True] * 1000, seed=0).low > 0.99


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [([1, 2, 3, 4], [10, 20, 30, 40], 1.0), ([1, 2, 3, 4], [1, 8, 27, 64], 1.0), ([1, 2, 3], [3, 2, 1], -1.0)],
)
def test_spearman_looks_at_order_alone(x, y, expected):
    assert spearman(np.array(x), np.array(y)) == pytest.approx(expected)


def test_spearman_of_a_constant_is_unknown():
    assert math.isnan(spearman(np.array([1.0, 2.0]), np.array([5.0, 5.0])))
