"""Fenced blocks of Markdown: those to run, and what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Commands to run, the line they stand in, and what the page says that they print (None: nothing said)."""

    line: int
    commands: str
    printed: str | None


def runnable(text: str) -> list[Block]:
    """Return the blocks fenced as ``sh run``, each with the ``text`` block right under it."""
    fences = list(FENCE.finditer(text))
    found = []
    for number, fence in enumerate(fences):
        if fence["info"].strip() != "sh run":
            continue
        below = fences[number + 1] if number + 1 < len(fences) else None
        tied = below is not None and below["info"] == "text" and text[fence.end() : below.start()] == "\n"
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(line, fence["text"], below["text"] if tied and below else None))
    return found


def prints(printed: str, found: str) -> bool:
    """Whether a page says what a command printed; ``...`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in printed.strip().split("..."))
    return re.fullmatch(pattern, found.strip(), re.DOTALL) is not None
