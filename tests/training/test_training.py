from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from loopnet_cli.analysis.normalise import Normalisation  # noqa: E402
from loopnet_cli.controls import TIMBRE_NAMES  # noqa: E402
from loopnet_cli.data.corpus import Instrument  # noqa: E402
from loopnet_cli.data.processing import Treatment  # noqa: E402
from loopnet_cli.data.splits import held_out  # noqa: E402
from loopnet_cli.pattern import VOICES  # noqa: E402
from loopnet_cli.synthesis import descriptor  # noqa: E402
from loopnet_cli.synthesis.bank import DEFAULT_KIT  # noqa: E402
from loopnet_cli.synthesis.hitnet import HitNetConfig  # noqa: E402
from loopnet_cli.synthesis.shaping import ACTUATORS  # noqa: E402
from loopnet_cli.synthesis.timbrenet import TimbreNet  # noqa: E402
from loopnet_cli.training import bank, hits, pool, timbre  # noqa: E402
from loopnet_cli.training.checkpoint import read_hits  # noqa: E402
from loopnet_cli.training.losses import SIZES, spectral_distance  # noqa: E402

# matrices this small only wait for a second thread
torch.set_num_threads(1)

SMALL = HitNetConfig(code=6, bands=16, oscillators=12, burst=64, channels=(8, 8), condition=16)


def noise(seed: int, samples: int = 8192) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, samples, generator=generator) * torch.exp(-torch.arange(samples) / 2000) * 0.3


def drum(hertz: float = 200.0, layers: int = 1) -> Instrument:
    time = np.arange(6000) / 44100
    strokes = [np.exp(-time * 40) * np.sin(2 * np.pi * hertz * time) * (i + 1) / layers for i in range(layers)]
    return Instrument("toy", "kick", tuple(stroke.astype(np.float32) for stroke in strokes))


@pytest.mark.parametrize("size", SIZES)
def test_distance_is_zero_for_the_same_and_prefers_noise_to_silence(size: int) -> None:
    target = noise(0)
    assert float(spectral_distance(target, target, size)) == pytest.approx(0, abs=1e-4)
    other, quiet = noise(1), noise(1) * 0.05
    assert float(spectral_distance(other, target, size)) < float(spectral_distance(quiet, target, size))


def test_distance_counts_octaves_not_bins() -> None:
    time = torch.arange(16384) / 44100
    base = noise(3, 16384)
    low, high = (base + 0.2 * torch.sin(2 * torch.pi * hertz * time) for hertz in (100.0, 10000.0))
    assert float(spectral_distance(low, base, 1024)) > 1.5 * float(spectral_distance(high, base, 1024))


def test_descriptor_tells_pitch_and_decay_and_not_level() -> None:
    base = descriptor.describe(drum().loudest)
    assert base.shape == (descriptor.SIZE,) and np.isfinite(base).all()
    np.testing.assert_allclose(base, descriptor.describe(drum().loudest * 0.1), atol=0.02)
    assert np.abs(base - descriptor.describe(drum(hertz=220.0).loudest)).max() > 0.2
    assert np.isfinite(descriptor.describe(np.zeros(10, np.float32))).all()


def test_strokes_are_at_a_peak_of_one_and_follow_from_the_generator() -> None:
    for layers in (1, 4):
        first = pool.make_stroke(drum(layers=layers), Treatment(), np.random.default_rng(5))
        again = pool.make_stroke(drum(layers=layers), Treatment(), np.random.default_rng(5))
        assert np.abs(first.audio).max() == pytest.approx(1, abs=1e-3)
        assert 0 < first.velocity <= 1
        assert first.audio.tobytes() == again.audio.tobytes() and first.velocity == again.velocity


def test_a_pool_survives_the_disk(tmp_path: Path) -> None:
    strokes = [pool.make_stroke(drum(100.0 + i), Treatment(), np.random.default_rng(i)) for i in range(3)]
    pool.save_pool(strokes, tmp_path / "pool.npz")
    for before, after in zip(strokes, pool.load_pool(tmp_path / "pool.npz"), strict=True):
        np.testing.assert_array_equal(before.audio, after.audio)
        np.testing.assert_array_equal(before.descriptor, after.descriptor)
        assert (before.voice, before.velocity) == (after.voice, pytest.approx(after.velocity))


def test_training_learns_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strokes = [pool.make_stroke(drum(60.0 + 30 * i), Treatment(), np.random.default_rng(i)) for i in range(24)]
    monkeypatch.setattr(hits, "make_pool", lambda *_, **__: strokes)
    settings = {"variants": 1, "seed": 0, "rate": 5e-3, "every": 20, "pool_cache": tmp_path, "config": SMALL}
    hits.train(tmp_path, tmp_path / "run", steps=20, **settings)
    hits.train(tmp_path, tmp_path / "run", steps=60, **settings)
    rows = list(csv.reader((tmp_path / "run" / "hits.csv").open()))
    assert [int(row[0]) for row in rows] == [20, 40, 60]
    assert float(rows[-1][3]) < float(rows[0][3])
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["config"]["bands"] == SMALL.bands
    net = read_hits(tmp_path / "run" / "hits.pt")
    assert net.config == SMALL
    assert net.encode(strokes[0].descriptor[None]).shape == (1, SMALL.code)


def test_the_hand_learns_to_move_what_is_asked() -> None:
    rng = np.random.default_rng(0)
    count = 600
    profiles = rng.normal(0, 1, (count, 8)).astype(np.float32)
    settings = np.stack([timbre.draw_actuators(rng) for _ in range(count)])
    mixing = rng.normal(0, 0.5, (len(ACTUATORS), len(TIMBRE_NAMES)))
    raw = (50 + 10 * profiles[:, :1] + 20 * settings @ mixing).astype(np.float32)
    unit = Normalisation(dict.fromkeys(TIMBRE_NAMES, 0.0), dict.fromkeys(TIMBRE_NAMES, 100.0))
    weights, report = timbre.fit({"profile": profiles, "actuators": settings, "raw": raw}, unit, seed=1, steps=500)
    assert np.median([report[name] for name in TIMBRE_NAMES]) > 0.6
    net = TimbreNet(weights)
    right = 0
    for index in range(len(TIMBRE_NAMES)):
        moved = []
        for change in (-0.3, 0.3):
            wish = np.zeros(len(TIMBRE_NAMES), np.float32)
            wish[index] = change
            moved.append(float(net.actuators(profiles[0], wish) @ mixing[:, index]))
        right += moved[1] > moved[0]
    assert right >= 18, "of 21 features moved in the direction asked"


def recipes() -> list[dict[str, object]]:
    return json.loads((Path(bank.__file__).parent / "bank_recipe.json").read_text(encoding="utf-8"))


def test_the_bank_has_enough_kits_and_none_of_the_held_out_sounds() -> None:
    names = [recipe["name"] for recipe in recipes()]
    assert len(names) == len(set(names)) >= 24
    assert DEFAULT_KIT in names
    for recipe in recipes():
        sources = {*recipe["base"], *(s.split(":")[0] for s in recipe.get("voices", {}).values())}
        assert not sources & held_out("kits"), recipe["name"]
        assert recipe["description"]
        Treatment(**recipe.get("treatment", {}))


def test_the_reference_pattern_uses_the_usual_voices() -> None:
    pattern = bank.reference_pattern()
    assert {"kick", "snare", "hat_closed", "hat_open", "tom"} <= set(pattern.voices) <= set(VOICES)
    assert pattern.bars == 1 and pattern.tempo == 110
