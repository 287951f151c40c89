"""Lines of loopnet in Markdown, and parsing them without running anything."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from typer.main import get_command

from loopnet_cli.cli.app import app

BLOCK = re.compile(r"^```sh[^\n]*\n(.*?)^```$|((?:^ {4}(?! ).*\n)+)", re.MULTILINE | re.DOTALL)
ENDS = {"|", "||", "&&", ";", "&", ">", ">>", "<", ")", "2>", ";;"}


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each call of loopnet in the shell blocks (fenced or indented) of a page."""
    for block in BLOCK.finditer(text):
        code = (block[1] or block[2]).replace("\\\n", " ")
        for line in code.splitlines():
            line = line.strip()
            if not re.search(r"(^|[|;&(] *)loopnet ", line):
                continue
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            lexer.commenters = "#"
            try:
                words = list(lexer)
            except ValueError:
                continue  # a quote that goes on in the next line
            while "loopnet" in words:
                words = words[words.index("loopnet") + 1 :]
                end = next((n for n, word in enumerate(words) if word in ENDS), len(words))
                yield words[:end]
                words = words[end:]


def parse(words: list[str]) -> None:
    """Let the commands parse words."""
    command, parent = get_command(app), None
    words = list(words)
    while words and words[0] in getattr(command, "commands", {}):
        parent = command.context_class(command, parent=parent, info_name=command.name)
        command = command.commands[words.pop(0)]
    assert not words or not hasattr(command, "commands"), f"unexpected: {words[0]}"
    command.make_context(command.name, words, parent=parent)
