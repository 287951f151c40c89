"""``loopnet kits play-sheet``: kits to listen to."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from loopnet_cli.cli import options
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.cli.kits import complete_kit
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.synthesis import bank, kit_store
from loopnet_cli.synthesis.kit_mix import kit_label

if TYPE_CHECKING:
    from loopnet_cli.synthesis.play_sheet import Sheet

FOLDER = "play-sheet"

_STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 60rem; padding: 1rem }
section { border-top: 1px solid #8884; padding: .75rem 0 }
h2 { display: inline; font-size: 1.1rem; margin-right: .75rem }
audio { display: block; margin: .5rem 0; width: 100% }
button { border: 1px solid #8888; border-radius: .4rem; background: none; font: inherit; padding: .1rem .6rem }
"""
_SCRIPT = """\
const players = [...document.querySelectorAll('audio')];
document.addEventListener('click', event => {
  const at = event.target.dataset.at;
  if (at === undefined) return;
  const player = event.target.closest('section').querySelector('audio');
  player.currentTime = Number(at);
  player.play();
});
for (const player of players)
  player.addEventListener('play', () => players.forEach(other => other === player || other.pause()));
"""


def play_sheet(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="KITS", help="Kits or mixes. Default: all there are.", autocompletion=complete_kit),
    ] = None,
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE.wav|DIR", help="One file for all, or a folder with a file each and a page."
        ),
    ] = FOLDER,
    rhythm: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="The pattern at the end: a MIDI file or a grid. Default: two bars of our own."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the noise.", min=0, max=options.MAX_SEED)] = 0,
    overwrite: options.Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the times as JSON.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Hear kits: each voice soft, medium and loud, then a short pattern.

    Prints what is heard when. The files carry the times as markers, which editors show; in a folder there is
    also a page, index.html, to click through.
    """
    from loopnet_cli import synthesis
    from loopnet_cli.audio.files import make_folder, write_together, write_whole
    from loopnet_cli.pattern.read import read_pattern
    from loopnet_cli.synthesis import play_sheet as sheets

    console = Console(quiet)
    kits = _kits(names or [], console)
    is_file = output.lower().endswith(".wav")
    if not is_file and Path(output).suffix.lower() in (".flac", ".mp3", ".ogg", ".aif", ".aiff"):
        raise UsageError(f"-o {output}: a play sheet is a .wav file, or a folder of them")
    paths = [Path(output)] if is_file else [Path(output) / f"{kit_label(name)}.wav" for name in kits]
    page = None if is_file else Path(output) / "index.html"
    for path in (*paths, page):
        if path is not None and path.exists() and not overwrite:
            raise AudioError(f"{path} exists: use --overwrite")
    pattern = read_pattern(sheets.GROOVE if rhythm is None else rhythm).pattern
    model = synthesis.load_studio()
    played: list[Sheet] = []
    if page is not None:
        make_folder(output)
    with console.progress(len(kits), "kits") as advance:
        for number, kit in enumerate(kits.values()):
            sheet = sheets.play_sheet(model, kit, pattern, seed=seed)
            if page is not None:
                # written at once: a folder of all kits need not fit in memory
                write_whole(paths[number], sheets.encode_sheets([sheet]))
                sheet = sheets.Sheet(kit, sheet.audio[:0], sheet.sample_rate, sheet.marks)
            played.append(sheet)
            advance(kit.name)
    if page is not None:
        write_together([(page, _page(played, paths).encode())])
        told = [_plain(path, sheet.marks) for path, sheet in zip(paths, played, strict=True)]
    else:
        write_whole(paths[0], sheets.encode_sheets(played))
        told = [_plain(paths[0], sheets.all_marks(played))]
    if as_json:
        tell_json({"page": None if page is None else str(page), "sheets": told})
    elif not quiet:
        _print(told)
    console.info(f"wrote {page or paths[0]}")


def _kits(names: Sequence[str], console: Console) -> dict[str, Any]:
    if names:
        found = [kit_store.find_kit(name) for name in names]
        return {kit.name: kit for kit in found}
    mine, problems = kit_store.user_kits()
    for problem in problems:
        console.warn(problem)
    return {**bank.read_bank(), **mine}


def _plain(path: Path, marks: Sequence[Any]) -> dict[str, Any]:
    places = [{"seconds": round(mark.seconds, 3), "kit": mark.kit, "what": mark.what} for mark in marks]
    return {"path": str(path), "marks": places}


def _print(told: Sequence[dict[str, Any]]) -> None:
    from loopnet_cli.synthesis.play_sheet import as_clock

    for number, entry in enumerate(told):
        print(f"{'' if number == 0 else chr(10)}{entry['path']}")
        kit = None
        for mark in entry["marks"]:
            head = mark["kit"] if mark["kit"] != kit else ""
            kit = mark["kit"]
            print(f"{as_clock(mark['seconds']):>8}  {mark['what']:<12}{head}".rstrip())


def _page(sheets: Sequence[Sheet], paths: Sequence[Path]) -> str:
    """Return a page that plays files beside it; needs nothing from the network."""
    sections = []
    for sheet, path in zip(sheets, paths, strict=True):
        places = " ".join(
            f'<button data-at="{mark.seconds:.3f}">{html.escape(mark.what)}</button>' for mark in sheet.marks
        )
        sections.append(
            f"<section><h2>{html.escape(sheet.kit.name)}</h2>{html.escape(sheet.kit.description)}\n"
            f'<audio controls preload="none" src="{quote(path.name)}"></audio>\n{places}</section>'
        )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Kits</title>\n<style>\n{_STYLE}</style>\n<h1>Kits</h1>\n"
        + "\n".join(sections)
        + f"\n<script>\n{_SCRIPT}</script>\n</html>\n"
    )
