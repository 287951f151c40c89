"""Values of plain options without Typer's validators.

From 0.27 on Typer turns every value of an option, given or not, into its type by a validator that Pydantic builds:
the import and some fifty validators take 0.13 s, more than the rest of the command line. Here the values that need
no validator are taken as they are: none at all, the option's own default, plain text, plain numbers within their
limits, paths of which nothing is asked. Everything else, and everything wrong, goes Typer's way: with its messages.
"""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args

_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)


class _NeedsTyperError(Exception):
    """The value is none of the plain ones."""


def lean(command: Any) -> Any:
    """Let a command take plain values as they are; returns it. Does nothing with a Typer that has no validators."""
    typers = command.get_params

    def get_params(ctx: Any) -> Any:
        # asked for when there is something to parse, and then with the option --help
        parameters = typers(ctx)
        for parameter in parameters:
            if hasattr(parameter, "get_runtime_param") and not isinstance(parameter.process_value, _Lean):
                parameter.process_value = _Lean(parameter)
        return parameters

    command.get_params = get_params
    return command


class _Lean:
    """Takes the place of a parameter's ``process_value``."""

    def __init__(self, parameter: Any) -> None:
        self._parameter = parameter
        self._typers = parameter.process_value

    def __call__(self, ctx: Any, value: Any) -> Any:
        parameter = self._parameter
        if parameter.required and not value:
            return self._typers(ctx, value)
        try:
            taken = _taken(parameter, value, parameter.multiple or parameter.nargs == -1)
        except _NeedsTyperError:
            return self._typers(ctx, value)
        return taken if parameter.callback is None else parameter.callback(ctx, parameter, taken)


def _taken(parameter: Any, value: Any, many: bool) -> Any:
    if value is None:
        return () if many else None
    info, kind = parameter.type_descriptor.parameter_info, _kind(parameter.type_descriptor.annotation)
    if getattr(info, "parser", None) is not None or getattr(info, "click_type", None) is not None:
        raise _NeedsTyperError
    if not many:
        return _plain(value, kind, info)
    if parameter.nargs not in (1, -1) or not isinstance(value, list | tuple):
        raise _NeedsTyperError
    return [_plain(item, kind, info) for item in value]


def _kind(annotation: Any) -> Any:
    """Return the type of one value: that of ``X | None`` and of ``list[X]`` is X."""
    inner = [kind for kind in get_args(annotation) if kind is not NoneType]
    return _kind(inner[0]) if len(inner) == 1 else annotation


def _plain(value: Any, kind: Any, info: Any) -> Any:
    if kind is str and type(value) is str:
        return value
    if kind is int or kind is float:
        if type(value) is str and (_WHOLE if kind is int else _DECIMAL).fullmatch(value):
            value = kind(value)
        low, high = getattr(info, "min", None), getattr(info, "max", None)
        if type(value) is kind and (low is None or value >= low) and (high is None or value <= high):
            return value
        raise _NeedsTyperError  # not a number, or beyond its limits: Typer says so
    if isinstance(kind, type) and type(value) is str:
        if issubclass(kind, Enum) and value in [choice.value for choice in kind]:
            return kind(value)
        if kind is Path and "\0" not in value and _is_usual_path(value, info):
            return Path(value)
    if isinstance(kind, type) and type(value) is kind:
        return value  # a default of its type
    raise _NeedsTyperError


def _is_usual_path(value: str, info: Any) -> bool:
    """Whether Typer would take a path as it is: of one that exists it asks by default that it can be read."""
    if info.path_type is not None or info.exists or info.resolve_path or info.allow_dash or info.writable:
        return False
    return not Path(value).exists() or (info.file_okay and info.dir_okay and os.access(value, os.R_OK))
