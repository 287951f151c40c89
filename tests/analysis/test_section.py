"""Which bars of a recording are taken, and at which tempo."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis import tempo_estimators
from loopnet_cli.analysis.hints import Hints
from loopnet_cli.analysis.madmom_compat import MadmomError, has_madmom
from loopnet_cli.analysis.section import Section, find_section, section_audio
from loopnet_cli.errors import AudioError, UsageError

from .drumming import RATE, drums, stroke


def heard(audio: np.ndarray, rate: int = RATE, **stated: object) -> Section:
    """Find a section without madmom, whether or not it is installed; what must always hold is checked."""
    section = find_section(audio, rate, madmom=False, **stated)  # type: ignore[arg-type]
    beats = section.bars * section.meter[0] * 4 / section.meter[1]
    assert section.tempo == pytest.approx(60 * beats / (section.end - section.start), rel=1e-9)
    assert section.start >= 0 and 0 <= section.confidence <= 1 and section.bars >= 1
    return section


@pytest.mark.parametrize(("tempo", "bars"), [(120.0, 1), (97.0, 2), (140.0, 4), (88.5, 4)])
def test_a_loop_is_taken_whole(tempo: float, bars: int) -> None:
    section = heard(drums(tempo, bars))
    assert section.is_loop and section.start == 0.0
    assert (section.bars, section.meter) == (bars, (4, 4))
    assert section.tempo == pytest.approx(tempo, abs=0.02)
    assert section.confidence > 0.5


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_any_rate_will_do(rate: int) -> None:
    section = heard(drums(110.0, 2, rate=rate), rate)
    assert section.is_loop and section.tempo == pytest.approx(110.0, abs=0.05)


def test_silence_around_a_loop_is_left_out() -> None:
    loop = drums(125.0, 4)
    section = heard(np.concatenate((np.zeros(RATE // 2, np.float32), loop, np.zeros(RATE // 3, np.float32))))
    assert section.tempo == pytest.approx(125.0, abs=1.0)
    assert section.start == pytest.approx(0.5, abs=0.02)


def test_the_runners_up_and_estimators_are_told() -> None:
    section = heard(drums(120.0, 2))
    assert section.estimates["percival"] == pytest.approx(120, abs=2)
    assert any(name.startswith("as ") for name in section.estimates)


def test_a_meter_that_is_given_counts() -> None:
    assert heard(drums(100.0, 2, beats_per_bar=3), meter=(3, 4)).tempo == pytest.approx(100.0, abs=0.02)


def test_half_a_bar_is_no_bar_at_twice_the_tempo() -> None:
    half = drums(136.0, 1)[: round(120 / 136 * RATE)]
    section = heard(half)
    assert (section.meter, section.bars) == ((2, 4), 1) and section.tempo == pytest.approx(136, abs=0.1)


def recording(tempo: float = 104.0, bars: int = 9, lead: float = 0.731) -> np.ndarray:
    """Bars that begin after a lead-in and break off in the middle of one."""
    rng = np.random.default_rng(3)
    played = drums(tempo, bars)[: round((bars - 0.37) * 240 / tempo * RATE)]
    audio = np.concatenate((np.zeros(round(lead * RATE), np.float32), played))
    return (audio + 1e-4 * rng.standard_normal(len(audio))).astype(np.float32)


def test_the_steadiest_bars_of_a_recording_begin_on_a_downbeat() -> None:
    section = heard(recording())
    assert not section.is_loop and section.bars == 4
    assert section.tempo == pytest.approx(104, abs=1)
    bar = 240 / 104
    off = (section.start - 0.731 + bar / 2) % bar - bar / 2
    assert abs(off) < 0.01, f"{off:.3f} s off the downbeat"
    assert "essentia" in section.method


def test_fewer_bars_if_there_are_no_more() -> None:
    section = heard(recording(bars=4), bars=None)
    assert section.bars in (1, 2)


def test_without_any_tracker_our_own_finds_the_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempo_estimators, "_essentia", lambda: None)
    section = heard(recording())
    assert section.tempo == pytest.approx(104, abs=1) and "our own tracker" in section.method


def test_a_long_recording_is_heard_in_part() -> None:
    loud = drums(100.0, 8)
    audio = np.concatenate([0.02 * np.tile(loud, 6), np.tile(loud, 8), 0.02 * np.tile(loud, 2)])
    section = heard(audio)
    assert "120 s" in section.method and section.tempo == pytest.approx(100, abs=1)
    assert 6 * 19.2 - 10 < section.start < 14 * 19.2


def test_a_stated_tempo_that_fits_gives_the_bars() -> None:
    section = heard(drums(120.0, 2), bpm=119.6)
    assert section.bars == 2 and section.is_loop and section.tempo == pytest.approx(120.0, abs=1e-3)


def test_a_stated_tempo_that_does_not_fit_is_said() -> None:
    tail = np.concatenate((drums(120.0, 2), np.zeros(RATE // 3, np.float32)))
    tail[4 * RATE :] = 0.01 * np.random.default_rng(1).standard_normal(RATE // 3)
    section = heard(tail, bpm=120.0)
    assert "does not fit" in section.method
    assert (section.bars, section.end) == (2, pytest.approx(4.0))


def test_a_trimmed_tail_is_filled_with_silence() -> None:
    audio = drums(120.0, 2)[: round(3.7 * RATE)]
    section = heard(audio, bpm=120.0)
    assert section.bars == 2 and section.end == pytest.approx(4.0)
    filled = section_audio(audio, RATE, section)
    assert len(filled) == 4 * RATE and not filled[round(3.7 * RATE) :].any()


def test_stated_bars_give_the_tempo() -> None:
    section = heard(drums(120.0, 2), bars=1)
    assert section.tempo == pytest.approx(60.0) and section.confidence > 0.8


def test_start_and_end_are_kept() -> None:
    section = heard(recording(), start=0.731, end=0.731 + 2 * 240 / 104)
    assert (section.start, section.end) == (pytest.approx(0.731), pytest.approx(0.731 + 480 / 104, abs=1e-4))
    assert section.bars == 2


def test_a_start_alone_is_kept() -> None:
    section = heard(recording(), start=0.731, bpm=104.0)
    assert (section.start, section.bars) == (0.731, 4) and section.tempo == pytest.approx(104)
    assert heard(recording(), start=0.731).tempo == pytest.approx(104, abs=1)
    assert heard(recording(), start=0.731, bpm=104.0, bars=2).bars == 2


def test_an_end_alone_shortens_the_recording() -> None:
    assert heard(np.tile(drums(120.0, 2), 3), end=4.0).end == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"bpm": 120.0, "bars": 9}, "leave one of them out"),
        ({"bpm": 60.0, "bars": 2, "start": 0.0, "end": 3.0}, "leave one of them out"),
        ({"bpm": 120.0, "bars": 4, "start": 2.0}, "leave one of them out"),
        ({"bpm": 5.0}, "--bpm 5"),
        ({"bpm": 30.0}, "less than a bar"),
        ({"bars": 0}, "--bars 0"),
        ({"bars": 500}, "--bars 500"),
        ({"start": 99.0}, "--start 99"),
        ({"start": 3.0, "end": 2.0}, "must come after"),
        ({"end": 99.0}, "--end 99"),
        ({"bars": 60, "start": 0.0, "end": 2.0}, "BPM"),
    ],
)
def test_contradictions_are_named_in_one_line(stated: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        heard(drums(120.0, 2), **stated)
    assert "\n" not in str(caught.value)


def test_the_chunk_counts_where_nothing_is_stated() -> None:
    audio = drums(120.0, 2)
    section = heard(audio, hints=Hints(60.0, "acid chunk", 4))
    assert (section.bars, section.tempo) == (1, pytest.approx(60.0)) and "acid chunk" in section.method
    assert heard(audio, hints=Hints(60.0, "acid chunk", 4), bpm=120.0).tempo == pytest.approx(120.0)
    assert heard(audio, hints=Hints(60.0, "file name")).tempo == pytest.approx(60.0)


def test_a_name_that_cannot_be_true_is_not_followed() -> None:
    section = heard(stroke(0.3), hints=Hints(60.0, "file name"))
    assert "does not fit" in section.method and section.confidence < 0.1


def test_a_chunk_that_miscounts_is_not_followed() -> None:
    section = heard(drums(120.0, 2), hints=Hints(120.0, "acid chunk", 32))
    assert section.bars == 2 and section.tempo == pytest.approx(120.0, abs=0.01)


def test_a_single_hit_is_one_bar_without_a_beat() -> None:
    section = heard(stroke(0.4))
    assert (section.bars, section.tempo, section.is_loop) == (1, 120.0, False)
    assert section.method.startswith("no beat found") and section.confidence < 0.1
    assert len(section_audio(stroke(0.4), RATE, section)) == 2 * RATE


@pytest.mark.parametrize("seconds", [0.01, 1.0, 4.0, 11.0])
def test_noise_has_no_beat(seconds: float) -> None:
    noise = 0.1 * np.random.default_rng(2).standard_normal(round(seconds * RATE)).astype(np.float32)
    section = heard(noise)
    assert section.method.startswith("no beat found") and section.confidence < 0.1
    assert 20 <= section.tempo <= 400


def test_silence_is_refused() -> None:
    for audio in (np.zeros(RATE, np.float32), np.full(RATE, 0.3, np.float32), np.zeros(0, np.float32)):
        with pytest.raises(AudioError):
            heard(audio)


def test_numbers_that_are_none_are_refused() -> None:
    audio = drums(120.0, 1)
    audio[5] = np.nan
    with pytest.raises(AudioError, match="no numbers"):
        heard(audio)


def test_madmom_is_asked_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Activations of a stand-in: beats at 120 BPM, a downbeat every four."""

    def activations(audio: np.ndarray) -> np.ndarray:
        curve = np.full((len(audio) // 441, 2), 0.01)
        curve[::50, 0] = 0.9
        curve[::200] = (0.1, 0.9)
        return curve

    def beats(activations: np.ndarray, **_: object) -> tempo_estimators.Beats:
        count = len(activations) // 50
        return tempo_estimators.Beats(np.arange(count) * 0.5, np.arange(count) % 4 + 1, "beats and downbeats by madmom")

    monkeypatch.setattr(tempo_estimators, "madmom_activations", activations)
    monkeypatch.setattr(tempo_estimators, "madmom_beats", beats)
    section = find_section(drums(120.0, 2), RATE)
    assert "madmom" in section.method and section.estimates["madmom"] == pytest.approx(120.0)
    assert section.bars == 2
    assert "madmom" not in find_section(drums(120.0, 2), RATE, madmom=False).method


def test_a_madmom_that_does_not_load_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise MadmomError("does not load")

    monkeypatch.setattr(tempo_estimators, "has_madmom", lambda: True)
    monkeypatch.setattr(tempo_estimators, "import_madmom", broken)
    assert "madmom" not in find_section(drums(120.0, 1), RATE).method


@pytest.mark.slow
@pytest.mark.skipif(not has_madmom(), reason="madmom is not installed")
def test_madmom_hears_loops_and_recordings() -> None:
    loop = find_section(drums(120.0, 2), RATE)
    assert loop.bars == 2 and "madmom" in loop.method and loop.estimates["madmom"] == pytest.approx(120, abs=1)
    played = find_section(recording(), RATE)
    assert played.tempo == pytest.approx(104, abs=1) and "downbeats by madmom" in played.method
