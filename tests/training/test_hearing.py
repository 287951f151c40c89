"""What the transcriber learns from, and that it learns."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from loopnet_cli.analysis.candidates import PICTURE, ROWS, Candidates  # noqa: E402
from loopnet_cli.analysis.ear import EarConfig  # noqa: E402
from loopnet_cli.analysis.judge import OUTPUTS, JudgeConfig  # noqa: E402
from loopnet_cli.analysis.spectrogram import BANDS, WINDOWS, band_powers  # noqa: E402
from loopnet_cli.analysis.transcriber import load_transcriber  # noqa: E402
from loopnet_cli.data.corpus import Instrument  # noqa: E402
from loopnet_cli.pattern import VOICES  # noqa: E402
from loopnet_cli.training import judge, judge_data, package_ear, transcriber  # noqa: E402
from loopnet_cli.training.clips import FRAMES, Clip, layered, load_part, save_part  # noqa: E402
from loopnet_cli.training.hearing_loss import heard_once, white_noise  # noqa: E402
from loopnet_cli.training.synthetic import synthetic_kit  # noqa: E402
from loopnet_cli.training.synthetic_notes import KEYS, synthetic_notes  # noqa: E402

EAR = EarConfig(front=(3, 4), width=8, dilations=(1, 2), contexts=(1,), heads=2)
JUDGE = JudgeConfig(width=20, layers=1, heads=4, picture=8)


def clip_of(seed: int) -> Clip:
    """Kicks low down and closed hats high up, clear for all to see."""
    rng = np.random.default_rng(seed)
    powers = np.full((len(WINDOWS), BANDS, FRAMES), -8.0)
    hits = []
    for start in range(10, FRAMES - 20, 40):
        voice = str(rng.choice(["kick", "hat_closed"]))
        bands = slice(0, 20) if voice == "kick" else slice(50, 72)
        velocity = float(rng.uniform(0.3, 1))
        powers[:, bands, start : start + 12] = np.log10(velocity) - 1 - 0.3 * np.arange(12)
        hits.append((start + 0.2, VOICES.index(voice), velocity))
    tonal = np.full((BANDS, FRAMES), -9.0, np.float16)
    return Clip(powers.astype(np.float16), tonal, np.array(hits, np.float32))


def candidates_at(frames: list[int]) -> Candidates:
    count = len(frames)
    zeros = np.zeros((count, ROWS), np.float32)
    return Candidates(
        np.array(frames), np.zeros((count, 8), np.float32), np.zeros((count, OUTPUTS), np.float32),
        np.zeros((count, PICTURE), np.float32), zeros, zeros,
    )  # fmt: skip


def test_a_synthetic_kit_has_every_voice_and_follows_from_the_generator() -> None:
    one, same, other = (synthetic_kit("kit", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert set(one) == set(VOICES)
    for voice, drums in one.items():
        for drum, twin, stranger in zip(drums, same[voice], other[voice], strict=True):
            stroke = drum.loudest
            assert np.abs(stroke).max() == pytest.approx(1, abs=1e-6)
            assert len(stroke) < 3 * 44100
            assert np.array_equal(stroke, twin.loudest)
            assert not np.array_equal(stroke[:400], stranger.loudest[:400])


def test_synthetic_drums_lie_where_such_drums_do() -> None:
    def centroid(audio: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(audio[:8192], 8192)) ** 2
        return float((power * np.fft.rfftfreq(8192, 1 / 44100)).sum() / power.sum())

    kits = [synthetic_kit("kit", np.random.default_rng(seed)) for seed in range(12)]
    heights = {voice: np.median([centroid(kit[voice][0].loudest) for kit in kits]) for voice in VOICES}
    assert heights["kick"] < heights["tom"] < heights["snare"] < heights["hat_closed"]
    closed, opened = ([len(kit[v][0].loudest) for kit in kits] for v in ("hat_closed", "hat_open"))
    assert np.all(np.array(closed) < opened)


def test_synthetic_notes_are_tuned_and_follow_from_the_generator() -> None:
    for seed in range(4):
        notes, same = (synthetic_notes(np.random.default_rng(seed)) for _ in range(2))
        assert np.diff(sorted(notes)).tolist() == np.diff(KEYS).tolist()
        lowest = min(notes)
        spectra = {}
        for key, note in notes.items():
            assert np.array_equal(note, same[key])
            assert np.abs(note).max() == pytest.approx(1, abs=1e-6)
            spectra[key] = np.abs(np.fft.rfft(note[4410:48510] * np.hanning(44100), 1 << 19))
        # a third higher, whatever it sounds like: over a logarithmic axis the spectrum is shifted by as much
        axis = np.arange(24.0, 100.0, 0.05)
        bins = 440 * 2 ** ((axis - 69) / 12) / 44100 * (1 << 19)
        low, high = (np.interp(bins, np.arange(len(s)), s) for s in (spectra[lowest], spectra[lowest + 3]))
        likeness = [float(low[200:-200] @ high[200 + shift : len(axis) - 200 + shift]) for shift in range(-100, 101)]
        assert abs((int(np.argmax(likeness)) - 100) * 0.05 - 3) < 0.11


def test_noise_of_training_fluctuates_as_noise_does() -> None:
    powers = band_powers(np.random.default_rng(9).standard_normal(441 * 2000).astype(np.float32), 0, 2000)[:, :, 5:-5]
    ours = white_noise()

    def spread(x: np.ndarray) -> np.ndarray:
        return x.std(axis=2) / x.mean(axis=2)

    def steadiness(x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=2, keepdims=True)
        return (centred[:, :, 1:] * centred[:, :, :-1]).mean(axis=2) / np.square(centred).mean(axis=2)

    assert np.allclose(ours[0].mean(axis=1), 1, atol=1e-4)
    loud = powers.mean(axis=2)
    assert np.allclose(ours[1].mean(axis=1), loud[1] / loud[0], rtol=0.25)
    assert np.abs(spread(ours) - spread(powers)).max() < 0.25
    # neighbouring frames of the long window share most of their samples, those of the short one none
    assert np.abs(steadiness(ours) - steadiness(powers)).max() < 0.2
    assert steadiness(ours)[0].mean() > 0.3 > 0.1 > steadiness(ours)[1].mean()


def test_layered_drums_keep_their_strokes_from_soft_to_hard() -> None:
    rng = np.random.default_rng(3)
    first = Instrument(
        "a", "snare", tuple(np.float32(level) * rng.standard_normal(400).astype(np.float32) for level in (0.1, 0.5, 1))
    )
    second = Instrument("b", "snare", (rng.standard_normal(900).astype(np.float32),))
    for seed in range(6):
        both = layered(first, second, np.random.default_rng(seed))
        assert [len(stroke) for stroke in both.layers] == [900] * 3
        assert both.voice == "snare"
        assert all(np.isfinite(stroke).all() for stroke in both.layers)


def test_each_stroke_belongs_to_the_nearest_candidate_or_to_none() -> None:
    candidates = candidates_at([10, 16, 50])
    hits = np.array([[12.9, 0, 0.5], [13.2, 1, 0.7], [49, 0, 0.2], [51, 0, 0.9], [80, 4, 1.0]], np.float32)
    velocities = judge_data.struck_at(candidates, hits)
    assert velocities[0, 0] == np.float32(0.5)
    assert velocities[1, 1] == np.float32(0.7)
    assert velocities[2, 0] == np.float32(0.9)  # the harder of two
    assert np.count_nonzero(velocities) == 3
    assert judge_data.struck_at(candidates_at([]), hits).shape == (0, len(VOICES))


def test_a_clip_is_heard_whole_or_in_part_with_its_hits_moved() -> None:
    clip = clip_of(1)
    for seed in range(20):
        x, hits = heard_once(clip, [clip], np.random.default_rng(seed), 200)
        assert x.shape == (len(WINDOWS), BANDS, 200)
        assert x.dtype == np.float32
        if len(hits):
            assert np.allclose(np.diff(hits[:, 0]), np.diff(clip.hits[:, 0]), atol=1e-3)
    assert heard_once(clip, [clip], np.random.default_rng(0))[0].shape[2] == FRAMES


def test_from_clips_to_weights_that_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, found, released = tmp_path / "pool", tmp_path / "candidates", tmp_path / "weights"
    pool.mkdir()
    released.mkdir()
    save_part([clip_of(seed) for seed in range(24)], pool / "train_1_000000.npz")
    save_part([clip_of(seed) for seed in range(100, 104)], pool / "dev_1_000000.npz")
    assert np.allclose(load_part(pool / "dev_1_000000.npz")[2].hits, clip_of(102).hits)
    transcriber.train(
        pool, tmp_path / "ear", transcriber.Recipe(steps=200, batch=4, frames=192, rate=5e-3, threads=1), EAR
    )

    monkeypatch.setattr("sys.argv", ["judge_data", str(tmp_path / "ear"), str(pool), "--out", str(found)])
    judge_data.main()
    items = judge_data.load_struck(found / "train_1_000000_1.npz")
    assert len(items) == 24
    assert max(int((item.velocities > 0).sum()) for item in items) >= 8

    recipe = judge.Recipe(steps=20, batch=8, rate=3e-3, threads=1)
    judge.train(found, tmp_path / "judge", recipe, JUDGE)
    before = torch.load(tmp_path / "judge" / "judge.pt", weights_only=True)
    judge.train(found, tmp_path / "judge", judge.Recipe(**{**recipe.__dict__, "steps": 150}), JUDGE)
    after = torch.load(tmp_path / "judge" / "judge.pt", weights_only=True)
    assert (before["step"], after["step"]) == (20, 150)
    with (tmp_path / "judge" / "judge.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["20", "150"]
    assert float(rows[1]["dev_presence"]) < float(rows[0]["dev_presence"])

    report = package_ear.package(tmp_path / "ear", tmp_path / "judge", pool, released)
    assert report["kick"]["f"] > 0.8
    recipe_kept = json.loads((released / "training" / "ear.json").read_text())
    assert recipe_kept["judge"]["steps"] == 150
    ears = load_transcriber(released)
    assert ears.judge is not None
    silence = ears.transcribe(np.zeros(44100, np.float32), 44100)
    assert silence.activations.shape == (100, 3)
