"""``loopnet kits morph``: the kits between two others."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.cli import options
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.cli.kits import complete_kit
from loopnet_cli.controls import Kit
from loopnet_cli.errors import AudioError, KitError, UsageError
from loopnet_cli.synthesis import kit_file, kit_store
from loopnet_cli.synthesis.kit_mix import kit_label, mix_name, morph


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
    overwrite: options.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: options.Quiet = False,
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
    from loopnet_cli.audio.write import encode_loop
    from loopnet_cli.cli import produce
    from loopnet_cli.pattern.read import read_pattern
    from loopnet_cli.synthesis.play_sheet import GROOVE

    pattern = read_pattern(GROOVE if rhythm is None else rhythm).pattern
    model, finish = synthesis.load_studio(), produce.Finish()
    made = []
    with console.progress(len(kits), "loops") as advance:
        for kit, path in zip(kits, paths, strict=True):
            product = produce.make(model, pattern, produce.Sound(kit, {}, None), seed, finish)
            made.append((path, encode_loop(product.loop)))
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
