"""Commands that are imported when they are asked for: a command line starts as fast as the one command it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from loopnet_cli.cli.lean import lean


class LazyCommands(MutableMapping[str, Any]):
    """The commands of a group by name, each built when it is first looked up.

    Parameters
    ----------
    places : Mapping of name to place
        Where commands are found, as `loopnet_cli.cli.commands.COMMANDS` has them.
    built : Mapping of name to command, optional
        Commands that are there already; they come first.
    """

    def __init__(self, places: Mapping[str, str], built: Mapping[str, Any] | None = None) -> None:
        self._built: dict[str, Any] = dict(built or {})
        self._places = dict(places)
        # names of two words belong to the group of the first
        own = [name for name in places if " " not in name]
        self._names = dict.fromkeys([*self._built, *own])

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            if name not in self._names:
                raise KeyError(name)
            below = {key.partition(" ")[2]: place for key, place in self._places.items() if key.startswith(f"{name} ")}
            self._built[name] = load_command(name, self._places[name], below)
        return self._built[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._built[name] = command
        self._names[name] = None

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._built.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._names  # without building it

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class LazyGroup(TyperGroup):
    """A group whose commands may be a `LazyCommands`: listing their names builds none of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in their order."""
        return list(self.commands)


def load_command(name: str, place: str, below: Mapping[str, str] | None = None) -> Any:
    """Import a command and build it.

    Parameters
    ----------
    name : str
        What it is called.
    place : str
        ``module:attribute``, the module within `loopnet_cli.cli`; a function, or a Typer application for a group.
    below : Mapping of name to place, optional
        Further commands of the group.
    """
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"loopnet_cli.cli.{module}"), attribute)
    holder = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    if not isinstance(found, typer.Typer):
        holder.command(name)(found)
        return lean(typer.main.get_command(holder))
    holder.add_typer(found, name=name, cls=LazyGroup)
    group = typer.main.get_command(holder).commands[name]  # type: ignore[attr-defined]
    for command in [group, *group.commands.values()]:
        lean(command)
    if below:
        group.commands = LazyCommands(below, group.commands)
    return group
