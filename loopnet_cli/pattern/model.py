"""The rhythm: hits on a grid of beats, with meter, tempo and a whole number of bars.

Conventions
-----------
A beat is a quarter note, whatever the meter, so that a tempo in BPM means the
same in 4/4 and in 6/8 (as in MIDI files and DAWs). A pattern is a circle: beat
positions lie in ``[0, beats)`` and the end joins the start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from loopnet_cli.errors import PatternError

VOICES: tuple[str, ...] = (
    "kick", "snare", "clap", "rim", "hat_closed", "hat_open", "tom", "crash", "ride", "perc",
)  # fmt: skip
"""The ten voices, in the order used in files and displays."""

STEMS: dict[str, tuple[str, ...]] = {
    "kick": ("kick",),
    "snare": ("snare", "clap", "rim"),
    "hat": ("hat_closed", "hat_open"),
    "rest": ("tom", "crash", "ride", "perc"),
}
"""The four stems and the voices that each one sums."""

STEM_OF_VOICE: dict[str, str] = {voice: stem for stem, voices in STEMS.items() for voice in voices}
"""The stem that a voice sounds in."""

MIN_TEMPO, MAX_TEMPO = 20.0, 400.0
MAX_BARS = 1024


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One stroke of one voice.

    Attributes
    ----------
    beat : float
        Position in quarter notes from the start of the pattern.
    voice : str
        One of `VOICES`.
    velocity : float
        Strength, above 0 and up to 1.
    """

    beat: float
    voice: str
    velocity: float = 0.8


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rhythm of whole bars.

    Attributes
    ----------
    hits : tuple of Hit
        Sorted by beat, then voice.
    bars : int
        Number of bars, at least 1.
    meter : tuple of int
        Numerator and denominator, e.g. ``(4, 4)`` or ``(7, 8)``.
    tempo : float
        Quarter notes per minute, `MIN_TEMPO` to `MAX_TEMPO`.

    Raises
    ------
    PatternError
        If a value lies outside its range or a hit outside the pattern.
    """

    hits: tuple[Hit, ...]
    bars: int = 1
    meter: tuple[int, int] = (4, 4)
    tempo: float = 120.0

    def __post_init__(self) -> None:
        numerator, denominator = self.meter
        if not (1 <= numerator <= 64 and denominator in (1, 2, 4, 8, 16, 32)):
            raise PatternError(f"meter {numerator}/{denominator} is not a meter: use e.g. 4/4, 3/4, 6/8 or 7/8")
        if not 1 <= self.bars <= MAX_BARS:
            raise PatternError(f"{self.bars} bars: a loop has 1 to {MAX_BARS} bars")
        if not MIN_TEMPO <= self.tempo <= MAX_TEMPO:
            raise PatternError(f"tempo {self.tempo:g} BPM: must lie between {MIN_TEMPO:g} and {MAX_TEMPO:g}")
        beats = self.beats
        for hit in self.hits:
            if hit.voice not in STEM_OF_VOICE:
                raise PatternError(f"unknown voice {hit.voice!r}: use one of {', '.join(VOICES)}")
            if not 0 <= hit.beat < beats:
                raise PatternError(f"{hit.voice} at beat {hit.beat:g} lies outside the pattern's {beats:g} beats")
            if not 0 < hit.velocity <= 1:
                raise PatternError(f"velocity {hit.velocity:g} of {hit.voice} must lie above 0 and up to 1")
        object.__setattr__(self, "hits", tuple(sorted(self.hits)))

    @property
    def beats_per_bar(self) -> float:
        """Quarter notes in a bar."""
        return self.meter[0] * 4 / self.meter[1]

    @property
    def beats(self) -> float:
        """Quarter notes in the whole pattern."""
        return self.bars * self.beats_per_bar

    @property
    def seconds(self) -> float:
        """Length at the pattern's tempo."""
        return 60.0 / self.tempo * self.beats

    @property
    def voices(self) -> tuple[str, ...]:
        """The voices that sound, in the order of `VOICES`."""
        present = {hit.voice for hit in self.hits}
        return tuple(voice for voice in VOICES if voice in present)

    def samples(self, sample_rate: int = 44100) -> int:
        """Length of the loop in samples: ``round(60 / tempo * beats * sample_rate)``."""
        return round(60.0 / self.tempo * self.beats * sample_rate)

    def onset_samples(self, sample_rate: int = 44100) -> list[int]:
        """Sample index of each hit, in ``[0, samples)``, in the order of `hits`."""
        total = self.samples(sample_rate)
        return [round(hit.beat / self.beats * total) % total for hit in self.hits]

    def with_tempo(self, tempo: float) -> Pattern:
        """Return the same hits at another tempo."""
        return replace(self, tempo=float(tempo))

    def with_bars(self, bars: int) -> Pattern:
        """Return the first `bars` bars, or the pattern repeated until it fills them."""
        target = bars * self.beats_per_bar
        hits: list[Hit] = []
        start = 0.0
        while start < target:
            hits += [replace(h, beat=start + h.beat) for h in self.hits if start + h.beat < target]
            start += self.beats
        return replace(self, hits=tuple(hits), bars=bars)

    def rotated(self, beats: float) -> Pattern:
        """Return the pattern turned by `beats` quarter notes along its circle (later for positive values)."""
        total = self.beats
        # the second modulo maps a sum that rounds up to the full circle back to its start
        hits = tuple(replace(h, beat=((h.beat + beats) % total) % total) for h in self.hits)
        return replace(self, hits=hits)

    def only(self, voices: Iterable[str]) -> Pattern:
        """Return the pattern with just the named voices (or stems, e.g. ``hat``)."""
        wanted: set[str] = set()
        for name in voices:
            if name in STEMS:
                wanted.update(STEMS[name])
            elif name in STEM_OF_VOICE:
                wanted.add(name)
            else:
                raise PatternError(f"unknown voice {name!r}: use {', '.join(VOICES)} or a stem ({', '.join(STEMS)})")
        return replace(self, hits=tuple(h for h in self.hits if h.voice in wanted))
