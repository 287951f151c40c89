"""YAML as texts, lists and tables, by PyYAML's safe loader, within bounds.

No scalar is guessed at (``no`` stays ``no``, ``4:20`` stays ``4:20``); only what is left empty or called null is
nothing. Depth, aliases and merges are bounded, so that no small file asks for much memory or time.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from loopnet_cli.errors import JobsError

MAX_DEPTH = 8
MAX_ALIASES = 10_000
MAX_MERGED = 1_000
"""Fields of a table after merges (``<<``), which can double at each step."""

_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Table(dict[str, Any]):
    """A mapping that knows the line that it began in."""

    line = 0


class _TextLoader(_Safe):  # type: ignore[misc]
    """A safe loader that builds nothing but texts, lists and tables."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it

    def flatten_mapping(self, node: Any) -> None:
        """Resolve merges, as long as that stays small."""
        super().flatten_mapping(node)
        if len(node.value) > MAX_MERGED:
            raise ValueError(f"a table of more than {MAX_MERGED} fields (line {node.start_mark.line + 1})")

    def table(self, node: Any) -> Any:
        """Build a mapping: first itself, so that one that holds itself is found by depth, not by recursion."""
        found = Table()
        found.line = node.start_mark.line + 1
        yield found
        own = [key.value for key, _ in node.value if _is_own(key, node)]
        twice = next((key for index, key in enumerate(own) if key in own[:index]), None)
        if twice is not None:
            raise ValueError(f"{twice[:40]} is given twice (table in line {found.line})")
        self.flatten_mapping(node)
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or not key:
                raise ValueError(f"a name that is no text (line {key_node.start_mark.line + 1})")
            found[key] = self.construct_object(value_node, deep=True)


def _is_own(key: Any, table: Any) -> bool:
    """Tell names of the table itself from those that were merged into it, if it has been flattened already."""
    return isinstance(key, yaml.ScalarNode) and table.start_mark.index <= key.start_mark.index < table.end_mark.index


_TextLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"), ["<"])
_TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_TextLoader.yaml_constructors = {
    "tag:yaml.org,2002:null": _Safe.construct_yaml_null,
    "tag:yaml.org,2002:str": _Safe.construct_yaml_str,
    "tag:yaml.org,2002:seq": _Safe.construct_yaml_seq,
    "tag:yaml.org,2002:map": _TextLoader.table,
    # said outright, these are what is typed all the same
    **{f"tag:yaml.org,2002:{kind}": _Safe.construct_yaml_str for kind in ("int", "float", "bool")},
    None: _Safe.construct_undefined,
}


def read_yaml(text: str, name: str) -> Any:
    """Return the one document of a text: None, a text, a list or a `Table`.

    Raises
    ------
    JobsError
        If it is no YAML, holds anything but texts, lists and tables, or goes past the bounds.
    """
    try:
        _check(text)
        return yaml.load(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}" if mark else "somewhere"
        problem = " ".join(str(error.problem or error.context).split())
        raise JobsError(f"{name}: {where}: no YAML that can be used ({problem})") from None
    except (yaml.YAMLError, ValueError) as error:
        raise JobsError(f"{name}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise JobsError(f"{name}: nested too deeply") from None


def _check(text: str) -> None:
    """Look at the events alone, which cost little whatever they would build."""
    depth = aliases = documents = 0
    for event in yaml.parse(text, Loader=_Safe):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested too deeply (line {event.start_mark.line + 1})")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if aliases > MAX_ALIASES:
                raise ValueError(f"more than {MAX_ALIASES} aliases")
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise ValueError(f"more than one document (line {event.start_mark.line + 1}): use one list")
