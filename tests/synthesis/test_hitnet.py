from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis.hitnet import HOP, SAMPLE_RATE, HitNet, Strokes, noise_bands, warp
from loopnet_cli.synthesis.sound import Sounder

from .conftest import SMALL, small_weights


def batch(net: HitNet, seed: int = 3) -> tuple[np.ndarray, list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.normal(0, 1, (5, SMALL.code)).astype(np.float32)
    return codes, [VOICES[i] for i in (0, 1, 4, 6, 9)], rng.uniform(0.1, 1, 5).astype(np.float32)


def test_numpy_and_torch_predict_the_same_strokes(net: HitNet) -> None:
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.network import HitNet as TorchHitNet

    other = TorchHitNet(SMALL)
    weights = small_weights()
    other.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    codes, voices, velocities = batch(net)
    indices = torch.tensor([VOICES.index(voice) for voice in voices])
    with torch.no_grad():
        expected = other.parameters_of(torch.from_numpy(codes), indices, torch.from_numpy(velocities))
    for ours, theirs in zip(HitNet(SMALL, weights).strokes(codes, voices, velocities), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-5)


def test_a_stroke_does_not_depend_on_those_asked_for_with_it(net: HitNet) -> None:
    codes, voices, velocities = batch(net)
    whole = net.strokes(codes, voices, velocities)
    for row in range(len(voices)):
        for rows in ([row], [row, 0, 3]):
            some = net.strokes(codes[rows], [voices[i] for i in rows], velocities[rows])
            assert all(np.array_equal(part[0], full[row]) for part, full in zip(some, whole, strict=True))


def test_sounding_equals_the_training_synthesis(net: HitNet) -> None:
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.network import oscillator_bank, synthesise

    strokes = net.strokes(*batch(net))
    sounder = Sounder(SMALL)
    audio = sounder.sound(strokes, offset=7)
    count = 100
    tones = oscillator_bank(SMALL, count * HOP).reshape(-1, count, HOP).transpose(1, 0, 2)
    basis = torch.from_numpy(np.concatenate([sounder._noise[7 : 7 + count], tones], axis=1))
    parts = [torch.from_numpy(np.ascontiguousarray(part)) for part in strokes]
    expected = synthesise(*parts, basis, torch.from_numpy(warp(SMALL, count))).numpy()
    np.testing.assert_allclose(audio[:, : count * HOP], expected, atol=1e-4)


def test_warp_reads_frames_at_their_own_age() -> None:
    matrix = warp(SMALL, 400)
    assert np.allclose(matrix.sum(axis=0), 1)
    ages = np.minimum(np.arange(401) * HOP / SAMPLE_RATE, SMALL.frame_seconds[-1])
    # log age is linear over frames: reading the frame index gives the warped age back
    frames = np.log1p(ages / SMALL.scale) / SMALL.growth
    np.testing.assert_allclose(np.arange(SMALL.frames) @ matrix, frames, atol=1e-3)


def test_equal_gains_on_the_noise_bands_give_flat_noise() -> None:
    samples = 1 << 16
    bands = noise_bands(SMALL, samples, np.random.default_rng(0))
    octaves = np.log(20000 / 60)
    density = np.sqrt(SMALL.band_hertz * octaves / (SMALL.bands - 1) / (SAMPLE_RATE / 2) * 2 / 3)
    spectrum = np.abs(np.fft.rfft((bands * density[:, None]).sum(axis=0))) ** 2
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    levels = [10 * np.log10(spectrum[(hertz > a) & (hertz < a * 1.2)].mean()) for a in np.geomspace(200, 15000, 20)]
    assert np.ptp(levels) < 2.5


def test_a_stroke_starts_at_its_onset(net: HitNet) -> None:
    tones = np.zeros((1, 2 * SMALL.oscillators, SMALL.frames), np.float32)
    tones[0, SMALL.oscillators + 3] = 0.5  # a cosine: full level from the first sample
    silent = np.full((1, SMALL.bands, SMALL.frames), -12, np.float32)
    audio = Sounder(SMALL).sound(Strokes(silent, tones, np.zeros((1, SMALL.burst), np.float32)), offset=0)[0]
    hertz = SMALL.tone_hertz[3]
    expected = 0.5 * np.cos(2 * np.pi * hertz * np.arange(4000) / SAMPLE_RATE)
    np.testing.assert_allclose(audio[:4000], expected, atol=1e-3)


def test_tuning_moves_the_oscillators() -> None:
    tones = np.zeros((1, 2 * SMALL.oscillators, SMALL.frames), np.float32)
    tones[0, 8] = 0.5
    silent = np.full((1, SMALL.bands, SMALL.frames), -12, np.float32)
    strokes = Strokes(silent, tones, np.zeros((1, SMALL.burst), np.float32))
    audio = Sounder(SMALL).sound(strokes, offset=0, tuning=1.25)[0][: 1 << 16]
    peak = np.argmax(np.abs(np.fft.rfft(audio * np.hanning(len(audio))))) * SAMPLE_RATE / len(audio)
    assert peak == pytest.approx(1.25 * SMALL.tone_hertz[8], rel=0.01)
