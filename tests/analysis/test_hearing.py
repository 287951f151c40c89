"""Hearing a recording: pieces of a long one, places in the file, circles."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from loopnet_cli.analysis import hearing
from loopnet_cli.analysis.hearing import clock, hear
from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.analysis.pieces import busiest, transcribe_in_pieces
from loopnet_cli.analysis.section import Section
from loopnet_cli.analysis.transcription import HeardHit, Transcription
from loopnet_cli.audio.survey import survey
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.errors import AudioError, UsageError

RATE = 8000
UNIT = Normalisation(dict.fromkeys(TIMBRE_NAMES, 0.0), dict.fromkeys(TIMBRE_NAMES, 100.0))


class Clicks:
    """Hears each sample above a half as a kick; its activation is the largest sample of a frame."""

    def __init__(self):
        self.calls = []

    def transcribe(self, audio, sample_rate, *, circular=False):
        seconds = len(audio) / sample_rate
        self.calls.append((seconds, circular))
        frames = int(np.ceil(seconds * 100))
        edges = (np.arange(frames) * sample_rate // 100).clip(max=len(audio) - 1)
        level = np.maximum.reduceat(np.abs(audio), edges).astype(np.float32)
        hits = tuple(HeardHit(float(at / sample_rate), "kick", 0.5) for at in np.flatnonzero(audio > 0.5))
        return Transcription(hits, np.repeat(level[:, None], 3, 1), np.repeat(level[:, None], 10, 1), seconds)


def clicks(seconds: float, times: list[float]) -> np.ndarray:
    audio = 0.01 * np.random.default_rng(0).standard_normal(round(seconds * RATE))
    for time in times:
        audio[round(time * RATE)] = 0.9
    return audio


def encoded(audio: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, audio, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


@pytest.fixture
def section(monkeypatch):
    """Set what the search for bars finds, and remember what it was given."""
    given = []

    def set_to(found: Section) -> list:
        def find_section(audio, sample_rate, **how):
            given.append((len(audio) / sample_rate, how))
            return found

        monkeypatch.setattr("loopnet_cli.analysis.section.find_section", find_section)
        return given

    monkeypatch.setattr(hearing, "_chroma", lambda *_: np.zeros(12, np.float32))
    monkeypatch.setattr(
        "loopnet_cli.analysis.timbre.timbre_features", lambda *_, **__: dict.fromkeys(TIMBRE_NAMES, 50.0)
    )
    return set_to


FOUND = Section(1.0, 3.0, 120.0, 1, (4, 4), False, 0.5, "beats", {})


def test_a_section_of_a_recording_keeps_its_place_and_is_heard_with_what_lies_around_it(section):
    section(FOUND)
    ears = Clicks()
    heard = hear(encoded(clicks(6, [0.5, 1.0, 2.5, 4.0])), name="x", transcriber=ears, normalisation=UNIT)
    assert ears.calls == [(6.0, False)]
    assert [hit.seconds for hit in heard.transcription.hits] == pytest.approx([0, 1.5])
    assert [hit.beat for hit in heard.pattern.hits] == pytest.approx([0, 3])
    assert len(heard.recording.hits) == 4 and heard.recording is not heard.transcription
    assert len(heard.audio) == 2 * RATE and len(heard.envelope) == len(heard.transcription.activations) == 200
    assert heard.timbre == dict.fromkeys(TIMBRE_NAMES, 0.5) and heard.section == FOUND


def test_a_loop_is_heard_as_a_circle_and_only_once(section):
    section(replace(FOUND, start=0.0, end=6.0, bars=3, is_loop=True))
    ears = Clicks()
    heard = hear(encoded(clicks(6, [0.5])), transcriber=ears, normalisation=UNIT)
    assert ears.calls == [(6.0, True)] and heard.recording is heard.transcription


def test_a_loop_within_a_file_is_heard_as_a_circle_besides_the_whole(section):
    section(replace(FOUND, is_loop=True))
    ears = Clicks()
    heard = hear(encoded(clicks(6, [0.5, 1.5])), transcriber=ears, normalisation=UNIT)
    assert sorted(ears.calls) == [(2.0, True), (6.0, False)]
    assert len(heard.transcription.hits) == 1 and len(heard.recording.hits) == 2


def test_a_part_is_placed_in_the_file(section):
    given = section(FOUND)
    heard = hear(encoded(clicks(12, [6.5])), start=5.0, transcriber=Clicks(), normalisation=UNIT)
    assert (heard.section.start, heard.section.end) == (6.0, 8.0)
    assert heard.pattern.hits[0].beat == pytest.approx(1.0)
    seconds, how = given[0]
    assert seconds == 7.0 and how["start"] is None  # bars are looked for from there on


def test_start_and_end_together_are_the_section(section):
    given = section(replace(FOUND, start=0.0, end=2.0))
    hear(encoded(clicks(12, [6.5])), start=5.0, end=7.0, bpm=120, bars=1, transcriber=Clicks(), normalisation=UNIT)
    seconds, how = given[0]
    assert (seconds, how["start"], how["end"], how["bpm"], how["bars"]) == (2.0, 0.0, 2.0, 120, 1)


def test_a_section_that_ends_after_the_file_is_followed_by_silence(section):
    section(replace(FOUND, start=0.5, end=2.5))
    heard = hear(encoded(clicks(1, [0.5])), transcriber=Clicks(), normalisation=UNIT)
    assert len(heard.audio) == 2 * RATE and not heard.audio[RATE:].any()
    assert len(heard.transcription.activations) == len(heard.envelope) == 200


def test_the_name_of_the_file_tells_a_tempo_and_its_beats_count_only_for_all_of_it(section, tmp_path):
    given = section(FOUND)
    path = tmp_path / "x_97bpm.wav"
    path.write_bytes(encoded(clicks(6, [0.5])))
    hear(path, transcriber=Clicks(), normalisation=UNIT)
    assert given[0][1]["hints"].bpm == 97


def test_errors_name_the_file_once(section, monkeypatch):
    section(FOUND)

    def fails(*_, **__):
        raise AudioError("the audio is odd")

    monkeypatch.setattr("loopnet_cli.analysis.timbre.timbre_features", fails)
    with pytest.raises(AudioError, match=r"^x\.wav: the audio is odd$"):
        hear(encoded(clicks(6, [0.5])), name="x.wav", transcriber=Clicks(), normalisation=UNIT)
    with pytest.raises(AudioError, match=r"^x\.wav is silent"):
        hear(encoded(np.zeros(RATE)), name="x.wav", transcriber=Clicks(), normalisation=UNIT)
    with pytest.raises(UsageError):
        hear(encoded(clicks(6, [])), start=2, end=1, transcriber=Clicks(), normalisation=UNIT)


@pytest.mark.parametrize("seconds", [130.0, 180.0, 60.004, 240.5])
def test_pieces_make_the_whole(seconds):
    rng = np.random.default_rng(2)
    times = sorted({*np.round(rng.uniform(0, seconds - 0.1, 200), 3), 59.99, 60.0, 59.999, 0.0})
    content = encoded(clicks(seconds, times))
    audio, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    facts = survey(content)
    told = []
    ears = Clicks()
    pieces = transcribe_in_pieces(ears, content, replace(facts, dc=0.0), "x", lambda *done: told.append(done))
    whole = Clicks().transcribe(audio, RATE)
    assert [hit.seconds for hit in pieces.hits] == pytest.approx([hit.seconds for hit in whole.hits], abs=1e-6)
    np.testing.assert_array_equal(pieces.activations, whole.activations)
    np.testing.assert_array_equal(pieces.voices, whole.voices)
    assert pieces.seconds == whole.seconds
    assert max(seconds for seconds, _ in ears.calls) <= 64 and told[-1] == (facts.seconds, facts.seconds)


def test_the_busiest_part():
    facts = survey(encoded(clicks(4, [])))
    hits = tuple(HeardHit(float(time), "kick", 0.5) for time in (1, 2, 3, 400, 401, 402, 403, 590))
    frames = np.zeros((0, 3), np.float32)
    whole = Transcription(hits, frames, frames, 600.0)
    start, stop = busiest(whole, replace(facts, stop=600 * RATE), 100.0)
    assert start <= 400 * RATE and stop >= 403 * RATE and stop - start == 100 * RATE
    nothing = Transcription((), frames, frames, 600.0)
    assert busiest(nothing, replace(facts, stop=600 * RATE), 100.0) == (0, 100 * RATE)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.000 s"), (12.3456, "12.346 s"), (123, "2:03"), (3723.4, "1:02:03"), (59.9999, "60.000 s")],
)
def test_times_as_a_person_reads_them(seconds, text):
    assert clock(seconds) == text
