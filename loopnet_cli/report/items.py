"""What a page shows: loops, what they were made from, and the knobs asked against those measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.errors import AudioError, PatternError
from loopnet_cli.pattern.model import Hit, Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from loopnet_cli.analysis.normalise import Normalisation
    from loopnet_cli.audio.levels import Levels

MAX_HITS = 50_000
"""Hits read from a file's settings; what has more shows none."""

_FIRST = ("kit", "seed", "model", "chroma")
"""Settings that are shown before all others."""

_NOT_SHOWN = frozenset({"pattern", "timbre_asked", "timbre", "bars", "meter", "tempo", "sample_rate", "pattern_bars"})


@dataclass(frozen=True, eq=False)
class Clip:
    """Something to listen to.

    Attributes
    ----------
    label : str
        What it is called. Nothing in it can do harm: it is shown as text.
    audio : ndarray of float32, shape (samples,) or (samples, 2), or None
        Full scale is -1..1. None: what `path` holds, read when the page takes it in.
    sample_rate : int or None
        In Hz; needed with `audio`.
    path : Path or None
        The file, to link to.
    pattern : Pattern or None
        What is played.
    tempo, bars, meter
        As in the pattern, which they default to.
    levels : Levels or None
        Loudness and peak, if they are known already.
    role : str
        What it is to the loop, for what a loop is compared with: e.g. ``rhythm`` or ``sound``.
    """

    label: str
    audio: NDArray[np.float32] | None = None
    sample_rate: int | None = None
    path: Path | None = None
    pattern: Pattern | None = None
    tempo: float | None = None
    bars: int | None = None
    meter: tuple[int, int] | None = None
    levels: Levels | None = None
    role: str = ""


@dataclass(frozen=True)
class Knobs:
    """The timbre features of a loop, by name, 0 to 1 (and somewhat beyond).

    Attributes
    ----------
    asked : Mapping from feature name to float
        What the model was to reach.
    measured : Mapping from feature name to float
        What was found in the loop; empty if that was not looked for.
    given : frozenset of str
        Those that the user set; the others are the kit's own.
    """

    asked: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class ReportItem:
    """One loop of a page.

    Attributes
    ----------
    name : str
        What it is called.
    clip : Clip or None
        The loop; None for one that failed.
    knobs : Knobs or None
        Asked and measured, if known.
    settings : Mapping
        More to be shown beside it, as plain values; nested mappings are shown as ``outer.inner``.
    inputs : tuple of Clip
        What it is to be compared with, e.g. the rhythm A and the sound B of a transfer.
    axes : Mapping
        The values of what was swept, in the order of the sweep.
    error : str or None
        Why there is no loop.
    """

    name: str
    clip: Clip | None
    knobs: Knobs | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[Clip, ...] = ()
    axes: Mapping[str, str | float] = field(default_factory=dict)
    error: str | None = None


def item_from_file(
    path: str | Path,
    *,
    name: str | None = None,
    axes: Mapping[str, str | float] | None = None,
    measured: Mapping[str, float] | None = None,
    normalisation: Normalisation | None = None,
    inputs: tuple[Clip, ...] = (),
) -> ReportItem:
    """Describe a loop by its file: loopnet stores in it how it was made.

    Parameters
    ----------
    path : path
        A WAV or FLAC file. What others wrote is described as far as it says something of itself.
    name : str, optional
        What to call it; the file's name if left out.
    axes : Mapping, optional
        See `ReportItem`.
    measured : Mapping from feature name to float, optional
        The knobs found in it, if that is known already.
    normalisation : Normalisation, optional
        Measure them now, in these units (0.1 to 0.3 s a bar); not at all if left out.
    inputs : tuple of Clip
        See `ReportItem`.

    Raises
    ------
    AudioError
        If the file cannot be read.
    """
    from loopnet_cli.audio.write import read_loop_metadata

    path = Path(path)
    facts = read_loop_metadata(path)
    settings = facts.settings
    repeat = settings.get("repeat")
    bars = settings.get("bars")
    clip = Clip(
        path.name,
        path=path,
        pattern=_pattern(settings, facts.tempo),
        tempo=facts.tempo,
        bars=bars if isinstance(bars, int) and bars > 0 else None,
        meter=facts.meter,
    )
    if measured is None and normalisation is not None:
        measured = _measured(path, normalisation, repeat if isinstance(repeat, int) and repeat > 0 else 1)
    given = settings.get("timbre")
    return ReportItem(
        path.name if name is None else name,
        clip,
        Knobs(
            _features(settings.get("timbre_asked")),
            _features(measured),
            frozenset(_names(given)),
        ),
        shown_settings(settings),
        inputs,
        dict(axes or {}),
    )


def shown_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings of a loop without those that a page shows otherwise; knobs as they were typed."""
    shown = {key: settings[key] for key in _FIRST if settings.get(key) is not None}
    knobs = settings.get("timbre")
    if isinstance(knobs, Mapping) and knobs:
        shown["knobs set"] = ", ".join(f"{key} {value}" for key, value in knobs.items())
    shown |= {key: value for key, value in settings.items() if key not in _NOT_SHOWN and value is not None}
    if shown.get("repeat") == 1:
        del shown["repeat"]
    return shown


def _measured(path: Path, normalisation: Normalisation, repeat: int) -> Mapping[str, float]:
    """Measure a file's knobs; none where it is silent or too long."""
    from loopnet_cli.analysis.timbre import timbre_features
    from loopnet_cli.audio.read import read_audio
    from loopnet_cli.audio.resample import resample_circular

    audio, rate = read_audio(path, mono=True)
    if repeat > 1 and len(audio) % repeat == 0:
        audio = audio[: len(audio) // repeat]
    try:
        # the features are defined at this rate, and a loop may have been written at another
        if rate != 44100:
            audio = resample_circular(audio, max(1, round(len(audio) / rate * 44100)))
        return normalisation.to_unit(timbre_features(audio, 44100, circular=True))
    except AudioError:
        return {}


def _pattern(settings: Mapping[str, object], tempo: float | None) -> Pattern | None:
    """Return the pattern stored with a loop, if it is one."""
    stored, meter, bars = settings.get("pattern"), settings.get("meter"), settings.get("pattern_bars")
    if not isinstance(stored, list) or len(stored) > MAX_HITS or not isinstance(bars, int):
        return None
    try:
        hits = tuple(Hit(float(beat), str(voice), float(velocity)) for beat, voice, velocity in stored)
        match meter:
            case [int(numerator), int(denominator)]:
                return Pattern(hits, bars, (numerator, denominator), 120.0 if tempo is None else float(tempo))
    except (TypeError, ValueError, OverflowError, PatternError):
        pass
    return None


def _features(values: Any) -> dict[str, float]:
    if not isinstance(values, Mapping):
        return {}
    return {n: float(values[n]) for n in TIMBRE_NAMES if isinstance(values.get(n), int | float)}


def _names(values: object) -> list[str]:
    return [name for name in TIMBRE_NAMES if name in values] if isinstance(values, Mapping) else []
