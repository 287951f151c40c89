"""Everything there is to hear in a recording: tempo and bars, hits, envelope, timbre, chroma, level.

Steps
-----
1. One pass over the file, or the part chosen: length, clipping, offset, silence (`loopnet_cli.audio.survey`).
2. The section: the whole of it where it is a loop, else its steadiest bars (`loopnet_cli.analysis.section`).
   A recording longer than `SEARCH_SECONDS` is transcribed in pieces first; bars are then looked for where most
   is struck. Its length costs time, not memory.
3. The transcription, the pattern and the features of the section: as a circle if it is a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.pieces import Progress, busiest, transcribe_in_pieces
from loopnet_cli.analysis.transcription import FRAME_RATE, Transcription
from loopnet_cli.audio import levels
from loopnet_cli.audio.read import mix_down, read_part
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.audio.survey import Survey, survey
from loopnet_cli.controls import PITCH_CLASSES
from loopnet_cli.errors import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.hints import Hints
    from loopnet_cli.analysis.normalise import Normalisation
    from loopnet_cli.analysis.section import Section
    from loopnet_cli.analysis.transcriber import Transcriber
    from loopnet_cli.pattern.model import Pattern

FEATURE_RATE = 44100
"""Timbre and chroma are measured at the rate they are defined for."""
SEARCH_SECONDS = 180.0
"""Bars are looked for in so much audio at most."""
OFFSET = 0.01
"""A mean beyond this (-40 dB) is a fault of the recording, not of where it was cut."""
QUIET_DB = -60.0
MOST_PITCHES = 5


@dataclass(frozen=True)
class Heard:
    """What was heard in a recording. Times are seconds from the start of the file unless said otherwise.

    Attributes
    ----------
    name : str
        The file's name, as given.
    source : Survey
        Format, rate, length, clipping, offset; the frames that were listened to.
    section : Section
        The bars that everything below is about.
    audio : ndarray of float32, shape (samples,)
        The section, mono, without offset, at the file's own rate.
    transcription : Transcription
        Of the section; times count from its start.
    recording : Transcription
        Of all that was listened to; times count from there. Equal to `transcription` if that is the section.
    pattern : Pattern
        The hits in beats, by time, not snapped.
    timbre_points : dict of feature name to float
        The 21 features in AudioCommons points.
    timbre : dict of feature name to float
        The same as knob values: 0 and 1 are the 5th and 95th percentile of the training set.
    chroma : ndarray of float32, shape (12,)
        0..1, C first.
    envelope : ndarray of float32, shape (frames,)
        Amplitude, linear, one value for each frame of the activations.
    levels : Levels
        Of the section, in the file's own channels.
    warnings : tuple of str
        What is odd about the recording.
    """

    name: str
    source: Survey
    section: Section
    audio: NDArray[np.float32]
    transcription: Transcription
    recording: Transcription
    pattern: Pattern
    timbre_points: dict[str, float]
    timbre: dict[str, float]
    chroma: NDArray[np.float32]
    envelope: NDArray[np.float32]
    levels: levels.Levels
    warnings: tuple[str, ...]

    @property
    def sample_rate(self) -> int:
        """Of the file, and of `audio`."""
        return self.source.sample_rate

    @property
    def strongest_pitches(self) -> list[tuple[str, float]]:
        """The few pitch classes that sound at half the strength of the strongest, or more; strongest first."""
        order = np.argsort(-self.chroma, kind="stable")[:MOST_PITCHES]
        least = float(self.chroma.max()) / 2
        return [(PITCH_CLASSES[i], float(self.chroma[i])) for i in order if self.chroma[i] >= least > 0]


def hear(
    source: str | Path | bytes,
    *,
    name: str | None = None,
    bpm: float | None = None,
    bars: int | None = None,
    start: float | None = None,
    end: float | None = None,
    meter: tuple[int, int] | None = None,
    transcriber: Transcriber | None = None,
    normalisation: Normalisation | None = None,
    progress: Progress | None = None,
) -> Heard:
    """Listen to a recording.

    Parameters
    ----------
    source : path or bytes
        A file in any format that libsndfile knows (WAV, FLAC, OGG, MP3, AIFF, ...), or its content.
    name : str, optional
        What to call it; by default its path.
    bpm, bars, meter : optional
        What is known of the rhythm; found otherwise. The meter is 4/4 if not given.
    start, end : float, optional
        The part to listen to, in seconds. Both together name the section itself.
    transcriber : Transcriber, optional
        Loaded if not given; hand it over where many files are heard.
    normalisation : Normalisation, optional
        From points to knob values; by default that of the studio model.
    progress : callable, optional
        Called with the seconds transcribed so far and those of the whole, for long recordings.

    Raises
    ------
    UsageError
        If a number is out of its range.
    AudioError
        If the file is no audio, too short, too long, silent, or holds NaN or infinity.
    """
    name = name or ("the audio" if isinstance(source, bytes) else str(source))
    with named(name):
        facts = survey(source, start=start, end=end, name=name)
        ears = transcriber if transcriber is not None else _transcriber()
        whole = None
        window = (facts.start, facts.stop)
        warnings = [*facts.warnings, *_warnings(facts)]
        if facts.seconds > SEARCH_SECONDS:
            whole = transcribe_in_pieces(ears, source, facts, name, progress)
            window = busiest(whole, facts, SEARCH_SECONDS)
            chosen = tuple(clock(frame / facts.sample_rate) for frame in window)
            warnings.append(
                f"long: bars were looked for where most is struck, from {chosen[0]} to {chosen[1]}; "
                "choose another place by --start and --end"
            )
        played = read_part(source, *window, mono=False, name=name)
        audio = (played if played.ndim == 1 else mix_down(played)) - np.float32(facts.dc)
        exact = start is not None and end is not None and whole is None
        found = _section(audio, facts, _hints(source, name, whole is None and start is None and end is None),
                         bpm=bpm, bars=bars, meter=meter, exact=exact)  # fmt: skip
        return _heard(name, facts, window[0], found, played, audio, whole, ears, normalisation, warnings)


def clock(seconds: float) -> str:
    """Return a time as a person reads it: ``1:02:03``, ``2:03`` or ``12.345 s``."""
    if seconds < 60:
        return f"{seconds:.3f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _heard(
    name: str,
    facts: Survey,
    offset: int,
    section: Section,
    played: NDArray[np.float32],
    audio: NDArray[np.float32],
    whole: Transcription | None,
    ears: Transcriber,
    normalisation: Normalisation | None,
    warnings: list[str],
) -> Heard:
    """Hear a section found in `audio`: the mono mix of what was `played` from frame `offset` of the file on."""
    from loopnet_cli.analysis.envelope import frame_envelope
    from loopnet_cli.analysis.rhythm import heard_pattern
    from loopnet_cli.analysis.section import section_audio
    from loopnet_cli.analysis.timbre import timbre_features

    rate = facts.sample_rate
    cut = section_audio(audio, rate, section)
    first = round(section.start * rate)
    last = min(first + len(cut), len(audio))
    is_all = first == 0 and last == len(audio)
    before = 0.0 if whole is None else (offset - facts.start) / rate
    if whole is None and not (is_all and section.is_loop):
        whole = ears.transcribe(audio, rate)
    if whole is None or section.is_loop:
        heard = ears.transcribe(cut, rate, circular=True)
    else:
        heard = _with_silence(whole.between(before + first / rate, before + first / rate + len(cut) / rate))
    pattern = heard_pattern(heard, section)
    sound = _at_feature_rate(cut, rate, section.is_loop)
    points = timbre_features(sound, FEATURE_RATE, circular=section.is_loop)
    frames = min(max(1, len(heard.activations)), len(cut))
    found = levels.measure(played[first:last], rate)
    if not heard.hits:
        warnings.append("no drum hits were heard")
    if found.true_peak_db < QUIET_DB:
        warnings.append(f"very quiet: its peak is at {found.true_peak_db:.0f} dB")
    return Heard(
        name=name,
        source=facts,
        section=replace(section, start=section.start + offset / rate, end=section.end + offset / rate),
        audio=cut,
        transcription=heard,
        recording=heard if whole is None else whole,
        pattern=pattern,
        timbre_points=points,
        timbre=(normalisation or _normalisation()).to_unit(points),
        chroma=_chroma(sound, section.is_loop),
        envelope=frame_envelope(cut, rate, frames=frames, circular=section.is_loop),
        levels=found,
        warnings=tuple(warnings),
    )


def _with_silence(heard: Transcription) -> Transcription:
    """Return the transcription of a section that ends after the recording, with frames up to its end."""
    missing = max(0, round(heard.seconds * FRAME_RATE) - len(heard.activations))
    pad = ((0, missing), (0, 0))
    return replace(heard, activations=np.pad(heard.activations, pad), voices=np.pad(heard.voices, pad))


def _section(
    audio: NDArray[np.float32],
    facts: Survey,
    hints: Hints,
    *,
    bpm: float | None,
    bars: int | None,
    meter: tuple[int, int] | None,
    exact: bool,
) -> Section:
    from loopnet_cli.analysis.section import find_section

    rate = facts.sample_rate
    start, end = (0.0, len(audio) / rate) if exact else (None, None)
    return find_section(audio, rate, hints=hints, bpm=bpm, bars=bars, start=start, end=end, meter=meter)


def _hints(source: str | Path | bytes, name: str, whole: bool) -> Hints:
    """Return what the file says of itself; its number of beats counts only where all of it is heard."""
    from loopnet_cli.analysis.hints import file_hints

    hints = file_hints(Path(name), source) if isinstance(source, bytes) else file_hints(Path(source))
    return hints if whole else replace(hints, beats=None)


def _warnings(facts: Survey) -> Iterator[str]:
    if facts.clipped:
        count = f"{facts.clipped:,}".replace(",", " ")
        yield f"{count} samples clipped"
    if abs(facts.dc) > OFFSET:
        yield f"DC offset of {facts.dc:+.2g} removed"


def _at_feature_rate(audio: NDArray[np.float32], rate: int, circular: bool) -> NDArray[np.float32]:
    if rate == FEATURE_RATE:
        return audio
    if circular:
        return resample_circular(audio, max(1, round(len(audio) * FEATURE_RATE / rate)))
    # silence around it, so that its end does not ring into its start; whole seconds are whole samples
    padded = np.pad(audio, (0, 2 * rate - len(audio) % rate))
    longer = resample_circular(padded, len(padded) // rate * FEATURE_RATE)
    return longer[: max(1, round(len(audio) * FEATURE_RATE / rate))]


def _chroma(sound: NDArray[np.float32], circular: bool) -> NDArray[np.float32]:
    from loopnet_cli.analysis.chroma import chroma

    return chroma(sound, FEATURE_RATE, circular=circular)


def _transcriber() -> Transcriber:
    from loopnet_cli.analysis.transcriber import load_transcriber

    return load_transcriber()


def _normalisation() -> Normalisation:
    from loopnet_cli.synthesis.bank import read_normalisation

    return read_normalisation()
