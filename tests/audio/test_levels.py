"""Levels against an independent implementation, published coefficients, and signals whose level is known."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.audio import levels
from loopnet_cli.controls import Loop
from loopnet_cli.errors import UsageError


def drumlike(seconds: float, rate: int = 44100, seed: int = 0) -> np.ndarray:
    """Decaying noise bursts four times a second, over a circle."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    out = np.zeros(n)
    for start in range(0, n, rate // 4):
        burst = rng.standard_normal(rate // 8) * np.exp(-np.arange(rate // 8) / (0.02 * rate))
        np.add.at(out, (start + np.arange(len(burst))) % n, burst * rng.uniform(0.2, 1))
    return (0.5 * out / np.abs(out).max()).astype(np.float32)


def loop_of(audio: np.ndarray) -> Loop:
    half = (0.5 * audio).astype(np.float32)
    return Loop(audio, {"kick": half, "rest": audio - half}, 44100, 120.0, 1, (4, 4), 0)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.8461, 3.37])
@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_loudness_is_that_of_the_loop_played_for_long(seconds, rate):
    pyloudnorm = pytest.importorskip("pyloudnorm")
    audio = drumlike(seconds, rate)
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    repeated = np.tile(audio, int(60 / seconds)).astype(np.float64)
    assert levels.loudness(audio, rate) == pytest.approx(meter.integrated_loudness(repeated), abs=0.1)


def test_loudness_of_two_channels_adds_their_power():
    pyloudnorm = pytest.importorskip("pyloudnorm")
    audio = np.stack([drumlike(2), 0.3 * drumlike(2, seed=1)], axis=1)
    expected = pyloudnorm.Meter(44100, filter_class="DeMan").integrated_loudness(np.tile(audio, (20, 1)))
    assert levels.loudness(audio, 44100) == pytest.approx(expected, abs=0.1)


def test_gate_leaves_out_the_quiet_half():
    pyloudnorm = pytest.importorskip("pyloudnorm")
    audio = np.concatenate([drumlike(4), 0.01 * drumlike(4)]).astype(np.float32)
    expected = pyloudnorm.Meter(44100, filter_class="DeMan").integrated_loudness(np.tile(audio, 8))
    assert levels.loudness(audio, 44100) == pytest.approx(expected, abs=0.1)
    assert levels.loudness(audio, 44100) > levels.loudness(drumlike(4), 44100) - 1.0


def test_k_weighting_has_the_coefficients_of_the_standard():
    shelf, high_pass = levels.k_weighting(48000)
    # ITU-R BS.1770-4, tables 1 and 2
    assert shelf[0] == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285), abs=1e-7)
    assert shelf[1] == pytest.approx((1.0, -1.69065929318241, 0.73248077421585), abs=1e-7)
    assert high_pass[0] == pytest.approx((1.0, -2.0, 1.0))
    assert high_pass[1] == pytest.approx((1.0, -1.99004745483398, 0.99007225036621), abs=1e-7)


def test_a_sine_of_997_hz_reads_3_01_below_full_scale():
    rate, seconds = 48000, 1
    sine = np.sin(2 * np.pi * 997 * np.arange(rate * seconds) / rate).astype(np.float32)
    assert levels.loudness(sine, rate) == pytest.approx(-3.01, abs=0.02)


def test_true_peak_finds_what_lies_between_samples():
    # a quarter of the sample rate, 45 degrees off: samples reach 0.707 of the peak
    sine = np.sin(np.pi / 2 * np.arange(400) + np.pi / 4).astype(np.float32)
    assert levels.sample_peak(sine) == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert levels.true_peak(sine) == pytest.approx(1.0, abs=2e-3)


def test_true_peak_is_the_same_wherever_the_circle_is_cut():
    audio = drumlike(0.5)
    turned = [levels.true_peak(np.roll(audio, shift)) for shift in (0, 1, 7, len(audio) // 2)]
    assert turned == pytest.approx([turned[0]] * 4, rel=1e-6)


def test_loudness_is_nearly_the_same_wherever_the_circle_is_cut():
    audio = drumlike(1.0)
    turned = [levels.loudness(np.roll(audio, shift), 44100) for shift in (0, 1000, 12345)]
    assert max(turned) - min(turned) < 0.1


def test_loop_shorter_than_the_interpolator():
    assert levels.true_peak(np.array([0.5, -0.5, 0.25], np.float32)) >= 0.5
    assert np.isfinite(levels.loudness(np.array([0.5, -0.5, 0.25], np.float32), 44100))


def test_clipped_and_dc():
    audio = np.array([1.0, -1.0, 1.01, -2.0, 0.0], np.float32)
    assert levels.clipped_samples(audio) == 2
    assert levels.dc_offset(audio) == pytest.approx(audio.mean(), abs=1e-6)
    stereo = np.stack([np.full(10, 0.1), np.full(10, -0.3)], axis=1).astype(np.float32)
    assert levels.dc_offset(stereo) == pytest.approx(-0.3)


def test_silence_has_a_number_and_is_left_alone():
    silence = np.zeros(44100, np.float32)
    found = levels.measure(silence, 44100)
    assert (found.peak, found.true_peak_db, found.loudness_lufs, found.clipped) == (0, -120.0, -120.0, 0)
    for mode in levels.NORMALIZE_MODES:
        out, warning = levels.normalize(loop_of(silence), mode)
        assert not out.audio.any() and warning is None


@pytest.mark.parametrize("target", [None, -6.0])
def test_peak_mode_reaches_its_target_and_keeps_the_sum_of_stems(target):
    loop, warning = levels.normalize(loop_of(drumlike(1)), "peak", target)
    assert levels.true_peak_db(loop.audio) == pytest.approx(-1.0 if target is None else target, abs=0.01)
    assert warning is None
    np.testing.assert_allclose(sum(loop.stems.values()), loop.audio, atol=1e-6)


def test_lufs_mode_reaches_its_target():
    loop, warning = levels.normalize(loop_of(drumlike(1)), "lufs", -30.0)
    assert levels.loudness(loop.audio, 44100) == pytest.approx(-30.0, abs=0.01)
    assert warning is None
    np.testing.assert_allclose(sum(loop.stems.values()), loop.audio, atol=1e-6)


def test_lufs_mode_stops_at_the_peak_limit_and_says_so():
    loop, warning = levels.normalize(loop_of(drumlike(1)), "lufs", -3.0)
    assert levels.true_peak_db(loop.audio) == pytest.approx(levels.PEAK_TARGET_DB, abs=0.01)
    reached = levels.loudness(loop.audio, 44100)
    assert warning is not None and f"{reached:.1f} LUFS instead of -3" in warning


def test_none_changes_nothing():
    loop = loop_of(drumlike(1))
    assert levels.normalize(loop, "none")[0] is loop


@pytest.mark.parametrize(
    ("text", "expected"),
    [("peak", ("peak", None)), ("LUFS:-16", ("lufs", -16.0)), ("peak:-0.5", ("peak", -0.5))],
)
def test_parse_normalize(text, expected):
    assert levels.parse_normalize(text) == expected


@pytest.mark.parametrize("text", ["rms", "none:-3", "peak:3", "peak:", "lufs:loud", "lufs:nan", "lufs:-90"])
def test_parse_normalize_refuses(text):
    with pytest.raises(UsageError, match="--normalize"):
        levels.parse_normalize(text)
