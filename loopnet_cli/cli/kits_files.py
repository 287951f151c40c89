"""``loopnet kits save``, ``import``, ``export`` and ``morph``: kits made, kept, passed on and blended."""

from __future__ import annotations

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
from loopnet_cli.controls import Kit, Knob
from loopnet_cli.errors import AudioError, KitError, UsageError
from loopnet_cli.pattern.model import VOICES
from loopnet_cli.synthesis import kit_file, kit_store
from loopnet_cli.synthesis.kit_mix import kit_label, mix_name, morph, with_knobs

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
        kit = replace(kit, description=f"{sources[0].name} with {' '.join(line)}"[: kit_file.MAX_DESCRIPTION])
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


def morph_kits(
    a: Annotated[str, typer.Argument(metavar="A", help="The kit or mix to start from.", autocompletion=complete_kit)],
    b: Annotated[str, typer.Argument(metavar="B", help="The kit or mix to arrive at.", autocompletion=complete_kit)],
    *,
    steps: Annotated[int, typer.Option(metavar="N", help="How many kits, both ends included.", min=2, max=1000)] = 5,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", "-o", metavar="DIR", help="Write their files to this folder.")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--save", metavar="PREFIX", help="Store them as PREFIX-1, PREFIX-2, ...")
    ] = None,
    render: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Play a pattern with each and write the loops to this folder.")
    ] = None,
    rhythm: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="What --render plays: a MIDI file or a grid. Default: two bars of our own."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of --render's noise.", min=0, max=options.MAX_SEED)] = 0,
    overwrite: _Overwrite = False,
    as_json: _AsJson = False,
    quiet: _Quiet = False,
) -> None:
    """Go from one kit to another in steps: codes, knobs and chroma evenly, levels evenly in decibels.

    Prints the steps as --kit takes them, unless they are written or stored.
    """
    if rhythm is not None and render is None:
        raise UsageError("--rhythm is what --render plays: use both")
    mixes = morph(a, b, steps)
    kits = [kit_store.find_mix(parts) for parts in mixes]
    names = [mix_name(parts) for parts in mixes]
    width = len(str(steps))
    ends = f"{kit_label(mix_name(mixes[0]))}-to-{kit_label(mix_name(mixes[-1]))}"
    numbers = [f"{number:0{width}}" for number in range(1, steps + 1)]
    told: list[dict[str, Any]] = [
        {"step": int(number), "kit": name} for number, name in zip(numbers, names, strict=True)
    ]
    stored = _store(kits, names, [f"{store}-{number}" for number in numbers], overwrite) if store else []
    files: list[tuple[Path, bytes]] = []
    if out_dir is not None:
        for kit, mix, number in zip(kits, names, numbers, strict=True):
            path = out_dir / f"{ends}-{number}.json"
            called = replace(kit, name=f"{ends[: kit_store.MAX_NAME - width - 1]}-{number}")
            entry = kit_file.entry_of(called, f"loopnet kits export {shlex.quote(mix)}")
            files.append((path, kit_file.text_of(entry)))
    sheets: list[tuple[Path, bytes]] = []
    if render is not None:
        sheets = _rendered(kits, rhythm, [render / f"{ends}-{number}.wav" for number in numbers], seed, Console(quiet))
    _write([*files, *sheets], overwrite)
    for key, paths in (("path", stored), ("file", [p for p, _ in files]), ("loop", [p for p, _ in sheets])):
        for entry, path in zip(told, paths, strict=False):
            entry[key] = str(path)
    if as_json:
        tell_json({"steps": told})
    elif stored or files or sheets:
        for entry in told:
            where = ", ".join(entry[key] for key in ("path", "file", "loop") if key in entry)
            Console(quiet).info(f"{entry['kit']}: {where}")
    else:
        print("\n".join(names))


def _store(kits: Sequence[Kit], mixes: Sequence[str], names: Sequence[str], overwrite: bool) -> list[Path]:
    for name in names:  # all of them or none
        if kit_store.kit_path(name).exists() and not overwrite:
            raise KitError(f"kit {name} exists: use --overwrite or another --save")
    stored = []
    for kit, mix, name in zip(kits, mixes, names, strict=True):
        made = shlex.join(["loopnet", "kits", "save", name, mix])
        stored.append(kit_store.save_kit(replace(kit, name=name), overwrite, made=made))
    return stored


def _rendered(
    kits: Sequence[Kit], rhythm: str | None, paths: Sequence[Path], seed: int, console: Console
) -> list[tuple[Path, bytes]]:
    from loopnet_cli import synthesis
    from loopnet_cli.cli import produce
    from loopnet_cli.pattern.read import read_pattern
    from loopnet_cli.synthesis.play_sheet import GROOVE

    pattern = read_pattern(GROOVE if rhythm is None else rhythm).pattern
    model, finish = synthesis.load_studio(), produce.Finish()
    made = []
    with console.progress(len(kits), "loops") as advance:
        for kit, path in zip(kits, paths, strict=True):
            product = produce.make(model, pattern, produce.Sound(kit, {}, None), seed, finish)
            made.append((path, produce.encode_loop(product.loop)))
            advance(kit.name)
    return made


def _write(files: Sequence[tuple[Path, bytes]], overwrite: bool) -> None:
    from loopnet_cli.audio.files import make_folder, write_together

    for path, _ in files:
        if path.exists() and not overwrite:
            raise AudioError(f"{path} exists: use --overwrite")
    for folder in {path.parent for path, _ in files}:
        make_folder(folder)
    write_together(files)


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
        texts = (f"{name}={k.value:+g}" if k.relative else f"{name}={k.value:g}" for name, k in knobs.items())
        line.append(f"--set={','.join(texts)}")
    if levels:
        line.append("--level=" + ",".join(f"{voice}={value:g}" for voice, value in levels.items()))
    return line


def _imported_name(entry: Mapping[str, Any], path: Path, label: str) -> str:
    """Return a kit's own name, or that of its file; a mix is called as its files are."""
    own = entry.get("name")
    name = own if isinstance(own, str) and own else path.stem
    try:
        return kit_store.check_name(kit_label(name))
    except UsageError as error:
        raise UsageError(f"{label}: {error}, with --name") from error


def _in_folder(output: str, name: str) -> Path:
    from loopnet_cli.audio.files import make_folder

    if not (output.endswith(("/", "\\")) or Path(output).is_dir()):
        return Path(output)
    make_folder(output)
    return Path(output) / f"{name}.json"
