from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loopnet_cli.analysis.timbre import timbre_features
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.pattern import STEMS, Hit, Pattern
from loopnet_cli.synthesis.shaping import ACTUATORS
from loopnet_cli.synthesis.studio import StudioModel


@pytest.mark.parametrize(
    ("tempo", "meter", "bars"), [(120, (4, 4), 1), (97.3, (7, 8), 2), (61.01, (3, 4), 1), (200, (5, 4), 3)]
)
def test_length_is_exact(model: StudioModel, kit: Kit, tempo: float, meter: tuple[int, int], bars: int) -> None:
    pattern = Pattern((Hit(0, "kick"), Hit(1, "hat_closed")), bars=bars, meter=meter, tempo=tempo)
    loop = model.render(pattern, kit=kit)
    beats = bars * meter[0] * 4 / meter[1]
    assert len(loop.audio) == round(60 / tempo * beats * 44100)


def test_stems_sum_to_the_loop_and_hold_their_voices(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    loop = model.render(pattern, kit=kit, timbre={"low.depth": Knob(0.9)}, chroma=[1, *[0] * 11], seed=4)
    assert set(loop.stems) == set(STEMS)
    np.testing.assert_allclose(sum(loop.stems.values()), loop.audio, atol=1e-5)
    alone = model.render(pattern.only(["kick"]), kit=kit)
    assert np.abs(alone.stems["kick"]).max() > 0.5
    assert not alone.stems["hat"].any()


def test_a_seed_gives_the_same_bytes_and_another_seed_others(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    first = model.render(pattern, kit=kit, seed=11).audio
    assert first.tobytes() == model.render(pattern, kit=kit, seed=11).audio.tobytes()
    assert np.abs(first - model.render(pattern, kit=kit, seed=12).audio).max() > 0.01


@pytest.mark.parametrize("knobs", [{}, {"high.brightness": Knob(0.9)}])
def test_time_is_a_circle(model: StudioModel, kit: Kit, knobs: dict[str, Knob]) -> None:
    # a tempo whose beat is a whole number of samples, so that the rotation is exact
    hits = (Hit(0, "kick", 0.9), Hit(1, "snare", 0.7), Hit(2.5, "hat_open", 0.6), Hit(3, "hat_closed", 0.5))
    pattern = Pattern(hits, tempo=60 * 44100 / 22000)
    plain = model.render(pattern, kit=kit, timbre=knobs, seed=5).audio
    turned = model.render(pattern.rotated(1.5), kit=kit, timbre=knobs, seed=5).audio
    np.testing.assert_allclose(np.roll(plain, 33000), turned, atol=2e-4)


def test_hits_sound_where_they_are_written(model: StudioModel, kit: Kit) -> None:
    pattern = Pattern((Hit(1.37, "kick", 1.0),), tempo=100, bars=2)
    audio = model.render(pattern, kit=kit).audio
    onset = pattern.onset_samples()[0]
    before = np.abs(audio[onset - 2000 : onset]).max()
    assert np.abs(audio[onset : onset + 400]).max() > 10 * before


def test_velocity_is_level(model: StudioModel, kit: Kit) -> None:
    pattern = Pattern((Hit(0, "snare", 1.0), Hit(8, "snare", 0.25)), bars=4, tempo=60)
    audio = model.render(pattern, kit=kit).audio
    half = len(audio) // 2
    loud, soft = np.abs(audio[:half]).max(), np.abs(audio[half:]).max()
    assert loud / soft == pytest.approx(0.25**-1.5, rel=0.35)


def test_a_closed_hat_stops_the_open_one(model: StudioModel, kit: Kit) -> None:
    open_only = model.render(Pattern((Hit(0, "hat_open"), Hit(3, "kick")), tempo=60), kit=kit).stems["hat"]
    choked = model.render(Pattern((Hit(0, "hat_open"), Hit(0.25, "hat_closed", 0.01)), tempo=60), kit=kit).stems["hat"]
    after = slice(20000, 30000)
    assert np.abs(open_only[after]).max() / np.abs(open_only).max() > 0.05
    assert np.abs(choked[after]).max() / np.abs(choked).max() < 0.02


def test_peak_is_one_decibel_under_full_scale(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    assert np.abs(model.render(pattern, kit=kit).audio).max() == pytest.approx(10 ** (-1 / 20), rel=1e-4)


def test_knobs_at_their_natural_value_change_nothing(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    plain = model.render(pattern, kit=kit, seed=1).audio
    relative = {name: Knob(0.0, relative=True) for name in TIMBRE_NAMES[:5]}
    np.testing.assert_array_equal(plain, model.render(pattern, kit=kit, timbre=relative, seed=1).audio)


def test_asking_for_many_features_never_ends_further_away(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    asked = {name: Knob(0.3 + 0.02 * i) for i, name in enumerate(TIMBRE_NAMES)}

    def distance(audio: np.ndarray) -> float:
        unit = model.normalisation.to_unit(timbre_features(audio, 44100))
        return float(np.mean([abs(unit[name] - knob.value) for name, knob in asked.items()]))

    plain = model.render(pattern, kit=kit, seed=1).audio
    assert distance(model.render(pattern, kit=kit, timbre=asked, seed=1).audio) <= distance(plain) + 1e-6


def test_every_actuator_is_heard(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    score = model.score(pattern, kit)
    neutral = sum(model.sound(pattern, kit, score, np.zeros(len(ACTUATORS), np.float32), seed=0).values())
    for index, name in enumerate(ACTUATORS):
        vector = np.zeros(len(ACTUATORS), np.float32)
        vector[index] = 0.8
        moved = sum(model.sound(pattern, kit, score, vector, seed=0).values())
        assert np.abs(moved - neutral).max() > 1e-3, name


@pytest.mark.parametrize("level", [0.0, 1e-30])
@pytest.mark.parametrize("how", [{}, {"timbre": {"low.depth": Knob(0.9)}}, {"chroma": [1, *[0] * 11]}])
def test_a_kit_without_a_sound_is_told(model: StudioModel, kit: Kit, level: float, how: dict) -> None:
    pattern = Pattern((Hit(0, "kick"), Hit(1, "kick")))
    mute = replace(kit, levels={**kit.levels, "kick": level})
    with pytest.raises(AudioError, match="nothing sounds"):
        model.render(pattern, kit=mute, **how)
    both = Pattern((Hit(0, "kick"), Hit(1, "snare")))
    loop = model.render(both, kit=mute, **how)
    assert (np.isfinite(loop.audio).all() and not loop.stems["kick"][:20000].any()) or level > 0


def test_bad_controls_are_named(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    with pytest.raises(UsageError, match=r"low\.brigthness"):
        model.render(pattern, kit=kit, timbre={"low.brigthness": Knob(0.5)})
    with pytest.raises(UsageError, match="12 numbers"):
        model.render(pattern, kit=kit, chroma=[1, 0])
    with pytest.raises(UsageError, match="no hits"):
        model.render(Pattern(()), kit=kit)
    with pytest.raises(UsageError, match=r"did you mean small"):
        model.kit("smal")
    with pytest.raises(UsageError, match="negative"):
        model.render(pattern, kit=kit, seed=-1)
