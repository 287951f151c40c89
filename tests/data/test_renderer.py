from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.audio.mixing import compress, place, saturate
from loopnet_cli.data.corpus import Corpus, Instrument
from loopnet_cli.data.processing import Treatment, apply_treatment, draw_treatment, soften
from loopnet_cli.data.renderer import BarRenderer, Drum, choked, render_voices
from loopnet_cli.data.splits import held_out
from loopnet_cli.pattern import VOICES, Hit, Pattern

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_material = pytest.mark.skipif(not SHARED.is_dir(), reason=f"training material not found at {SHARED}")


def click(seconds: float = 0.2, hertz: float = 400.0) -> np.ndarray:
    time = np.arange(int(seconds * 44100)) / 44100
    return (np.exp(-time * 30) * np.cos(2 * np.pi * hertz * time)).astype(np.float32)


def corpus() -> Corpus:
    kit = {voice: [Instrument("toy", voice, (click(hertz=200.0 + 150 * i),))] for i, voice in enumerate(VOICES)}
    return Corpus({"toy": kit, "other": dict(kit)}, {"bass": {36: click(0.5, 65.4), 40: click(0.5, 82.4)}})


class Fixed:
    """Grooves that always play the same pattern."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern

    def draw(self, rng: np.random.Generator, *, bars: int = 1) -> Pattern:
        return self.pattern


PATTERN = Pattern((Hit(0.0, "kick", 1.0), Hit(1.503, "snare", 0.6), Hit(3.9, "hat_closed", 0.9)), tempo=101.0)


def renderer(seed: int = 1, tonal: float = 0.0) -> BarRenderer:
    return BarRenderer(corpus(), Fixed(PATTERN), seed=seed, tonal=tonal)  # type: ignore[arg-type]


def test_hits_are_sample_exact_and_wrap() -> None:
    drum = Drum(Instrument("toy", "kick", (np.ones(3000, np.float32),)), Treatment(), 1.0)
    pattern = Pattern((Hit(3.99, "kick", 1.0),), tempo=150.0)
    voice = render_voices(pattern, {"kick": drum})["kick"]
    onset = pattern.onset_samples()[0]
    assert voice[onset] > 0.5 and voice[onset - 1] == 0
    assert voice[0] > 0.5, "the tail sounds over the first beat"


def test_a_bar_is_the_same_for_the_same_seed_and_number() -> None:
    first, again, other = renderer().bar(3), renderer().bar(3), renderer().bar(4)
    assert first.audio.tobytes() == again.audio.tobytes()
    assert first.audio.tobytes() != other.audio.tobytes()


@pytest.mark.parametrize("number", range(6))
def test_stems_sum_to_the_bar_and_it_is_exact(number: int) -> None:
    bar = renderer(seed=2, tonal=1.0).bar(number)
    total = np.sum(list(bar.voices.values()), axis=0) + bar.tonal
    np.testing.assert_allclose(total, bar.audio, atol=1e-5)
    assert len(bar.audio) == PATTERN.samples()
    assert 0.4 < np.abs(bar.audio).max() <= 1.0
    assert bar.tonal.any()


def test_place_wraps_more_than_once() -> None:
    circle = np.zeros(10, np.float32)
    place(circle, np.ones(25, np.float32), 7)
    assert circle.tolist() == [3, 3, 2, 2, 2, 2, 2, 3, 3, 3]


def test_compression_lowers_loud_parts_without_a_step_at_the_wrap() -> None:
    mix = np.concatenate([0.05 * np.ones(20000), np.ones(20000)]).astype(np.float32)
    gain = compress(mix, threshold_db=-20, ratio=4)
    assert gain[35000] < 0.5 * gain[19000]
    assert abs(gain[0] - gain[-1]) < 0.02


def test_saturation_bends_peaks_only() -> None:
    gain = saturate(np.array([0.01, 0.5, 1.0], np.float32), drive=1.0)
    assert gain[2] == pytest.approx(1.0, abs=1e-4)
    assert gain[0] > gain[1] > gain[2]


def test_choked_strokes_end() -> None:
    stroke = choked(np.ones(20000, np.float32), 5000)
    assert len(stroke) == 5000 + 661 and stroke[-1] == 0 and stroke[4999] == 1


def test_treatments_keep_the_onset_and_stay_finite() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        treated = apply_treatment(click(), draw_treatment(rng))
        assert np.isfinite(treated).all()
        assert np.argmax(np.abs(treated) > 0.05 * np.abs(treated).max()) < 60


def test_tuning_shifts_the_pitch() -> None:
    tuned = apply_treatment(click(1.0, 400.0), Treatment(semitones=12))
    assert np.argmax(np.abs(np.fft.rfft(tuned, 44100))) == pytest.approx(800, abs=12)


def test_soft_strokes_are_duller_at_the_same_peak() -> None:
    noise = np.random.default_rng(0).standard_normal(20000).astype(np.float32)
    soft = soften(noise, 0.2)
    tilt = [np.abs(np.fft.rfft(x))[8000:].mean() / np.abs(np.fft.rfft(x))[:300].mean() for x in (noise, soft)]
    assert tilt[1] < 0.8 * tilt[0]
    assert np.abs(soft).max() == pytest.approx(np.abs(noise).max(), rel=1e-3)


@pytest.mark.parametrize("family", ["gogodze2_", "muldjord_", "fs_", "own_synth", "fluid_", ("dm_tr808", "om_tr808b")])
@needs_material
def test_families_stay_on_one_side(family: str | tuple[str, ...]) -> None:
    kits = [path.name for path in (SHARED / "oneshots").iterdir() if path.name.startswith(family)]
    assert len({name in held_out("kits") for name in kits}) == 1


@needs_material
def test_held_out_names_exist_and_the_validation_split_is_among_them() -> None:
    grooves = {path.name for path in (SHARED / "grooves").glob("*.mid")}
    assert held_out("grooves") <= grooves
    rows = (SHARED / "grooves" / "grooves.csv").read_text(encoding="utf-8").splitlines()
    validation = {row.split(",")[0] for row in rows if ",validation," in row}
    assert validation and validation <= held_out("grooves")
    assert held_out("kits") <= {path.name for path in (SHARED / "oneshots").iterdir()}
    assert held_out("loops") <= {path.name for path in (SHARED / "loops").glob("*.flac")}
