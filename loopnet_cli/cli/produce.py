"""One loop from its pattern to its files: render, finish, measure, write, report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loopnet_cli.audio import levels
from loopnet_cli.audio.files import make_folder, write_together
from loopnet_cli.audio.repeat import repeat_loop
from loopnet_cli.audio.resample import resample_loop
from loopnet_cli.audio.write import encode_loop
from loopnet_cli.cli.knobs import asked_values
from loopnet_cli.cli.outputs import Output
from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES, Kit, Knob, Loop
from loopnet_cli.errors import AudioError
from loopnet_cli.pattern.model import Pattern
from loopnet_cli.synthesis import bank, kit_file
from loopnet_cli.synthesis.isolate import render_alone
from loopnet_cli.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Sound:
    """How a loop shall sound.

    Attributes
    ----------
    kit : Kit
        What is not said otherwise.
    knobs : Mapping from feature name to Knob
        The timbre features that are set.
    chroma : tuple of float, or None
        The 12 pitch classes, None for the kit's own.
    refine : int
        Rounds in which the knobs are corrected by measuring; only the studio model can.
    """

    kit: Kit
    knobs: Mapping[str, Knob]
    chroma: tuple[float, ...] | None
    refine: int = 0

    @cached_property
    def stored_kit(self) -> dict[str, Any]:
        """The kit as a file has it, for the settings of a loop; empty for a built-in one: its name is enough."""
        if bank.read_bank().get(self.kit.name) == self.kit:
            return {}
        try:
            return {"kit_file": kit_file.entry_of(self.kit)}
        except (ValueError, KeyError):  # of what a paper model takes from a recording there are no codes
            return {}  # no file could hold it either; the loop is good all the same


@dataclass(frozen=True)
class Finish:
    """What happens to a rendered loop until it is a file.

    Attributes
    ----------
    sample_rate : int or None
        None for the model's own.
    normalize : str
        A mode of `loopnet_cli.audio.levels.normalize`.
    target : float or None
        Its level in dB.
    repeat : int
        How many times in a row.
    format, subtype : str
        As `loopnet_cli.audio.write.encode_loop` takes them.
    """

    sample_rate: int | None = None
    normalize: str = "peak"
    target: float | None = None
    repeat: int = 1
    format: str = "wav"
    subtype: str = "24"


@dataclass(frozen=True)
class Measured:
    """The controls found in a loop: timbre 0..1 by feature name, and the 12 pitch classes."""

    timbre: Mapping[str, float]
    chroma: tuple[float, ...]


@dataclass(frozen=True)
class Product:
    """A finished loop and what is known about it."""

    loop: Loop
    levels: levels.Levels
    warnings: tuple[str, ...]
    measured: Measured | None = None


def make(
    model: Any,
    pattern: Pattern,
    sound: Sound,
    seed: int,
    finish: Finish,
    *,
    measure: bool = False,
    alone: Pattern | None = None,
) -> Product:
    """Render a loop and finish it.

    Parameters
    ----------
    model : StudioModel or PaperPlayer
        As `loopnet_cli.synthesis.load_studio` or `loopnet_cli.synthesis.paperloop.load_player` return it.
    pattern, sound, seed, finish
        What to make.
    measure : bool
        Whether to analyse what came out (costs time and imports).
    alone : Pattern, optional
        The hits that are left to sound. What is measured is the whole: knobs are about all that is played.
    """
    how: dict[str, Any] = {"kit": sound.kit, "timbre": sound.knobs, "chroma": sound.chroma, "seed": seed}
    if sound.refine:
        how["refine"] = sound.refine
    settings = stored_settings(pattern, sound, finish)
    if alone is None:
        rendered = whole = model.render(pattern, **how)
    else:
        rendered, whole = render_alone(model, pattern, alone, **how)
        settings["isolate"] = list(alone.voices)
    product = finished(model, rendered, settings, finish, whole if measure else None)
    return replace(product, warnings=(*warnings_of(model, pattern), *product.warnings))


def warnings_of(model: Any, pattern: Pattern) -> tuple[str, ...]:
    """Return what a model says of a pattern before it plays it; the studio plays all."""
    told = getattr(model, "warnings", None)
    return () if told is None else told(pattern)


def finished(
    model: Any, rendered: Loop, settings: Mapping[str, object], finish: Finish, measured: Loop | None = None
) -> Product:
    """Finish a loop that the model rendered.

    Parameters
    ----------
    model : studio model
        Whose units the measured features shall have.
    rendered : Loop
        As the model made it.
    settings : Mapping
        What to store with the loop, beside what the model stored.
    finish : Finish
        What to do.
    measured : Loop, optional
        What to analyse (costs time and imports): `rendered`, or what it was taken from.
    """
    loop = rendered if finish.sample_rate is None else resample_loop(rendered, finish.sample_rate)
    loop, warning = levels.normalize(loop, finish.normalize, finish.target)
    found = levels.measure(loop.audio, loop.sample_rate)
    warnings = [] if warning is None else [warning]
    if finish.subtype != "float":
        warnings += _clipping(loop, found)
    loop = repeat_loop(loop, finish.repeat)
    loop = replace(loop, settings={**loop.settings, **settings})
    if finish.repeat > 1:
        found = replace(found, clipped=found.clipped * finish.repeat)
    found_controls = None
    if measured is not None:
        try:
            found_controls = analyse(model, measured)
        except AudioError as error:
            # silence, or too long; the loop is good all the same
            warnings.append(f"not measured: {error}")
    return Product(loop, found, tuple(warnings), found_controls)


def write(product: Product, output: Output, finish: Finish, picture: Callable[[], bytes]) -> None:
    """Write the loop, its stems and its picture: all of them, or none.

    Parameters
    ----------
    product, output, finish
        What to write, where and how.
    picture : callable
        Draws the picture, if one was asked for.

    Raises
    ------
    AudioError
        If something cannot be written.
    """
    loop = product.loop
    content = encode_loop(loop, format=finish.format, subtype=finish.subtype)
    files = []
    for name, path in output.stems.items():
        stem = replace(loop, audio=loop.stems[name], stems={}, settings={**loop.settings, "stem": name})
        files.append((path, encode_loop(stem, format=finish.format, subtype=finish.subtype)))
    if output.plot is not None:
        files.append((output.plot, picture()))
    for folder in output.folders:
        make_folder(folder)
    if output.path is None:
        write_together(files)
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_together([*files, (output.path, content)])


def picture(product: Product, pattern: Pattern, sound: Sound) -> bytes:
    """Draw the loop: waveform, spectrogram, pattern, and the knobs asked against those measured."""
    from loopnet_cli.plotting import plot_loop

    measured = None if product.measured is None else product.measured.timbre
    asked = all_asked(product.loop, sound)
    return plot_loop(product.loop, pattern, asked=asked, measured=measured, given=frozenset(sound.knobs))


def report(product: Product, output: Output, sound: Sound, finish: Finish, warnings: tuple[str, ...]) -> dict[str, Any]:
    """Return what was made as plain values, for ``--json``."""
    loop, found = product.loop, product.levels
    return {
        "path": None if output.path is None else str(output.path),
        "model": loop.settings.get("model"),
        "model_sha256": loop.settings.get("model_sha256") or bank.known_checksum(f"{loop.settings.get('model')}"),
        "seed": loop.seed,
        "bpm": loop.tempo,
        "bars": loop.bars,
        "meter": f"{loop.meter[0]}/{loop.meter[1]}",
        "samples": int(loop.audio.shape[0]),
        "sample_rate": loop.sample_rate,
        "seconds": round(loop.audio.shape[0] / loop.sample_rate, 6),
        "format": finish.format,
        "subtype": finish.subtype,
        "peak": round(found.peak, 6),
        "true_peak_db": round(found.true_peak_db, 2),
        "loudness_lufs": round(found.loudness_lufs, 2),
        "clipped": found.clipped,
        "dc": round(found.dc, 6),
        "stems": {name: str(path) for name, path in output.stems.items()},
        "plot": None if output.plot is None else str(output.plot),
        "isolate": loop.settings.get("isolate"),
        "controls": _controls(product, sound),
        "warnings": [*warnings, *product.warnings],
    }


def summary(product: Product, name: str, sound: Sound) -> str:
    """Return one line that says what was made."""
    loop, found = product.loop, product.levels
    bars = "1 bar" if loop.bars == 1 else f"{loop.bars} bars"
    paper = f"model {loop.settings['model']}, " if loop.settings.get("model_sha256") else ""
    return (
        f"{name}: {bars} of {loop.meter[0]}/{loop.meter[1]} at {loop.tempo:g} BPM, "
        f"{loop.audio.shape[0] / loop.sample_rate:.3f} s, {paper}kit {sound.kit.name}, seed {loop.seed}, "
        f"{found.loudness_lufs:.1f} LUFS, peak {found.true_peak_db:.1f} dBTP"
    )


def _clipping(loop: Loop, found: levels.Levels) -> list[str]:
    warnings = []
    if found.clipped:
        warnings.append(f"{found.clipped} samples clipped: use --normalize peak or --subtype float")
    for name, stem in loop.stems.items():
        # stems may cancel each other in the loop
        if levels.clipped_samples(stem) and not found.clipped:
            warnings.append(f"the {name} stem alone passes full scale: use --normalize peak:-6 or --subtype float")
    return warnings


def stored_settings(pattern: Pattern, sound: Sound, finish: Finish) -> dict[str, object]:
    """Return all that is needed to make the loop again, as plain values."""
    knobs = {name: f"{knob.value:+g}" if knob.relative else f"{knob.value:g}" for name, knob in sound.knobs.items()}
    return {
        "loopnet": __version__,
        "kit": sound.kit.name,
        **sound.stored_kit,
        "timbre": knobs,
        "chroma": None if sound.chroma is None else list(sound.chroma),
        "pattern": [[hit.beat, hit.voice, hit.velocity] for hit in pattern.hits],
        "pattern_bars": pattern.bars,
        "repeat": finish.repeat,
        "normalize": finish.normalize if finish.target is None else f"{finish.normalize}:{finish.target:g}",
    }


def analyse(model: Any, loop: Loop) -> Measured:
    """Measure the controls of a loop, best as the model made it: before it is resampled and repeated.

    Raises
    ------
    AudioError
        If the loop is silent or too long to be analysed.
    """
    from loopnet_cli.analysis.chroma import chroma
    from loopnet_cli.analysis.timbre import timbre_features

    raw = timbre_features(loop.audio, loop.sample_rate, circular=True)
    found = chroma(loop.audio, loop.sample_rate)
    return Measured(model.normalisation.to_unit(raw), tuple(float(value) for value in found))


def all_asked(loop: Loop, sound: Sound) -> Mapping[str, float]:
    """Return all 21 features asked for: as the model says, who knows the kit in this pattern."""
    said = loop.settings.get("timbre_asked")
    if isinstance(said, Mapping) and set(said) == set(TIMBRE_NAMES):
        return said
    return asked_values(sound.kit, sound.knobs)


def _controls(product: Product, sound: Sound) -> dict[str, Any]:
    asked = all_asked(product.loop, sound)
    measured = product.measured
    timbre = {}
    for name in TIMBRE_NAMES:
        timbre[name] = {
            "given": name in sound.knobs,
            "asked": round(asked[name], 4),
            "measured": None if measured is None else round(float(measured.timbre[name]), 4),
        }
    wanted = sound.kit.chroma if sound.chroma is None else sound.chroma
    return {
        "kit": sound.kit.name,
        "timbre": timbre,
        "chroma": {
            "given": sound.chroma is not None,
            "asked": _pitches(wanted),
            "measured": None if measured is None else _pitches(measured.chroma),
        },
    }


def _pitches(values: tuple[float, ...] | NDArray[np.float32]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(PITCH_CLASSES, values, strict=True)}
