"""``loopnet kits save``, ``import`` and ``export``: kits made, kept and passed on."""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.cli import analyze_options, options
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.cli.inputs import parse_meter
from loopnet_cli.cli.kits import complete_kit
from loopnet_cli.cli.knobs import combine, knob_options
from loopnet_cli.cli.outputs import STDOUT
from loopnet_cli.cli.sources import Kind, Source, check_stdin, timbre_sources
from loopnet_cli.controls import ATTRIBUTES, BANDS, Kit, Knob
from loopnet_cli.errors import AudioError, KitError, UsageError
from loopnet_cli.pattern.model import VOICES
from loopnet_cli.synthesis import kit_file, kit_store
from loopnet_cli.synthesis.kit_mix import kit_label, with_knobs

MAX_DECIBELS = 40.0

_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a kit or file of that name.")]
_KitName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Call it so. Default: its own name.")]


@knob_options
def save(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A recording (- is stdin), a kit, or a mix of kits (a:0.3,b:0.7).",
            autocompletion=complete_kit,
        ),
    ],
    *,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="A line on how it sounds.")] = None,
    level: Annotated[
        list[str] | None, typer.Option(metavar="VOICE=DB", help="Make a voice louder or softer: snare=-3.")
    ] = None,
    overwrite: _Overwrite = False,
    bpm: analyze_options.Bpm = None,
    bars: analyze_options.Bars = None,
    meter: analyze_options.Meter = None,
    start: analyze_options.Start = None,
    end: analyze_options.End = None,
    knob_list: options.Timbre = None,
    knobs: Mapping[str, str | None],
    as_json: _AsJson = False,
    quiet: _Quiet = False,
) -> None:
    """Make a kit of your own: of a recording, or of a kit with its knobs turned.

    Knobs stay turned whenever the kit plays; a number without a sign is kept as its distance from what the kit
    has by itself.
    """
    how: dict[str, Any] = {"bpm": bpm, "bars": bars, "meter": parse_meter(meter), "start": start, "end": end}
    turned, louder = combine(knobs, knob_list or ()), _levels(level or ())
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--end {end:g} must lie after --start {start:g}")
    if kit_store.kit_path(name).exists() and not overwrite:
        raise KitError(f"kit {name} exists: use --overwrite or another name")
    sources = timbre_sources([source], "SOURCE")
    if len(sources) > 1:
        raise UsageError(f"{source} names {len(sources)} files: name one")
    check_stdin(sources)
    told = [key for key, value in how.items() if value is not None]
    if sources[0].kind is Kind.KIT and told:
        raise UsageError(f"--{told[0]} is about recordings, and {source} is a kit")
    console = Console(quiet)
    kit = sources[0].kit if sources[0].kind is Kind.KIT else _heard(sources[0], name, how, console)
    kit = replace(with_knobs(kit, turned, louder), name=name)
    line = _line(turned, louder)
    if description is not None:
        kit = replace(kit, description=kit_file.one_line(description, kit_file.MAX_DESCRIPTION))
    elif sources[0].kind is Kind.KIT and line:
        changes = [*_short(turned), *(f"{voice} {value:+g} dB" for voice, value in louder.items())]
        told_short = f"{sources[0].name} with {', '.join(changes)}".replace("=", " ")
        kit = replace(kit, description=told_short[: kit_file.MAX_DESCRIPTION])
    words = ["loopnet", "kits", "save", name, source]
    words += [f"--{key}={value}" for key, value in {**how, "meter": meter}.items() if value is not None]
    path = kit_store.save_kit(kit, overwrite, made=shlex.join([*words, *line]))
    if as_json:
        tell_json({"name": name, "description": kit.description, "path": str(path)})
    else:
        console.info(f"saved {name}: {path}")


def import_kits(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILES", help="Kits' files, or WAV or FLAC loops made with such kits; - reads stdin."),
    ],
    *,
    name: _KitName = None,
    overwrite: _Overwrite = False,
    as_json: _AsJson = False,
    quiet: _Quiet = False,
) -> None:
    """Take kits over: from their files, or out of loops that were made with them.

    A loop that ``generate`` or ``transfer`` made with a kit that is not built in, or with the sound of a
    recording, holds that kit. All files are checked before any kit is stored.
    """
    from loopnet_cli.synthesis.kit_making import read_kit

    if name is not None and len(files) > 1:
        raise UsageError(f"--name names one kit, there are {len(files)} files")
    if files.count(STDOUT) > 1:
        raise UsageError("standard input (-) can be read once only")
    found: dict[str, tuple[Kit, dict[str, Any]]] = {}
    for file in files:
        label = "standard input" if file == STDOUT else file
        entry = read_kit(sys.stdin.buffer if file == STDOUT else Path(file), label)
        called = name or _imported_name(entry, Path(file), label)
        if called in found:
            raise UsageError(f"two of the kits are called {called}: import them one by one, with --name")
        if kit_store.kit_path(called).exists() and not overwrite:
            raise KitError(f"kit {called} exists: use --overwrite, or --name for another name")
        found[called] = kit_file.kit_of(entry, called), entry
    stored = {}
    for called, (kit, entry) in found.items():
        made = kit_file.one_line(entry.get("made"), kit_file.MAX_MADE)
        stored[called] = str(kit_store.save_kit(kit, overwrite, made=made, extra=kit_file.unknown_fields(entry)))
    if as_json:
        tell_json({"imported": stored})
    else:
        Console(quiet).info(f"imported {', '.join(f'{called}: {path}' for called, path in stored.items())}")


