"""What a transfer is made from: rhythms and sounds, each heard once, the model and the transcriber loaded once."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from loopnet_cli.cli.console import Console
from loopnet_cli.cli.host import Host
from loopnet_cli.cli.models_chosen import loaded_model
from loopnet_cli.cli.sources import Kind, Source
from loopnet_cli.controls import Kit
from loopnet_cli.errors import AudioError, UsageError, WeightsError, named
from loopnet_cli.pattern.midi import take_bars
from loopnet_cli.pattern.model import VOICES, Pattern
from loopnet_cli.pattern.read import STDIN, read_pattern

if TYPE_CHECKING:
    from loopnet_cli.analysis.hearing import Heard
    from loopnet_cli.synthesis.paper import WeightsSource
    from loopnet_cli.synthesis.transfer import Sound

T = TypeVar("T")
_METHODS = {"given": "the tempo stated", "file": "the tempo in the file", "default": "no tempo in the file"}


@dataclass(frozen=True)
class Wishes:
    """What is asked of the rhythms and the recordings.

    Attributes
    ----------
    drum_map, meter
        As `loopnet_cli.pattern.read.read_pattern` takes them; the meter holds for recorded rhythms too.
    tempo : float or None
        Of the result; None for the rhythm's own.
    bars : int or None
        Taken or filled.
    quantize : tuple of int, float, float, or None
        Steps, strength and swing of `loopnet_cli.analysis.rhythm.quantized`.
    rhythm, timbre : Mapping
        What `loopnet_cli.analysis.hearing.hear` is told of recorded rhythms, and of recorded sounds.
    """

    drum_map: str | Mapping[int, str] = "auto"
    meter: tuple[int, int] | None = None
    tempo: float | None = None
    bars: int | None = None
    quantize: tuple[int, float, float] | None = None
    rhythm: Mapping[str, Any] = field(default_factory=dict)
    timbre: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rhythm:
    """A rhythm that was read or heard.

    Attributes
    ----------
    source : Source
        Where it is from.
    pattern : Pattern
        As it will be played.
    original : Pattern
        As it was found, at its own tempo.
    method : str
        How its tempo was found.
    warnings : tuple of str
        What the user should know.
    heard : Heard or None
        The recording, if it is one.
    """

    source: Source
    pattern: Pattern
    original: Pattern
    method: str
    warnings: tuple[str, ...]
    heard: Heard | None = None


@dataclass(frozen=True)
class Timbre:
    """A sound that was found."""

    source: Source
    sound: Sound
    warnings: tuple[str, ...] = ()
    heard: Heard | None = None


class Workshop:
    """Reads, hears and finds, and remembers.

    A failure is remembered too: the same exception is raised again, so that it can be told once.
    """

    def __init__(self, wishes: Wishes, console: Console, host: Host, weights: WeightsSource | None = None) -> None:
        self.wishes, self._console, self._host, self._weights = wishes, console, host, weights
        self._known: dict[tuple[str, int], object] = {}

    @cached_property
    def model(self) -> Any:
        """The studio model, or the player of one of the paper's."""
        return loaded_model(self._host, self._weights)

    @property
    def is_paper(self) -> bool:
        """Whether one of the paper's models plays."""
        return self._weights is not None

    @cached_property
    def ears(self) -> Any:
        """The transcriber."""
        from loopnet_cli.analysis.transcriber import load_transcriber

        return self._host.once("ears", load_transcriber)

    def rhythm(self, source: Source) -> Rhythm:
        """Read or hear a rhythm.

        Raises
        ------
        LoopnetError
            With the name of the source.
        """
        return self._once("rhythm", source, lambda: self._rhythm(source))

    def timbre(self, source: Source) -> Timbre:
        """Find a sound; for errors see `rhythm`."""
        return self._once("timbre", source, lambda: self._timbre(source))

    def own_sound(self, rhythm: Rhythm, kit: Kit) -> Sound:
        """Return how a recorded rhythm sounds by itself, or the kit for one that is written down."""
        from loopnet_cli.synthesis.transfer import Sound

        heard = rhythm.heard
        return Sound(kit) if heard is None else self._once("own", rhythm.source, lambda: self._sound(heard))

    def forget(self, source: Source) -> None:
        """Let a rhythm go that is not needed any more: recordings are large."""
        for what in ("rhythm", "own"):
            self._known.pop((what, id(source)), None)

    def _once(self, what: str, source: Source, make: Callable[[], T]) -> T:
        key = (what, id(source))
        if key not in self._known:
            try:
                self._known[key] = make()
            except (BrokenPipeError, WeightsError):
                raise
            except Exception as error:
                self._known[key] = error
        found: Any = self._known[key]
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        return found  # type: ignore[no-any-return]

    def _rhythm(self, source: Source) -> Rhythm:
        wishes = self.wishes
        heard = None
        if source.kind is Kind.PATTERN:
            stdin = None if source.content is None else io.BytesIO(source.content)
            found = read_pattern(
                source.input.source if stdin is None else STDIN,
                drum_map=wishes.drum_map, tempo=wishes.tempo, bars=wishes.bars, meter=wishes.meter, stdin=stdin,
            )  # fmt: skip
            original, warnings, method = found.pattern, tuple(found.warnings), _METHODS[found.tempo_source]
            pattern = original
        else:
            heard = self._hear(source, "rhythm", {**wishes.rhythm, "meter": wishes.meter})
            original, warnings, method = heard.pattern, heard.warnings, heard.section.method
            if not original.hits:
                raise AudioError(f"{source.label}: no drum hits were heard, so there is no rhythm to take")
            pattern = original if wishes.tempo is None else original.with_tempo(wishes.tempo)
        with named(source.label):
            if heard is not None and wishes.bars is not None:
                pattern = take_bars(pattern, wishes.bars)
            if wishes.quantize is not None:
                from loopnet_cli.analysis.rhythm import quantized

                steps, strength, swing = wishes.quantize
                pattern = quantized(pattern, steps, strength=strength, swing=swing)
        self._warn(source, warnings)
        return Rhythm(source, pattern, original, method, warnings, heard)

    def _timbre(self, source: Source) -> Timbre:
        from loopnet_cli.synthesis.transfer import Sound

        if source.kind is Kind.KIT:
            return Timbre(source, Sound(source.kit))
        heard = self._hear(source, "timbre", self.wishes.timbre)
        sound = self._sound(heard, source.input.stem)
        self._warn(source, heard.warnings)
        return Timbre(source, sound, heard.warnings, heard)

    def _hear(self, source: Source, what: str, told: Mapping[str, Any]) -> Heard:
        from loopnet_cli.analysis.hearing import hear

        try:
            heard = hear(
                source.input.source if source.content is None else source.content,
                name=source.label, transcriber=self.ears, normalisation=self.model.normalisation, **told,
            )  # fmt: skip
        except UsageError as error:
            # it names its own parameters, which are options of this command under other names
            text = re.sub(r"--(start|end|bpm|bars)\b", rf"--{what}-\1", str(error))
            raise UsageError(f"{source.label}: {text}") from error
        self._console.info(f"{source.label}: heard {describe(heard)}")
        return heard

    def _sound(self, heard: Heard, name: str | None = None) -> Sound:
        if self.is_paper:
            from loopnet_cli.synthesis.papertransfer import heard_kit
            from loopnet_cli.synthesis.transfer import Sound

            told = name or Path(heard.name).stem
            return Sound(heard_kit(told, heard.timbre_points, heard.chroma.tolist(), self.model.units))
        from loopnet_cli.synthesis.transfer import sound_of

        with named(heard.name):
            return sound_of(
                self.model, heard.audio, heard.sample_rate, heard.pattern,
                timbre=heard.timbre, chroma=[float(value) for value in heard.chroma],
                name=name or Path(heard.name).stem, description=f"heard in {Path(heard.name).name}",
            )  # fmt: skip

    def _warn(self, source: Source, warnings: tuple[str, ...]) -> None:
        for warning in warnings:
            self._console.warn(f"{source.label}: {warning}")


def counts(pattern: Pattern) -> dict[str, int]:
    """Return how often each voice that is played is struck."""
    found = Counter(hit.voice for hit in pattern.hits)
    return {voice: found[voice] for voice in VOICES if found[voice]}


def describe(heard: Heard) -> str:
    """Return in a line what was heard in a recording."""
    section = heard.section
    bars = "1 bar" if section.bars == 1 else f"{section.bars} bars"
    each = ", ".join(f"{count} {voice.replace('_', ' ')}" for voice, count in counts(heard.pattern).items())
    return (
        f"{bars} of {section.meter[0]}/{section.meter[1]} at {section.tempo:.2f} BPM "
        f"({section.start:.3f} s to {section.end:.3f} s, {section.method}), {each or 'no hits'}"
    )
