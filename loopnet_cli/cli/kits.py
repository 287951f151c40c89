"""``loopnet kits``: the sounds in the bank, and your own. Reads names and numbers, not the model."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.cli.console import Console
from loopnet_cli.controls import PITCH_CLASSES, Kit
from loopnet_cli.errors import LoopnetError
from loopnet_cli.synthesis import bank, kit_store

app = typer.Typer(help="List the kits, show one, and manage your own.", invoke_without_command=True)
_AS_JSON = typer.Option("--json", help="Print JSON.")


def chosen_kit(name: str | None) -> Kit:
    """Return a kit by name, of the bank or of the user's own; the default one for None.

    Raises
    ------
    UsageError
        If there is no such kit; near names are suggested.
    KitError
        If it is one of the user's own that cannot be used.
    """
    return kit_store.find_kit(bank.DEFAULT_KIT if name is None else name)


def complete_kit(incomplete: str) -> list[tuple[str, str]]:
    """Return the kits that begin as typed, with what they are, for shell completion."""
    try:
        kits = kit_store.all_kits()
    except LoopnetError:
        return []
    return [(kit.name, kit.description) for kit in kits.values() if kit.name.startswith(incomplete)]


def complete_own_kit(incomplete: str) -> list[str]:
    """Return the user's own kits that begin as typed, for shell completion; damaged ones too."""
    return [name for name in kit_store.own_names() if name.startswith(incomplete)]


@app.callback()
def kits(context: typer.Context) -> None:
    """List the kits, show one, and manage your own."""
    if context.invoked_subcommand is None:
        list_kits()


@app.command("list")
def list_kits(as_json: Annotated[bool, _AS_JSON] = False) -> None:
    """List all kits with a line on how they sound: * marks the default one, + your own."""
    known = bank.read_bank()
    mine, problems = kit_store.user_kits()
    console = Console()
    for problem in problems:
        console.warn(problem)
    kits = {**known, **mine}
    if as_json:
        entries = [
            {"name": kit.name, "description": kit.description, "builtin": kit.name in known} for kit in kits.values()
        ]
        print(json.dumps(entries))
        return
    width = max(map(len, kits), default=0)
    for kit in kits.values():
        mark = "*" if kit.name == bank.DEFAULT_KIT else "+" if kit.name in mine else " "
        print(f"{kit.name:<{width}} {mark} {kit.description}".rstrip())


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The kit's name, or a mix: a:0.3,b:0.7.", autocompletion=complete_kit)],
    as_json: Annotated[bool, _AS_JSON] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw it; replaces no file without --overwrite.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that exists.")] = False,
) -> None:
    """Show a kit: its knobs as they stand by themselves (0 to 1), its chroma and its levels."""
    from loopnet_cli.cli import kits_picture

    kit = chosen_kit(name)
    if plot is not None:
        kits_picture.write(kit, plot, overwrite)
    if as_json:
        print(json.dumps(_plain(kit)))
    elif sys.stdout.isatty():
        kits_picture.draw(kit)
    else:
        print("\n".join(kits_picture.lines(kit)))


@app.command("path")
def path(
    name: Annotated[str | None, typer.Argument(help="One of your kits.", autocompletion=complete_own_kit)] = None,
    as_json: Annotated[bool, _AS_JSON] = False,
) -> None:
    """Print the folder of your own kits, or the file of one of them.

    The environment variable LOOPNET_DATA names another folder, which then holds them in its folder kits.
    """
    found = kit_store.kit_folder() if name is None else kit_store.find_file(name)
    print(json.dumps({"path": str(found)}) if as_json else found)


@app.command("remove")
def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="NAMES", help="Your kits to delete.", autocompletion=complete_own_kit)
    ],
    as_json: Annotated[bool, _AS_JSON] = False,
) -> None:
    """Delete kits of your own, without asking; built-in ones stay."""
    for name in names:  # all of them or none
        kit_store.find_file(name)
    removed = [str(kit_store.remove_kit(name)) for name in dict.fromkeys(names)]
    if as_json:
        print(json.dumps({"removed": removed}))
    else:
        Console().info(f"removed {', '.join(removed)}")


def _plain(kit: Kit) -> dict[str, Any]:
    return {
        "name": kit.name,
        "description": kit.description,
        "timbre": dict(kit.timbre),
        "chroma": dict(zip(PITCH_CLASSES, kit.chroma, strict=True)),
        "levels": dict(kit.levels),
        "shift": dict(kit.shift),
        "builtin": kit.name in bank.read_bank(),
    }