def export(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A kit, or a mix of kits (a:0.3,b:0.7).", autocompletion=complete_kit),
    ],
    *,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="Its file, or a folder (with / at its end); - is stdout."),
    ] = STDOUT,
    overwrite: _Overwrite = False,
    quiet: _Quiet = False,
) -> None:
    """Write a kit as a file of its own, to pass on or to keep: on standard output, if no file is named."""
    from loopnet_cli.audio.files import write_whole

    entry = kit_store.export_kit(name)
    content = kit_file.text_of(entry)
    if output == STDOUT:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    path = _in_folder(output, str(entry["name"]))
    if path.exists() and path.is_file() and not overwrite:
        raise AudioError(f"{path} exists: use --overwrite")
    write_whole(path, content)
    Console(quiet).info(f"wrote {path}")


def _heard(source: Source, name: str, how: Mapping[str, Any], console: Console) -> Kit:
    from loopnet_cli import synthesis
    from loopnet_cli.analysis import transcriber
    from loopnet_cli.analysis.hearing import hear
    from loopnet_cli.cli.workshop import describe
    from loopnet_cli.synthesis.kit_making import kit_heard

    model = synthesis.load_studio()
    heard = hear(
        source.input.source if source.content is None else source.content,
        name=source.label, transcriber=transcriber.load_transcriber(), normalisation=model.normalisation, **how,
    )  # fmt: skip
    console.info(f"{source.label}: heard {describe(heard)}")
    for warning in heard.warnings:
        console.warn(f"{source.label}: {warning}")
    if not heard.pattern.hits:
        raise AudioError(f"{source.label}: no drum hits were heard, so there is no kit to save")
    return kit_heard(model, heard, name)


def _levels(texts: Sequence[str]) -> dict[str, float]:
    """Read ``snare=-3,kick=2``."""
    found: dict[str, float] = {}
    for text in ",".join(texts).split(","):
        if not text.strip():
            continue
        voice, _, number = (part.strip().lower() for part in text.partition("="))
        if voice not in VOICES:
            raise UsageError(f"--level {text.strip()}: unknown voice {voice!r}, use one of {', '.join(VOICES)}")
        if not re.fullmatch(r"[+-]?(\d{1,9}(\.\d{0,12})?|\.\d{1,12})", number, re.ASCII):
            raise UsageError(f"--level {text.strip()}: write decibels after the voice, e.g. {voice}=-3")
        if not -MAX_DECIBELS <= float(number) <= MAX_DECIBELS:
            raise UsageError(f"--level {text.strip()}: must lie between -{MAX_DECIBELS:g} and +{MAX_DECIBELS:g} dB")
        if voice in found:
            raise UsageError(f"--level: {voice} is given twice")
        found[voice] = float(number)
    return found


def _line(knobs: Mapping[str, Knob], levels: Mapping[str, float]) -> list[str]:
    """Return knobs and levels as they can be typed again."""
    line = []
    if knobs:
        line.append(f"--set={','.join(_short(knobs))}")
    if levels:
        line.append("--level=" + ",".join(f"{voice}={value:g}" for voice, value in levels.items()))
    return line


def _short(knobs: Mapping[str, Knob]) -> list[str]:
    """Return knobs as ``brightness=+0.2`` where all bands have the same, else as ``low.brightness=+0.2``."""
    told = []
    for attribute in ATTRIBUTES:
        bands = {band: knobs[f"{band}.{attribute}"] for band in BANDS if f"{band}.{attribute}" in knobs}
        same = len(bands) == len(BANDS) and len(set(bands.values())) == 1
        for band, knob in list(bands.items())[: 1 if same else None]:
            name = attribute if same else f"{band}.{attribute}"
            told.append(f"{name}={knob.value:+g}" if knob.relative else f"{name}={knob.value:g}")
    return told


def _imported_name(entry: Mapping[str, Any], path: Path, label: str) -> str:
    """Return a kit's own name, or that of its file, freed of what no name may have."""
    own = entry.get("name")
    name = own if isinstance(own, str) and own else path.stem
    with contextlib.suppress(UsageError):  # it may be no mix, only a name with a colon in it
        name = kit_label(name)
    name = re.sub(r"[^\w .+-]|\.(?=\.)", "-", name)[: kit_store.MAX_NAME].strip(" .+-") or "kit"
    try:
        return kit_store.check_name(name)
    except UsageError as error:
        raise UsageError(f"{label}: {error}, with --name") from error


def _in_folder(output: str, name: str) -> Path:
    from loopnet_cli.audio.files import make_folder

    if not (output.endswith(("/", "\\")) or Path(output).is_dir()):
        return Path(output)
    make_folder(output)
    return Path(output) / f"{name}.json"
