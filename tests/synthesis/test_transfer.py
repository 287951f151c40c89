"""A recording's kit, and a rhythm in its sound; on a small untrained model, which plays all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loopnet_cli.analysis.transcription import HeardHit, Transcription
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob, Loop
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.evaluation.distances import log_mel_distance
from loopnet_cli.pattern import VOICES, Hit, Pattern
from loopnet_cli.synthesis import descriptor
from loopnet_cli.synthesis.audible import audible_levels, remixed, rhythm_kept
from loopnet_cli.synthesis.balance import BANDS, MOST_DB, balance_curve, band_levels, equalised
from loopnet_cli.synthesis.kitcode import attacks, clearest, decaying, kit_from_audio
from loopnet_cli.synthesis.strokeprior import UNIT_DB, StrokePrior
from loopnet_cli.synthesis.studio import SAMPLE_RATE, StudioModel, load_studio
from loopnet_cli.synthesis.transfer import Sound, blended_kit, transfer

CODE = 6


@pytest.fixture(scope="module")
def prior() -> StrokePrior:
    rng = np.random.default_rng(4)
    return StrokePrior(
        mean=np.full(descriptor.SIZE, -2.0, np.float32),
        directions=rng.normal(0, 0.3, (descriptor.SIZE, CODE)).astype(np.float32),
        residual=np.full(descriptor.SIZE, 0.1, np.float32),
        centres=rng.normal(0, 1, (len(VOICES), CODE)).astype(np.float32),
        covariances=np.stack([np.eye(CODE, dtype=np.float32)] * len(VOICES)),
    )


def test_the_likeliest_stroke_is_the_one_that_was_measured(prior: StrokePrior) -> None:
    code = np.array([1.0, -0.5, 0.3, 0.0, 2.0, -1.0], np.float32)
    found, level = prior.fit("snare", prior.decode(code, -6.0), None, -12.0)
    np.testing.assert_allclose(found, code, atol=0.1)
    assert level == pytest.approx(-6.0, abs=1.0)


def test_where_nothing_is_seen_a_stroke_is_as_usual(prior: StrokePrior) -> None:
    covered = np.zeros(descriptor.SIZE, np.float32)
    found, level = prior.fit("tom", np.full(descriptor.SIZE, 3.0, np.float32), covered, -9.0)
    np.testing.assert_allclose(found, prior.centres[VOICES.index("tom")], atol=1e-5)
    assert level == pytest.approx(-9.0)


def test_covered_cells_are_filled_in_from_the_others(prior: StrokePrior) -> None:
    code = np.array([1.0, -0.5, 0.3, 0.0, 2.0, -1.0], np.float32)
    seen, weights = prior.decode(code, 0.0), np.ones(descriptor.SIZE, np.float32)
    seen[:300] += 2.0
    weights[:300] = 0.0
    found, _ = prior.fit("kick", seen, weights, 0.0)
    np.testing.assert_allclose(found, code, atol=0.15)


def test_the_released_prior_fits_the_released_encoder() -> None:
    released = StrokePrior.load()
    assert released.centres.shape == (len(VOICES), 64)
    assert UNIT_DB * float(released.residual.mean()) < 3.0  # codes say most of what a descriptor says


def test_clear_strokes_come_first() -> None:
    pattern = Pattern((Hit(0, "snare", 0.9), Hit(0.05, "kick", 1.0), Hit(2, "snare", 0.8), Hit(3, "snare", 0.1)))
    order = [pattern.hits[row].beat for row in clearest(pattern, "snare")]
    assert order[0] == 2
    assert order[-1] in (0, 3)


def test_what_rises_again_is_another_stroke() -> None:
    stroke = np.zeros(descriptor.SAMPLES + descriptor.GRIDS[-1].size, np.float32)
    tail = np.random.default_rng(0).normal(0, 0.3, 8000) * np.exp(-np.arange(8000) / 1500)
    stroke[:8000] = tail
    twice = stroke.copy()
    twice[9000:17000] += tail  # 0.2 s later, in the cells where the first one still rings
    alone, both = descriptor.log_powers(stroke), descriptor.log_powers(twice)
    assert np.abs(both - alone).max() > 1.0  # 20 dB and more
    np.testing.assert_array_equal(decaying(alone), alone)
    assert np.all(decaying(both) <= both)
    assert np.abs(decaying(both) - alone).mean() < 0.85 * np.abs(both - alone).mean()


def test_onsets_move_to_the_attack() -> None:
    loop = np.zeros(SAMPLE_RATE, np.float32)
    loop[10_000:14_000] = np.random.default_rng(0).normal(0, 0.3, 4000) * np.exp(-np.arange(4000) / 900)
    for heard in (9_700, 10_000, 10_350):
        (found,) = attacks(loop, [heard])
        assert abs(found - 10_000) <= 64


def test_a_kit_from_audio_has_what_was_heard(model: StudioModel, kit: Kit, prior: StrokePrior) -> None:
    pattern = Pattern((Hit(0, "kick", 0.9), Hit(1, "snare", 0.8), Hit(2, "kick", 0.9), Hit(3, "hat_closed", 0.7)))
    loop = model.render(pattern, kit=kit)
    found = kit_from_audio(model, loop.audio, SAMPLE_RATE, pattern, name="heard", prior=prior, rounds=1)
    assert found.name == "heard"
    for voice in ("kick", "snare", "hat_closed"):
        assert found.codes[voice] != kit.codes[voice]
        assert all(np.isfinite(found.codes[voice])) and found.levels[voice] > 0
    # what was not heard is the nearest kit's, and here there is one kit
    assert found.codes["ride"] == kit.codes["ride"]


@pytest.fixture(scope="module")
def released() -> StudioModel:
    return load_studio()


def test_the_kit_of_a_loop_is_found_again(released: StudioModel) -> None:
    hits = [Hit(b, "kick", 0.9) for b in (0, 2.5)] + [Hit(b, "snare", 0.8) for b in (1, 3)]
    pattern = Pattern((*hits, *(Hit(b / 2, "hat_closed", 0.7) for b in range(8))), tempo=100)
    original = released.render(pattern, kit=released.kit("warm-808"), seed=1).audio
    found = kit_from_audio(released, original, SAMPLE_RATE, pattern, name="found", rounds=3)
    again = released.render(pattern, kit=found, seed=2).audio
    other = released.render(pattern, kit=released.kit("tight-studio"), seed=2).audio
    near = log_mel_distance(again, original, floor_db=-40)
    far = log_mel_distance(other, original, floor_db=-40)
    assert near < 0.4 * far


def test_a_quieter_voice_gets_a_lower_level(released: StudioModel) -> None:
    pattern = Pattern((Hit(0, "kick", 0.9), Hit(1, "snare", 0.9), Hit(2, "kick", 0.9)), tempo=120)
    kit = released.kit("tight-studio")
    soft = replace(kit, levels={**kit.levels, "snare": kit.levels["snare"] / 8})
    ratio = []
    for played in (kit, soft):
        loop = released.render(pattern, kit=played)
        levels = kit_from_audio(released, loop.audio, SAMPLE_RATE, pattern, name="x", rounds=2).levels
        ratio.append(levels["snare"] / levels["kick"])
    assert 4 < ratio[0] / ratio[1] < 16


def test_one_sound_makes_a_whole_kit(model: StudioModel, kit: Kit, prior: StrokePrior) -> None:
    pattern = Pattern((Hit(0, "snare", 0.9), Hit(2, "snare", 0.9)))
    loop = model.render(pattern, kit=kit)
    found = kit_from_audio(model, loop.audio, SAMPLE_RATE, pattern, name="x", prior=prior, rounds=0)
    assert all(found.codes[voice] != kit.codes[voice] for voice in VOICES if voice not in ("snare", "clap", "rim"))


def test_a_sound_that_is_no_drum_is_a_stroke_at_its_attack(model: StudioModel, kit: Kit, prior: StrokePrior) -> None:
    audio = np.zeros(2 * SAMPLE_RATE, np.float32)
    ring = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    audio[20_000 : 20_000 + SAMPLE_RATE] = np.sin(2 * np.pi * 900 * ring) * np.exp(-ring * 5)
    found = kit_from_audio(model, audio, SAMPLE_RATE, Pattern((), tempo=120), name="bell", prior=prior, rounds=0)
    higher = np.zeros_like(audio)
    higher[20_000 : 20_000 + SAMPLE_RATE] = np.sin(2 * np.pi * 2500 * ring) * np.exp(-ring * 5)
    other = kit_from_audio(model, higher, SAMPLE_RATE, Pattern((), tempo=120), name="bell", prior=prior, rounds=0)
    for voice in ("kick", "hat_closed"):
        assert found.codes[voice] != other.codes[voice]


def test_silence_is_refused(model: StudioModel, prior: StrokePrior) -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    with pytest.raises(AudioError, match="silent"):
        kit_from_audio(model, silence, SAMPLE_RATE, Pattern((Hit(0, "kick"),)), name="x", prior=prior)


def test_blending_goes_from_one_kit_to_the_other(kit: Kit) -> None:
    other = replace(
        kit, name="other", codes=dict.fromkeys(VOICES, (2.0,) * CODE), levels=dict.fromkeys(VOICES, 0.125),
        timbre=dict.fromkeys(TIMBRE_NAMES, 1.0),
    )  # fmt: skip
    assert blended_kit(kit, other, 0.0) == kit and blended_kit(kit, other, 1.0) == other
    half = blended_kit(kit, other, 0.5)
    assert half.levels["kick"] == pytest.approx(0.25)  # decibels: half-way between 0.5 and 0.125
    assert half.timbre["low.depth"] == pytest.approx(0.75)
    expected = (np.array(kit.codes["snare"]) + 2) / 2
    np.testing.assert_allclose(half.codes["snare"], expected)
    with pytest.raises(UsageError, match="between 0"):
        blended_kit(kit, other, 1.5)


def test_an_equaliser_brings_one_balance_to_another(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    loop = model.render(pattern, kit=kit)
    levels = band_levels(loop.audio, SAMPLE_RATE)
    tilt = np.linspace(4, -4, BANDS)
    changed = equalised(loop, balance_curve(levels, levels + tilt))
    moved = band_levels(changed.audio, SAMPLE_RATE) - levels
    sounding = levels > levels.max() - 40
    assert np.corrcoef(moved[sounding], tilt[sounding])[0, 1] > 0.97
    assert np.abs(changed.audio).max() == pytest.approx(np.abs(loop.audio).max(), rel=1e-5)
    np.testing.assert_allclose(np.sum(list(changed.stems.values()), axis=0), changed.audio, atol=1e-6)


def test_an_equaliser_never_goes_far_and_leaves_the_level_alone() -> None:
    levels = np.zeros(BANDS)
    wanted = np.where(np.arange(BANDS) < BANDS // 3, 40.0, 0.0) + 17.0
    curve = balance_curve(levels, wanted)
    assert np.abs(curve).max() <= MOST_DB
    assert not balance_curve(levels, levels + 12.0).any()
    assert np.abs(balance_curve(levels, wanted, 0.5)).max() <= MOST_DB / 2


def test_a_bank_kit_is_played_as_it_is(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    given = transfer(model, pattern, Sound(kit), seed=3)
    np.testing.assert_array_equal(given.audio, model.render(pattern, kit=kit, seed=3).audio)


def test_knobs_are_turned_on_top(model: StudioModel, kit: Kit) -> None:
    pattern = Pattern((Hit(0, "kick", 0.9), Hit(1, "snare", 0.9)))
    sound = Sound(kit, dict.fromkeys(TIMBRE_NAMES, 0.5), np.zeros(BANDS))
    turned = transfer(model, pattern, sound, knobs={"high.brightness": Knob(0.3, relative=True)})
    assert turned.settings["timbre_asked"]["high.brightness"] == pytest.approx(0.8)  # type: ignore[index]
    replaced = transfer(model, pattern, sound, knobs={"high.brightness": Knob(0.1)})
    assert replaced.settings["timbre_asked"]["high.brightness"] == pytest.approx(0.1)  # type: ignore[index]
    assert np.abs(turned.audio - replaced.audio).max() > 1e-4


def test_a_share_needs_two_sounds(model: StudioModel, kit: Kit, pattern: Pattern) -> None:
    with pytest.raises(UsageError, match="own sound"):
        transfer(model, pattern, Sound(kit), amount=0.5)


class Deaf:
    """Hears every stroke of the pattern, but only while the loop is as it was given."""

    def __init__(self, pattern: Pattern, kept: np.ndarray) -> None:
        seconds = 60 / pattern.tempo
        self.hits = tuple(HeardHit(h.beat * seconds, h.voice, 0.5) for h in pattern.hits)
        self.kept = kept

    def transcribe(self, audio: np.ndarray, sample_rate: int, *, circular: bool = False) -> Transcription:
        same = np.array_equal(audio, self.kept)
        none = np.zeros((1, 3), np.float32)
        return Transcription(self.hits if same else (), none, none, len(audio) / sample_rate)


def test_a_sound_is_taken_only_so_far_that_the_rhythm_is_still_heard(model: StudioModel, kit: Kit) -> None:
    pattern = Pattern((Hit(0, "kick", 0.9), Hit(1, "snare", 0.9)))
    sound = Sound(kit, dict.fromkeys(TIMBRE_NAMES, 0.9), np.linspace(0, 12, BANDS))
    plain = model.render(pattern, kit=kit)
    free = transfer(model, pattern, sound)
    heeded = transfer(model, pattern, sound, ears=Deaf(pattern, plain.audio))  # type: ignore[arg-type]
    assert not np.array_equal(free.audio, plain.audio)
    np.testing.assert_array_equal(heeded.audio, plain.audio)


def test_how_much_of_a_rhythm_is_heard(model: StudioModel, kit: Kit) -> None:
    pattern = Pattern((Hit(0, "kick", 0.9), Hit(1, "snare", 0.9), Hit(2, "kick", 0.9), Hit(3, "hat_closed", 0.9)))
    loop = model.render(pattern, kit=kit)
    ears = Deaf(pattern, loop.audio)
    assert rhythm_kept(loop, pattern, ears) == 1.0  # type: ignore[arg-type]
    ears.hits = ears.hits[:2]
    assert rhythm_kept(loop, pattern, ears) == pytest.approx(2 * 2 / (2 + 3))  # type: ignore[arg-type]
    ears.hits = (HeardHit(1.99, "kick", 0.5),)  # the first kick, seen before the seam
    assert rhythm_kept(loop, pattern, ears) == pytest.approx(2 * 1 / (1 + 3))  # type: ignore[arg-type]


class Choosy:
    """Hears kicks only where they are louder against the snare than in the loop it knows."""

    def __init__(self, pattern: Pattern, loop: Loop, factor: float) -> None:
        self.pattern, self.loop, self.factor = pattern, loop, factor

    def transcribe(self, audio: np.ndarray, sample_rate: int, *, circular: bool = False) -> Transcription:
        stack = np.stack([self.loop.stems[name] for name in ("kick", "snare")], axis=1).astype(np.float64)
        kick, snare = np.linalg.lstsq(stack, audio.astype(np.float64), rcond=None)[0]
        seconds = 60 / self.pattern.tempo
        hits = [h for h in self.pattern.hits if h.voice != "kick" or kick > self.factor * snare]
        none = np.zeros((1, 3), np.float32)
        heard = tuple(HeardHit(h.beat * seconds, h.voice, 0.5) for h in hits)
        return Transcription(heard, none, none, len(audio) / sample_rate)


def test_a_drowned_kick_is_brought_out_as_far_as_levels_can(model: StudioModel, kit: Kit) -> None:
    pattern = Pattern((Hit(0, "kick", 0.9), Hit(1, "snare", 0.9)))
    loop = model.render(pattern, kit=kit)
    levels = audible_levels(loop, pattern, Choosy(pattern, loop, 1.2))  # type: ignore[arg-type]
    assert levels["kick"] - levels["snare"] == pytest.approx(3.0)
    mix = remixed(loop, levels)
    np.testing.assert_allclose(np.sum(list(mix.stems.values()), axis=0), mix.audio, atol=1e-6)
    assert np.abs(mix.audio).max() == pytest.approx(np.abs(loop.audio).max(), rel=1e-5)
    hopeless = audible_levels(loop, pattern, Choosy(pattern, loop, 100.0))  # type: ignore[arg-type]
    assert not any(hopeless.values())
    assert remixed(loop, hopeless) is loop
