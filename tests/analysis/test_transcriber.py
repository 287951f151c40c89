"""From activations to hits; the network is replaced by one that says what it is told to."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis.ear import GROUPS, EarConfig
from loopnet_cli.analysis.spectrogram import HOP, SAMPLE_RATE
from loopnet_cli.analysis.transcriber import PIECE, THRESHOLDS, Picking, Transcriber, activation_row, find_peaks
from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE, HeardHit, Transcription, at_audio_rate
from loopnet_cli.errors import AudioError
from loopnet_cli.pattern import VOICES

COUNT = len(VOICES)


class ClickEar:
    """Hears every click as one voice, as strongly as it is loud, with the bump that ears are trained on."""

    config = EarConfig()

    def __init__(self, voice: str) -> None:
        self.voice = voice

    def __call__(self, x: np.ndarray) -> np.ndarray:
        heard = np.full((2 * COUNT + len(GROUPS), x.shape[2]), 0.01, np.float32)
        # the short window alone, so that the bump is narrow
        bump = np.clip((x[1].mean(axis=0) + 2) / 2, 0, 0.95)
        rows = [VOICES.index(self.voice)]
        rows += [COUNT + i for i, members in enumerate(GROUPS.values()) if self.voice in members]
        heard[rows] = bump
        heard[COUNT + len(GROUPS) + VOICES.index(self.voice)] = 0.7
        return heard


def clicks(seconds: list[float], length: float, rate: int = SAMPLE_RATE) -> np.ndarray:
    audio = np.zeros(round(length * rate), np.float32)
    for second in seconds:
        audio[round(second * rate)] = 1.0
    return audio


def listener(voice: str) -> Transcriber:
    return Transcriber(ClickEar(voice), Picking(dict.fromkeys(THRESHOLDS, 0.3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("centre", [20.0, 20.3, 20.49, 19.6])
def test_peaks_are_found_between_frames(centre: float) -> None:
    curve = np.exp(-0.5 * ((np.arange(60) - centre) / 0.8) ** 2).astype(np.float32)
    ((frame, position),) = find_peaks(curve, 0.3)
    assert frame == round(centre)
    assert position == pytest.approx(centre, abs=0.01)


def test_peaks_below_the_threshold_or_beside_a_higher_one_are_none() -> None:
    curve = np.zeros(50, np.float32)
    curve[[10, 12, 30, 40]] = 0.9, 0.6, 0.29, 0.5
    assert [frame for frame, _ in find_peaks(curve, 0.3)] == [10, 40]


def test_a_plateau_is_one_peak() -> None:
    curve = np.zeros(50, np.float32)
    curve[20:23] = 1.0
    assert [frame for frame, _ in find_peaks(curve, 0.3)] == [20]


def test_hits_carry_time_voice_and_velocity() -> None:
    found = listener("clap").transcribe(clicks([0.5, 1.25], 2.0), SAMPLE_RATE)
    assert [hit.voice for hit in found.hits] == ["clap", "clap"]
    assert [hit.seconds for hit in found.hits] == pytest.approx([0.5, 1.25], abs=0.006)
    assert all(hit.velocity == pytest.approx(0.7) for hit in found.hits)
    assert found.activation("snare").max() > 0.5 > found.activation("kick").max()


def test_a_stroke_at_the_very_start_is_heard_after_silence() -> None:
    found = listener("kick").transcribe(clicks([0.0, 0.5], 1.0), SAMPLE_RATE)
    assert [hit.seconds for hit in found.hits] == pytest.approx([0.0, 0.5], abs=0.006)
    assert len(found.activations) == 100


def test_silence_holds_no_hits() -> None:
    found = listener("kick").transcribe(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    assert found.hits == ()
    assert found.activations.max() < 0.05


@pytest.mark.parametrize("rate", [16000, 22050, 48000, 96000])
def test_other_rates_give_the_same_times(rate: int) -> None:
    found = listener("kick").transcribe(clicks([0.3, 0.8], 1.2, rate) * 20, rate)
    assert [hit.seconds for hit in found.hits] == pytest.approx([0.3, 0.8], abs=0.008)


def test_a_long_recording_is_heard_in_pieces_that_join() -> None:
    seconds = PIECE * HOP / SAMPLE_RATE
    times = [1.0, seconds - 0.02, seconds + 0.4, 2 * seconds + 1.0]
    found = listener("kick").transcribe(clicks(times, 2 * seconds + 2.0), SAMPLE_RATE)
    assert [hit.seconds for hit in found.hits] == pytest.approx(times, abs=0.006)
    assert len(found.activations) == np.ceil(found.seconds * FRAME_RATE)


def test_a_stroke_on_the_seam_of_a_loop_is_one() -> None:
    # no whole number of frames, as loops are
    length = 1.8463
    for second in (0.0, 0.001, length - 0.003):
        found = listener("snare").transcribe(clicks([second, 0.9], length), SAMPLE_RATE, circular=True)
        assert len(found.hits) == 2, second
        gaps = [min(abs(hit.seconds - second), length - abs(hit.seconds - second)) for hit in found.hits]
        assert min(gaps) < 0.006


def test_a_turned_loop_gives_turned_hits() -> None:
    length, turn = 2.0, 0.77
    audio = clicks([0.1, 0.6, 1.4], length)
    straight = listener("kick").transcribe(audio, SAMPLE_RATE, circular=True)
    turned = listener("kick").transcribe(np.roll(audio, round(turn * SAMPLE_RATE)), SAMPLE_RATE, circular=True)
    expected = sorted((hit.seconds + turn) % length for hit in straight.hits)
    assert sorted(hit.seconds for hit in turned.hits) == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("audio", [np.zeros(0, np.float32), np.zeros((100, 2), np.float32)])
def test_what_is_no_mono_audio_is_refused(audio: np.ndarray) -> None:
    with pytest.raises(AudioError, match="cannot be transcribed"):
        listener("kick").transcribe(audio, SAMPLE_RATE)


def test_activations_reach_audio_rate_by_a_spline() -> None:
    curve = np.exp(-0.5 * ((np.arange(100) - 40) / 3.0) ** 2).astype(np.float32)[:, None]
    audio = at_audio_rate(curve, SAMPLE_RATE, SAMPLE_RATE)
    assert audio.shape == (SAMPLE_RATE, 1)
    times = np.arange(SAMPLE_RATE) / SAMPLE_RATE * 100
    # a straight line between frames would be off by 0.013
    np.testing.assert_allclose(audio[:, 0], np.exp(-0.5 * ((times - 40) / 3.0) ** 2), atol=2e-3)
    assert audio.min() >= 0 and audio.max() <= 1


def test_a_part_counts_from_its_start() -> None:
    hits = (HeardHit(0.5, "kick", 0.5), HeardHit(1.5, "snare", 0.5))
    whole = Transcription(hits, np.zeros((200, 3), np.float32), np.zeros((200, COUNT), np.float32), 2.0)
    part = whole.between(1.0, 2.0)
    assert part.hits == (HeardHit(0.5, "snare", 0.5),)
    assert part.activations.shape == (100, len(ACTIVATIONS)) and part.seconds == 1.0


def test_rows_are_named() -> None:
    assert activation_row("kick") == 0
    assert activation_row("snare") == COUNT and activation_row("hat") == COUNT + 1
    assert VOICES[activation_row("ride")] == "ride"
