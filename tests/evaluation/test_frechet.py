"""The Fréchet distance against what is known of it, and stored statistics as files from outside."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.evaluation.frechet import (
    MOST_DIMENSIONS,
    Accumulator,
    Axes,
    Gaussian,
    StatisticsError,
    frechet_distance,
    frechet_interval,
    read_statistics,
    write_statistics,
)

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden" / "fad"
PUBLISHED = {
    "multi_noenv": 3.353,
    "multi": 3.730,
    "wavspec": 9.058,
    "stft": 24.974,
    "griffin_lim_of_originals": 1.261,
    "looperman_2000": 12.129,
}


def cloud(count: int, dimension: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, dimension)) @ rng.standard_normal((dimension, dimension)) + rng.random(dimension)


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_reproduces_the_published_statistics(name):
    if not GOLDEN.exists():
        pytest.skip("the published statistics are not beside this checkout")
    originals = read_statistics(GOLDEN / "originals.npz")
    assert frechet_distance(read_statistics(GOLDEN / f"{name}.npz"), originals) == pytest.approx(
        PUBLISHED[name], abs=5e-4
    )


def test_nothing_lies_between_a_gaussian_and_itself():
    one = Gaussian.of(cloud(50, 8))
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-9)


def test_it_is_the_same_both_ways():
    one, two = Gaussian.of(cloud(60, 6)), Gaussian.of(cloud(80, 6, seed=1))
    assert frechet_distance(one, two) == pytest.approx(frechet_distance(two, one))
    assert frechet_distance(one, two) > 0.1


def test_diagonal_gaussians_have_a_closed_form():
    rng = np.random.default_rng(2)
    means, variances = rng.standard_normal((2, 7)), rng.random((2, 7))
    expected = np.square(means[0] - means[1]).sum() + np.square(np.sqrt(variances[0]) - np.sqrt(variances[1])).sum()
    one, two = (Gaussian(mean, np.diag(variance)) for mean, variance in zip(means, variances, strict=True))
    assert frechet_distance(one, two) == pytest.approx(expected)


def test_a_turned_space_changes_nothing():
    a, b = cloud(60, 5), cloud(60, 5, seed=3)
    turn = np.linalg.qr(np.random.default_rng(4).standard_normal((5, 5)))[0]
    plain = frechet_distance(Gaussian.of(a), Gaussian.of(b))
    assert frechet_distance(Gaussian.of(a @ turn), Gaussian.of(b @ turn)) == pytest.approx(plain)


def test_covariances_without_full_rank_are_no_trouble():
    few = cloud(4, 30)
    assert frechet_distance(Gaussian.of(few), Gaussian.of(few + 2.0)) == pytest.approx(4.0 * 30)


def test_other_dimensions_are_refused():
    with pytest.raises(StatisticsError, match="5 and 6 dimensions"):
        frechet_distance(Gaussian.of(cloud(9, 5)), Gaussian.of(cloud(9, 6)))


@pytest.mark.parametrize("sizes", [(100,), (1, 99), (40, 0, 13, 47)])
def test_a_stream_gives_what_a_batch_gives(sizes):
    points = cloud(100, 6) + 1e5  # far from 0, where sums of squares would lose digits
    accumulator = Accumulator(6)
    for piece in np.split(points, np.cumsum(sizes)[:-1]):
        accumulator.add(piece)
    found = accumulator.result()
    np.testing.assert_allclose(found.mean, points.mean(axis=0))
    np.testing.assert_allclose(found.covariance, np.cov(points, rowvar=False), rtol=1e-6)
    assert found.count == 100


def test_one_point_is_no_gaussian():
    with pytest.raises(StatisticsError, match="1 embeddings"):
        Gaussian.of(np.zeros((1, 3)))


def test_axes_hold_the_most_variance_first():
    points = np.random.default_rng(0).standard_normal((400, 3)) * [1.0, 5.0, 0.1]
    axes = Axes.of(Gaussian.of(points), 2)
    assert np.abs(axes.directions[:, 0]).argmax() == 1
    assert np.abs(axes.directions[:, 1]).argmax() == 0
    assert axes.share == pytest.approx(26 / 26.01, abs=1e-3)
    projected = axes.project(points[:, None, :])
    assert projected.shape == (400, 1, 2)
    assert projected.mean(axis=(0, 1)) == pytest.approx([0, 0], abs=1e-9)


def test_all_axes_together_change_nothing():
    a, b = cloud(60, 5), cloud(60, 5, seed=3)
    axes = Axes.of(Gaussian.of(a), 5)
    turned = [Gaussian.of(axes.project(side)) for side in (a, b)]
    assert frechet_distance(*turned) == pytest.approx(frechet_distance(Gaussian.of(a), Gaussian.of(b)))


class TestInterval:
    def test_it_covers_what_other_bars_give(self):
        """Of 40 sets of bars, most must lie in the interval that one set of them tells."""
        rng = np.random.default_rng(1)

        def sides() -> tuple[np.ndarray, np.ndarray]:
            reference = rng.standard_normal((60, 1, 3))
            return reference * 1.3 + 0.6 + 0.5 * rng.standard_normal((60, 1, 3)), reference

        intervals = [frechet_interval(*sides(), seed=n, paired=True, resamples=80) for n in range(40)]
        middle = np.median([interval.value for interval in intervals])
        covered = sum(interval.low <= middle <= interval.high for interval in intervals)
        assert 33 <= covered <= 40
        assert all(interval.low < interval.value < interval.high for interval in intervals)
        assert intervals[0].loops == 60

    def test_the_value_is_the_plain_distance(self):
        a, b = cloud(40, 4).reshape(20, 2, 4), cloud(40, 4, seed=1).reshape(20, 2, 4)
        found = frechet_interval(a, b, seed=0, paired=False, resamples=10)
        assert found.value == pytest.approx(
            frechet_distance(Gaussian.of(a.reshape(-1, 4)), Gaussian.of(b.reshape(-1, 4)))
        )

    def test_bars_of_one_loop_are_drawn_together(self):
        """Ten copies of each bar tell no more than one of them."""
        few = cloud(30, 2).reshape(30, 1, 2)
        many, other = np.repeat(few, 10, axis=0), np.repeat(few * 1.5 + 1, 10, axis=0)
        loose = frechet_interval(other, many, seed=0, paired=True)
        tied = frechet_interval(other, many, seed=0, paired=True, groups=np.repeat(np.arange(30), 10))
        assert tied.high - tied.low > 2 * (loose.high - loose.low)

    def test_a_pair_that_is_the_same_has_no_width(self):
        same = cloud(30, 3).reshape(30, 1, 3)
        found = frechet_interval(same, same, seed=0, paired=True, resamples=20)
        assert found.value == pytest.approx(0, abs=1e-9)
        assert found.high == pytest.approx(0, abs=1e-6)
        loose = frechet_interval(same, same, seed=0, paired=False, resamples=20)
        assert loose.high > 1e-3

    def test_no_pairs(self):
        with pytest.raises(ValueError, match="2 and 3 bars"):
            frechet_interval(np.zeros((2, 1, 2)), np.zeros((3, 1, 2)), seed=0, paired=True)


class TestStored:
    def test_what_is_written_is_read(self, tmp_path):
        gaussian = Gaussian.of(cloud(50, 6))
        write_statistics(tmp_path / "a.npz", gaussian)
        found = read_statistics(tmp_path / "a.npz")
        np.testing.assert_array_equal(found.mean, gaussian.mean)
        np.testing.assert_allclose(found.covariance, gaussian.covariance)
        assert found.count == 50

    def bad(self, path: Path, mu: object, sigma: object, match: str, **more: object) -> None:
        np.savez(path, mu=mu, sigma=sigma, **more)
        with pytest.raises(StatisticsError, match=match) as caught:
            read_statistics(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    @pytest.mark.parametrize(
        ("mu", "sigma", "match"),
        [
            (np.zeros(3), np.eye(4), "no Gaussian"),
            (np.zeros((3, 1)), np.eye(3), "no Gaussian"),
            (np.zeros(0), np.zeros((0, 0)), "no Gaussian"),
            (np.zeros(3, int), np.eye(3), "int64"),
            (np.zeros(3), np.eye(3, dtype=complex), "complex"),
            (np.array([0, np.nan, 0]), np.eye(3), "no numbers"),
            (np.zeros(3), np.full((3, 3), np.inf), "no numbers"),
            (np.zeros(2), np.array([[1.0, 0.5], [0.0, 1.0]]), "not symmetric"),
            (np.zeros(2), np.array([[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalues"),
        ],
    )
    def test_what_is_no_gaussian_is_refused(self, tmp_path, mu, sigma, match):
        self.bad(tmp_path / "bad.npz", mu, sigma, match)

    def test_pickles_are_not_opened(self, tmp_path):
        self.bad(tmp_path / "bad.npz", np.array([{}], object), np.eye(1), "ValueError")

    def test_a_missing_array_is_named(self, tmp_path):
        np.savez(tmp_path / "a.npz", mu=np.zeros(2))
        with pytest.raises(StatisticsError, match="holds no sigma"):
            read_statistics(tmp_path / "a.npz")

    def test_what_would_fill_the_memory_is_not_unpacked(self, tmp_path):
        path = tmp_path / "bomb.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mu.npy", b"")
            archive.writestr("sigma.npy", bytes(17 * MOST_DIMENSIONS * (MOST_DIMENSIONS + 2)))
        assert path.stat().st_size < 1e6
        with pytest.raises(StatisticsError, match="too large"):
            read_statistics(path)

    def test_a_header_that_lies_about_its_size(self, tmp_path):
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
        path = tmp_path / "liar.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mu.npy", head.getvalue() + bytes(16))
            archive.writestr("sigma.npy", head.getvalue())
        with pytest.raises(StatisticsError, match="damaged"):
            read_statistics(path)

    @pytest.mark.parametrize("content", [b"", b"mu", b"PK\x03\x04 nothing more"])
    def test_other_files_are_refused(self, tmp_path, content):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(StatisticsError, match=r"not statistics in \.npz form"):
            read_statistics(tmp_path / "x.npz")

    def test_no_file(self, tmp_path):
        with pytest.raises(StatisticsError, match="cannot be read"):
            read_statistics(tmp_path / "none.npz")
