"""``loopnet kits``: the sounds in the bank. Reads names and numbers, not the model."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from loopnet_cli.controls import ATTRIBUTES, BANDS, PITCH_CLASSES, Kit
from loopnet_cli.errors import LoopnetError
from loopnet_cli.synthesis import bank

app = typer.Typer(help="List the kits, or show one.", invoke_without_command=True)
_AS_JSON = typer.Option("--json", help="Print JSON.")


def chosen_kit(name: str | None) -> Kit:
    """Return a kit of the bank by name, the default one for None.

    Raises
    ------
    UsageError
        If there is no such kit; near names are suggested.
    """
    return bank.find_kit(bank.read_bank(), bank.DEFAULT_KIT if name is None else name)


def complete_kit(incomplete: str) -> list[tuple[str, str]]:
    """Return the kits that begin as typed, with what they are, for shell completion."""
    try:
        kits = bank.read_bank()
    except LoopnetError:
        return []
    return [(kit.name, kit.description) for kit in kits.values() if kit.name.startswith(incomplete)]


@app.callback()
def kits(context: typer.Context) -> None:
    """List the kits, or show one."""
    if context.invoked_subcommand is None:
        list_kits()


@app.command("list")
def list_kits(as_json: Annotated[bool, _AS_JSON] = False) -> None:
    """List all kits with a line on how they sound; the default one is marked by a star."""
    kits = bank.read_bank()
    if as_json:
        print(json.dumps([{"name": kit.name, "description": kit.description} for kit in kits.values()]))
        return
    width = max(map(len, kits), default=0)
    for kit in kits.values():
        print(f"{kit.name:<{width}} {'*' if kit.name == bank.DEFAULT_KIT else ' '} {kit.description}")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The kit's name.", autocompletion=complete_kit)],
    as_json: Annotated[bool, _AS_JSON] = False,
) -> None:
    """Show a kit: its knobs as they stand by themselves (0 to 1), its chroma and its levels."""
    kit = chosen_kit(name)
    if as_json:
        print(json.dumps(_plain(kit)))
        return
    print(f"{kit.name}: {kit.description}\n")
    print(" " * 6 + "".join(f"{attribute:>12}" for attribute in ATTRIBUTES))
    for band in BANDS:
        values = "".join(f"{kit.timbre[f'{band}.{attribute}']:>12.2f}" for attribute in ATTRIBUTES)
        print(f"{band:<6}{values}")
    print("\nchroma  " + "  ".join(f"{n} {v:.2f}" for n, v in zip(PITCH_CLASSES, kit.chroma, strict=True)))
    print("levels  " + "  ".join(f"{voice} {level:.2f}" for voice, level in kit.levels.items()))


def _plain(kit: Kit) -> dict[str, Any]:
    return {
        "name": kit.name,
        "description": kit.description,
        "timbre": dict(kit.timbre),
        "chroma": dict(zip(PITCH_CLASSES, kit.chroma, strict=True)),
        "levels": dict(kit.levels),
    }
