"""Loops from paper models: any tempo, meter and length; knobs in their units; drums alone; recordings as curves."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from tiny_paper import HIGH, LOW, write_tiny

from loopnet_cli.analysis.envelope import envelope
from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.analysis.transcription import Transcription
from loopnet_cli.audio import stretch
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob
from loopnet_cli.errors import AudioError, PatternError, UsageError
from loopnet_cli.pattern import VOICES, Hit, Pattern
from loopnet_cli.synthesis import paperloop
from loopnet_cli.synthesis.curves import pattern_activations
from loopnet_cli.synthesis.paper import PaperModel
from loopnet_cli.synthesis.paperloop import PaperPlayer, kept_curves, needs_stretching, pattern_curves
from loopnet_cli.synthesis.papernet import PAPER_MODELS, PAPER_SAMPLES
from loopnet_cli.synthesis.papertransfer import blended_features, heard_curves, heard_kit

# the studio's units: half as wide as those of the tiny models
UNITS = Normalisation(LOW, {name: LOW[name] + 25.0 for name in TIMBRE_NAMES})
KIT = Kit(
    "plain",
    "plain",
    dict.fromkeys(VOICES, (0.0,)),
    dict.fromkeys(VOICES, 0.5),
    dict.fromkeys(TIMBRE_NAMES, 0.5),
    (1.0,) + (0.5,) * 11,
)
needs_program = pytest.mark.skipif(not stretch.has_rubberband(), reason="rubberband is not installed")


def beat(tempo: float = 130.0, bars: int = 1, meter: tuple[int, int] = (4, 4)) -> Pattern:
    hits = []
    for bar in range(bars):
        start = bar * meter[0] * 4 / meter[1]
        hits += [Hit(start, "kick", 1.0), Hit(start + 1, "snare", 0.8), Hit(start + 0.5, "hat_closed", 0.5)]
    return Pattern(tuple(hits), bars, meter, tempo)


@pytest.fixture
def player(tmp_path):
    def made(model: str = "multi", **rest) -> PaperPlayer:
        return PaperPlayer(PaperModel.load(write_tiny(tmp_path / f"{model}.safetensors", model, **rest)), UNITS)

    return made


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_a_bar_at_the_papers_tempo_needs_no_stretching(player, model, monkeypatch):
    monkeypatch.setattr(stretch, "PROGRAM", "no-such-program")
    loop = player(model).render(beat(), kit=KIT, seed=1)
    assert loop.audio.shape == (81415,) and loop.audio.dtype == np.float32 and loop.sample_rate == 44100
    assert np.abs(loop.audio).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
    assert abs(loop.audio.mean()) < 1e-3 and not loop.stems
    assert loop.settings["model"] == model and len(str(loop.settings["model_sha256"])) == 64


@needs_program
@pytest.mark.parametrize(
    "pattern", [beat(97.3), beat(174, 3), beat(120, 2, (7, 8)), beat(60, 1, (3, 4)), beat(129.99)], ids=str
)
def test_any_tempo_meter_and_length_is_exact(player, pattern):
    loop = player().render(pattern, kit=KIT, seed=1)
    assert loop.audio.shape == (pattern.samples(44100),)
    assert (loop.tempo, loop.bars, loop.meter) == (pattern.tempo, pattern.bars, pattern.meter)


@needs_program
def test_the_seam_is_no_click(player):
    audio = player().render(beat(110, 2), kit=KIT, seed=1).audio
    steps = np.abs(np.diff(np.concatenate([audio[-4000:], audio[:4000]])))
    assert steps[3999] <= np.percentile(steps, 99.5)


@needs_program
def test_the_seed_is_all_there_is_of_chance(player):
    first, again, other = (player().render(beat(100), kit=KIT, seed=seed).audio for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_nothing_lies_above_8_khz(player):
    audio = player().render(beat(), kit=KIT, seed=1).audio
    power = np.abs(np.fft.rfft(audio)) ** 2
    assert power[round(8000 * len(audio) / 44100) + 1 :].sum() < 1e-8 * power.sum()


def test_without_the_program_other_tempos_are_told_in_one_line(player, monkeypatch):
    monkeypatch.setattr(stretch, "PROGRAM", "no-such-program")
    assert needs_stretching(beat(120)) and not needs_stretching(beat(130, 4))
    with pytest.raises(AudioError, match="sudo apt install rubberband-cli"):
        player().render(beat(120), kit=KIT)


def given(player: PaperPlayer, monkeypatch, **asked) -> dict[str, np.ndarray]:
    """Return what the model is given for a bar."""
    seen = {}
    bars = player.model.bars

    def spy(activations, envelope, chroma, timbre, **rest):
        seen.update(activations=activations, envelope=envelope, chroma=chroma, timbre=timbre, **rest)
        return bars(activations, envelope, chroma, timbre, **rest)

    monkeypatch.setattr(player.model, "bars", spy)
    seen["loop"] = player.render(**{"pattern": beat(), "kit": KIT, **asked})
    return seen


def test_a_kit_is_turned_into_points_and_then_into_the_models_units(player, monkeypatch):
    one = player()
    seen = given(one, monkeypatch)
    # half of the studio's range of 25 points
    wanted = [LOW[name] + 12.5 for name in TIMBRE_NAMES]
    np.testing.assert_allclose(seen["timbre"][0], wanted, atol=1e-3)
    assert set(seen["loop"].settings["timbre_asked"].values()) == {0.25}
    np.testing.assert_array_equal(seen["chroma"][0], np.array(KIT.chroma, np.float32))


def test_knobs_are_in_the_models_units_absolute_or_on_top_of_the_kit(player, monkeypatch):
    knobs = {"low.depth": Knob(0.9), "high.sharpness": Knob(-0.1, relative=True)}
    seen = given(player(), monkeypatch, timbre=knobs, chroma=[0.25] * 12)
    points = dict(zip(TIMBRE_NAMES, seen["timbre"][0], strict=True))
    assert points["low.depth"] == pytest.approx(LOW["low.depth"] + 0.9 * 50, abs=1e-3)
    assert points["high.sharpness"] == pytest.approx(LOW["high.sharpness"] + 0.15 * 50, abs=1e-3)
    assert points["mid.warmth"] == pytest.approx(LOW["mid.warmth"] + 12.5, abs=1e-3)
    assert seen["chroma"][0].tolist() == [0.25] * 12
    asked = seen["loop"].settings["timbre_asked"]
    assert (asked["low.depth"], asked["high.sharpness"], asked["mid.warmth"]) == (0.9, 0.15, 0.25)
    assert player().normalisation.to_unit(LOW) == dict.fromkeys(TIMBRE_NAMES, 0.0) and HIGH


def test_the_pattern_becomes_activations_and_an_envelope_at_130_bpm(player, monkeypatch):
    seen = given(player(), monkeypatch, pattern=replace(beat(), tempo=130.0))
    activations = seen["activations"][0]
    assert activations.shape == (PAPER_SAMPLES, 3)
    quarter = PAPER_SAMPLES / 4
    for column, (place, velocity) in enumerate(((0, 1.0), (quarter, 0.8), (quarter / 2, 0.5))):
        peak = int(np.argmax(activations[:, column]))
        assert min(peak - place, peak - place + PAPER_SAMPLES, key=abs) == pytest.approx(0, abs=40)
        assert activations[:, column].max() == pytest.approx(velocity, abs=0.03)
    # the first beat's bump goes round the seam
    assert activations[-1, 0] > 0.9
    assert seen["envelope"].shape == (1, PAPER_SAMPLES)


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_one_loop_is_rendered_once(player, monkeypatch, model):
    # the published code renders a loop as a batch of sixteen copies of it
    one, rendered = player(model), []
    network = one.model._network
    monkeypatch.setattr(one.model, "_network", lambda *asked: rendered.append(asked) or network(*asked))
    seen = given(one, monkeypatch)
    assert len(rendered) == 1 and rendered[0][0].ndim == 2
    assert seen["activations"].shape == (1, PAPER_SAMPLES, 3)


def test_every_bar_of_a_pattern_is_drawn_as_the_first_one():
    one, four = pattern_curves(beat()), pattern_curves(beat(bars=4))
    np.testing.assert_allclose(four.activations, np.tile(one.activations, (4, 1)), atol=1e-5)
    turned = pattern_curves(beat(bars=4).rotated(1.0))
    quarter = PAPER_SAMPLES // 4
    np.testing.assert_allclose(np.roll(four.activations, quarter, axis=0), turned.activations, atol=0.08)


def test_many_bars_do_not_drift():
    pattern = Pattern((Hit(4 * 63 + 2, "kick", 1.0),), 64)
    curves = pattern_curves(pattern)
    assert len(curves.activations) == 64 * PAPER_SAMPLES
    assert np.argmax(curves.activations[:, 0]) == pytest.approx(63.5 * PAPER_SAMPLES, abs=20)
    assert needs_stretching(replace(pattern, tempo=131.0)) and not needs_stretching(replace(pattern, tempo=130.0))


def test_the_model_without_envelope_is_given_none(player, monkeypatch):
    assert given(player("multi-noenv"), monkeypatch)["envelope"] is None


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"timbre": {"low.gloss": Knob(0.5)}}, "unknown timbre feature"),
        ({"chroma": [0.5] * 11}, "12 numbers, not 11"),
        ({"seed": -1}, "negative"),
        ({"pattern": Pattern(())}, "no hits to render"),
        ({"pattern": Pattern((Hit(0, "tom"),))}, "kick, snare and hat alone"),
    ],
)
def test_what_cannot_be_rendered(player, asked, told):
    with pytest.raises(UsageError, match=told):
        player().render(**{"pattern": beat(), "kit": KIT, **asked})


def test_drums_it_does_not_know_are_warned_of(player):
    pattern = replace(beat(), hits=(*beat().hits, Hit(2, "tom"), Hit(3, "ride")))
    assert player().warnings(beat()) == ()
    (told,) = player("multi").warnings(pattern)
    assert told.startswith("tom, ride shape the envelope at most")
    (told,) = player("multi-noenv").warnings(pattern)
    assert told.startswith("tom, ride are not heard")


# -- drums alone -------------------------------------------------------------------------------------------------------


def test_alone_is_with_the_other_activations_silenced_and_the_envelope_drawn_anew():
    pattern = beat()
    curves = kept_curves(pattern, pattern.only(["snare"]))
    assert not curves.activations[:, 0].any() and not curves.activations[:, 2].any()
    np.testing.assert_array_equal(curves.activations[:, 1], pattern_curves(pattern).activations[:, 1])
    assert curves.envelope[:3000].max() < 1e-3 < curves.envelope[PAPER_SAMPLES // 4 + 200]


def test_alone_and_whole_have_one_gain(player):
    one, pattern = player(), beat()
    alone, whole = one.render_alone(pattern, pattern.only(["kick"]), kit=KIT, seed=1)
    assert np.array_equal(whole.audio, one.render(pattern, kit=KIT, seed=1).audio)
    curves = kept_curves(pattern, pattern.only(["kick"]))
    by_hand = one.render(pattern, kit=KIT, seed=1, curves=curves).audio
    assert not np.allclose(alone.audio, whole.audio, atol=1e-3)
    # the same up to its level
    scale = np.dot(alone.audio, by_hand) / np.dot(by_hand, by_hand)
    np.testing.assert_allclose(alone.audio, by_hand * scale, atol=1e-5)
    assert alone.settings["isolate"] == ["kick"] and "isolate" not in whole.settings


def test_a_drum_that_is_kept_whole_keeps_what_was_heard_of_it():
    pattern = replace(beat(), hits=(*beat().hits, Hit(3, "clap", 0.9)))
    heard = paperloop.Curves(np.full((PAPER_SAMPLES, 3), 0.3, np.float32), np.ones(PAPER_SAMPLES, np.float32))
    kicks = kept_curves(pattern, pattern.only(["kick"]), heard).activations
    assert np.all(kicks == np.array([0.3, 0, 0], np.float32))
    drawn = kept_curves(pattern, pattern.only(["clap"]), heard).activations[:, 1]
    assert drawn.max() > 0.85 and np.argmax(drawn) == pytest.approx(0.75 * PAPER_SAMPLES, abs=40)


def test_a_drum_that_it_does_not_know_cannot_be_left_alone():
    pattern = Pattern((Hit(0, "kick"), Hit(1, "tom")))
    with pytest.raises(PatternError, match=r"no tom to be left alone: .*kick, snare and hat alone"):
        kept_curves(pattern, pattern.only(["tom"]))


# -- recordings --------------------------------------------------------------------------------------------------------


def heard(pattern: Pattern, rate: int = 44100, level: float = 0.2):
    """What would be heard in a recording of a pattern: bumps, and bursts of noise."""
    seconds = pattern.seconds
    activations = pattern_activations(pattern)
    audio = np.zeros(round(seconds * rate), np.float32)
    burst = np.random.default_rng(0).standard_normal(2000).astype(np.float32) * np.exp(-np.arange(2000) / 300)
    for hit in pattern.hits:
        places = round(hit.beat / pattern.beats * len(audio)) + np.arange(2000)
        audio[places % len(audio)] += level * hit.velocity * burst / np.abs(burst).max()
    section = SimpleNamespace(start=1.0, end=1.0 + seconds, tempo=pattern.tempo, bars=pattern.bars, meter=pattern.meter)
    transcription = Transcription((), activations, np.zeros((len(activations), 10), np.float32), seconds)
    return SimpleNamespace(section=section, transcription=transcription, audio=audio.astype(np.float32))


@pytest.mark.parametrize("tempo", [84.0, 130.0, 171.3])
def test_heard_activations_are_brought_to_130_bpm(tempo):
    pattern = beat(tempo, 2)
    curves = heard_curves(heard(pattern), 2)
    assert curves.activations.shape == (2 * PAPER_SAMPLES, 3)
    written = pattern_curves(pattern)
    for column in range(3):
        assert abs(int(np.argmax(curves.activations[:, column])) % 29538 - int(
            np.argmax(written.activations[:, column])
        ) % 29538) in (*range(80), *range(29538 - 80, 29538))  # fmt: skip
        assert curves.activations[:, column].max() == pytest.approx(written.activations[:, column].max(), abs=0.15)
    assert np.abs(curves.envelope).max() <= 0.7 + 1e-3
    # loud where strokes are: within 15 ms of each the envelope is near its highest
    for hit in pattern.hits:
        at = round(hit.beat / pattern.beats * len(curves.envelope))
        assert curves.envelope[at : at + 240].max() > 0.5 * hit.velocity * curves.envelope.max()


def test_at_130_bpm_the_envelope_is_that_of_the_recording():
    recording = heard(beat(130.0), rate=16000)
    recording.audio = recording.audio[:PAPER_SAMPLES]
    scaled = recording.audio * (0.7 / np.abs(recording.audio).max())
    np.testing.assert_allclose(heard_curves(recording, 1).envelope, envelope(scaled, 16000), atol=1e-4)


def test_fewer_bars_are_the_first_ones_and_more_are_repeated():
    pattern = replace(beat(120, 2), hits=(Hit(0, "kick"), Hit(5, "snare")))
    recording = heard(pattern)
    one, three = heard_curves(recording, 1), heard_curves(recording, 3)
    assert one.activations[:, 0].max() > 0.5 and one.activations[:, 1].max() < 0.01
    assert three.activations[: len(one.activations), 0].max() > 0.5
    third = three.activations[-20000:]
    assert third[:, 0].max() < 0.6 and third[:, 1].max() < 0.01
    assert three.activations[29538:58000, 1].max() > 0.5


def test_what_is_heard_sounds_in_the_recordings_features():
    points = {name: LOW[name] + 5 for name in TIMBRE_NAMES}
    kit = heard_kit("bells", points, [0.5] * 12, UNITS)
    assert kit.timbre["low.depth"] == pytest.approx(0.2) and kit.chroma == (0.5,) * 12 and kit.name == "bells"
    between = blended_features(KIT, kit, 0.25)
    assert between.timbre["low.depth"] == pytest.approx(0.75 * 0.5 + 0.25 * 0.2)
    assert between.chroma[0] == pytest.approx(0.875) and between.name == "plain+bells"
    assert blended_features(KIT, kit, 0) is KIT and blended_features(KIT, kit, 1) is kit
    with pytest.raises(UsageError, match="amount 2"):
        blended_features(KIT, kit, 2)
