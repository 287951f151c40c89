"""The rules by which a section is found: stated tempo and bars, hints, loops, recordings, single hits.

`loopnet_cli.analysis.section` is the door to this; it checks what goes in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.loop_evidence import Meter, beats_per_bar
from loopnet_cli.analysis.pulse import attack_at_start, onset_curves, onset_peaks, repetition
from loopnet_cli.analysis.recording import Bars, bars_of_recording
from loopnet_cli.analysis.tempo import (
    HIGHEST_TEMPO,
    LoopReading,
    length_confidence,
    read_loop,
)
from loopnet_cli.errors import UsageError
from loopnet_cli.pattern.model import MAX_TEMPO, MIN_TEMPO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.hints import Hints

    Audio = NDArray[np.float32]

MAX_LOOP_SECONDS = 64.0
"""Longer files are taken for recordings, unless a tempo is stated that fits."""
CHOSEN_BARS = 4
"""How many bars are chosen from a recording."""
FITS_SHARE = 0.02
"""A length fits a stated tempo if it is off by at most this share (rounded tempos, padding of codecs)."""
LOOP_FIT = 0.6
"""A length that comes this near to whole beats (see `length_confidence`) supports a tempo."""
LOOP_SCORE = 1.05
"""Fit of the length, attack at the start and length of a loop together reach this."""
NOTHING_TO_CHOOSE_SECONDS = 3.0
"""Shorter than two bars at 160 BPM: there is no bar to choose but the recording itself."""
MIN_REPETITION = 0.1
"""What repeats less has no beat."""
MIN_ONSETS = 3
ATTACK = 0.3
DEFAULT_TEMPO = 120.0
SILENCE_DB = -60.0
"""Below the peak: what is cut off when a length is also tried without silence."""
RUNNERS_UP = 3


@dataclass(frozen=True, slots=True)
class Section:
    """Whole bars of a recording.

    Attributes
    ----------
    start, end : float
        In seconds from the start of the audio; `end` may lie after its end.
    tempo : float
        Quarter notes per minute, exactly that of `bars` bars from `start` to `end`.
    bars : int
    meter : tuple of int
    is_loop : bool
        Whether the audio is cut as a loop: its end goes on at its start.
    confidence : float
        How sure the tempo and bars are, 0..1.
    method : str
        How they were found, in words.
    estimates : dict of str to float
        Tempos in BPM by name: of each estimator, and of the runners-up (``as 2 bars``).
    """

    start: float
    end: float
    tempo: float
    bars: int
    meter: Meter
    is_loop: bool
    confidence: float
    method: str
    estimates: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """A recording in which whole bars are looked for.

    Attributes
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, not silent.
    sample_rate : int
        In Hz.
    meter : tuple of int
        Of the bars.
    may_halve : bool
        Whether a loop too short for a bar may be taken for half of one (nobody stated the meter).
    madmom : bool
        Whether madmom may listen, where it is installed.
    """

    audio: Audio
    sample_rate: int
    meter: Meter
    may_halve: bool = False
    madmom: bool = True

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return len(self.audio) / self.sample_rate

    @property
    def a_bar(self) -> float:
        """Quarter notes in a bar."""
        return beats_per_bar(self.meter)

    def unstated(self, hints: Hints) -> Section:
        """Find bars of which the user has said nothing."""
        note = ""
        if hints.bpm is not None or hints.beats is not None:
            hinted = self._by_hints(hints)
            if hinted is not None:
                return hinted
            note = f"; the {hints.bpm_from or 'acid chunk'}'s tempo does not fit the length"
        curves = onset_curves(self.audio, self.sample_rate, circular=False) if self.short else None
        if curves is not None and onset_peaks(curves) < MIN_ONSETS:
            return self._no_beat("no beat found: too few strokes" + note)
        if curves is not None:
            if repetition(curves) < MIN_REPETITION:
                return self._no_beat("no beat found: nothing repeats" + note)
            found = self._loop()
            if isinstance(found, Section):
                return replace(found, method=found.method + note)
            return self._recording(CHOSEN_BARS, note=note, estimates=found.estimates)
        return self._recording(CHOSEN_BARS, note=note)

    def at_tempo(self, bpm: float, source: str, *, strict: bool = True) -> Section:
        """Find bars at a known tempo; `strict` if the user said so, and an error if not a bar fits."""
        for first, last in self.spans():
            count = (last - first) * bpm / 60 / self.a_bar
            bars = max(1, round(count))
            if abs(count - bars) <= FITS_SHARE * bars:
                fit = length_confidence(last - first, bpm)
                return self.section(first, last, bars, True, max(0.5, fit), f"length at {source}")
        count = self.seconds * bpm / 60 / self.a_bar
        if count < 1 - 1 / self.a_bar:
            raise UsageError(
                f"{self.seconds:.3f} s is less than a bar of {self.meter_text} at {bpm:g} BPM "
                f"({60 * self.a_bar / bpm:.3f} s): give another --bpm, or --bars"
            )
        misfit = f"the length does not fit: {count:.2f} bars at {bpm:g} BPM"
        if not self.short or not self.starts_with_attack():
            found = self.bars_heard(bars=CHOSEN_BARS, tempo=bpm)
            if found is not None:
                return self.section(
                    found.start, found.end, found.bars, False, found.confidence, f"{source}, {found.method}; {misfit}"
                )
        # the tail of the last bar may have been trimmed by less than a beat
        bars = max(1, math.floor(count + 1 / self.a_bar))
        end = 60 * bars * self.a_bar / bpm
        return self.section(0.0, end, bars, False, 0.5, f"{source}, from the start; {misfit}")

    def tempo(self) -> tuple[float, str, float]:
        """Estimate the tempo of audio that may be cut anywhere: BPM, how, and how sure (0..1)."""
        found = self.bars_heard(bars=CHOSEN_BARS)
        if found is not None and found.bars >= 2:
            return found.tempo, f"tempo of {found.method}", found.confidence
        if self.short:
            reading = self.read()
            return reading.best.tempo, _words(reading), reading.best.probability
        return DEFAULT_TEMPO, "no beat found", 0.05

    def read(self) -> LoopReading:
        """Read all of the audio as a loop."""
        return read_loop(self.audio, self.sample_rate, self.meter, madmom=self.madmom)

    def bars_heard(self, *, bars: int, tempo: float | None = None) -> Bars | None:
        """Choose the steadiest bars of the audio, near a tempo if it is known."""
        return bars_of_recording(
            self.audio, self.sample_rate, meter=self.meter, bars=bars, tempo=tempo, madmom=self.madmom
        )

    @property
    def short(self) -> bool:
        """Whether it may be a loop."""
        return self.seconds <= MAX_LOOP_SECONDS

    @property
    def meter_text(self) -> str:
        """The meter as people write it."""
        return f"{self.meter[0]}/{self.meter[1]}"

    def _by_hints(self, hints: Hints) -> Section | None:
        """Follow the file's own words; None if they cannot be true of this audio."""
        source = hints.bpm_from or "acid chunk"
        if hints.beats is not None:
            bars = hints.beats / self.a_bar
            count = max(1, round(bars))
            # half a quarter note at the end is rounded in the chunk
            tempo = 60 * count * self.a_bar / self.seconds
            agrees = hints.bpm is None or abs(tempo / hints.bpm - 1) <= FITS_SHARE
            if abs(bars - count) * self.a_bar <= 0.5 and agrees and MIN_TEMPO <= tempo <= MAX_TEMPO:
                return self.section(0.0, self.seconds, count, True, 1.0, f"tempo and beats of its {source}")
        if hints.bpm is None:
            return None
        try:
            return self.at_tempo(hints.bpm, f"the tempo of its {source}")
        except UsageError:  # a single sound of a set made for that tempo
            return None

    def _loop(self) -> Section | LoopReading:
        """Take the audio for a loop, with or without the silence around it; its reading if it is none."""
        search = self
        if self.may_halve and self.seconds * HIGHEST_TEMPO / 60 < self.a_bar:
            search = replace(self, meter=(2, 4))
        reading = search.read()
        if search._is_loop(reading):
            return search._read(0.0, self.seconds, reading)
        for first, last in self.spans()[1:]:
            fits = [length_confidence(last - first, bpm) for bpm in reading.estimates.values()]
            if max(fits, default=1.0) < LOOP_FIT:
                continue
            piece = replace(search, audio=self.audio[round(first * self.sample_rate) : round(last * self.sample_rate)])
            again = piece.read()
            if piece._is_loop(again):
                return piece._read(first, last, again, " without the silence around it")
        return reading

    def _is_loop(self, reading: LoopReading) -> bool:
        return self.seconds < NOTHING_TO_CHOOSE_SECONDS or self._loop_score(reading) >= LOOP_SCORE

    def _loop_score(self, reading: LoopReading) -> float:
        """Sum up the fit of the length, an attack at the start, and the length itself.

        The shares are those of a logistic regression on rendered loops, whole and cut anywhere.
        """
        start = attack_at_start(onset_curves(self.audio, self.sample_rate, circular=False))
        return reading.fit + 0.54 * start - 0.27 * math.log(self.seconds / 6.0)

    def _read(self, first: float, last: float, reading: LoopReading, note: str = "") -> Section:
        best = reading.best
        sure = best.probability * (0.5 + 0.5 * reading.fit)
        if self._loop_score(reading) < LOOP_SCORE:
            sure *= 0.5  # taken whole only because it is short
        estimates = dict(reading.estimates)
        for other in reading.hypotheses[1 : 1 + RUNNERS_UP]:
            estimates[f"as {other.bars} bar{'s' * (other.bars > 1)}"] = other.tempo
        return Section(
            first, last, best.tempo, best.bars, self.meter, True,
            sure, f"length{note}, {_words(reading)}", estimates,
        )  # fmt: skip

    def _recording(self, bars: int, *, note: str, estimates: dict[str, float] | None = None) -> Section:
        found = self.bars_heard(bars=bars)
        if found is None or not MIN_TEMPO <= found.tempo <= MAX_TEMPO:
            return self._no_beat("no beat found: no whole bar" + note, estimates)
        return self.section(found.start, found.end, found.bars, False, found.confidence, found.method + note, estimates)

    def _no_beat(self, method: str, estimates: dict[str, float] | None = None) -> Section:
        """Answer for a single hit, noise or a pad: a bar at 120 BPM, or the whole as bars near that tempo."""
        count = self.seconds * DEFAULT_TEMPO / 60 / self.a_bar
        if count < 1 / math.sqrt(2) or not self.short:
            end = 60 * self.a_bar / DEFAULT_TEMPO
            return self.section(0.0, end, 1, False, 0.0, f"{method}; one bar at {DEFAULT_TEMPO:g} BPM", estimates)
        bars = 2 ** round(math.log2(count))
        return self.section(0.0, self.seconds, bars, False, 0.05, method, estimates)

    def section(
        self, start: float, end: float, bars: int, is_loop: bool, confidence: float, method: str,
        estimates: dict[str, float] | None = None,
    ) -> Section:  # fmt: skip
        """Return a section, its tempo from its length."""
        tempo = 60 * bars * self.a_bar / (end - start)
        return Section(start, end, tempo, bars, self.meter, is_loop, confidence, method, estimates or {})

    def starts_with_attack(self) -> bool:
        """Say whether a stroke begins at once, as in a file cut on a bar line."""
        piece = self.audio[: round(10 * self.sample_rate)]
        return attack_at_start(onset_curves(piece, self.sample_rate, circular=False)) > ATTACK

    def spans(self) -> list[tuple[float, float]]:
        """Return the ends of the audio, then those without silence before, after or around it, in seconds."""
        if not self.short:  # copies of an hour of audio are not worth what they would find
            return [(0.0, self.seconds)]
        loud = np.abs(self.audio) > 10 ** (SILENCE_DB / 20) * np.abs(self.audio).max()
        first, last = int(np.argmax(loud)), len(loud) - int(np.argmax(loud[::-1]))
        spans = [(0, len(loud)), (first, len(loud)), (0, last), (first, last)]
        return [(a / self.sample_rate, b / self.sample_rate) for a, b in dict.fromkeys(spans)]


def _words(reading: LoopReading) -> str:
    """Say what the tempo of a loop was read from."""
    used = ["its periodicity"]
    if any(name != "madmom" for name in reading.estimates):
        used.append("tempo estimators of essentia")
    if reading.madmom:
        used.append("beats and downbeats by madmom")
    return " and ".join([", ".join(used[:-1]), used[-1]] if len(used) > 1 else used)
