"""docs/cli.md and docs/commands are made from the commands and up to date; the commands take the examples."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from loopnet_cli.cli.app import app
from loopnet_cli.cli.docs import INDEX, pages, reference, write
from loopnet_cli.cli.examples import EXAMPLES, EXIT_CODES

DOCS = Path(__file__).parents[2] / "docs"


def commands(command, name=""):
    """Yield all that can be called, by its words."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name
    for word, child in (children or {}).items():
        yield from commands(child, f"{name} {word}".strip())


def parse(line: str) -> None:
    """Let the commands parse a line, and run nothing."""
    words = shlex.split(line)
    for end, word in enumerate(words):
        if word in (">", "<", "|", "&&"):
            words = words[:end]
            break
    assert words.pop(0) == "loopnet"
    command, parent = get_command(app), None
    while words and words[0] in getattr(command, "commands", {}):
        parent = command.context_class(command, parent=parent, info_name=command.name)
        command = command.commands[words.pop(0)]
    assert not words or not hasattr(command, "commands"), f"unexpected: {words[0]}"
    command.make_context(command.name, words, parent=parent)


def test_the_pages_are_current():
    made = {path: DOCS.joinpath(path).read_text(encoding="utf-8") for path in pages() if DOCS.joinpath(path).exists()}
    assert made == pages(), "run: python -m loopnet_cli.cli.docs docs/cli.md"
    on_disk = {f"commands/{path.name}" for path in DOCS.glob("commands/*")}
    assert on_disk == set(pages()) - {INDEX}, "run: python -m loopnet_cli.cli.docs docs/cli.md"


def test_pages_of_commands_that_are_gone_go_too(tmp_path):
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "sing.md").write_text(pages()["commands/play.md"])
    (tmp_path / "commands" / "notes.md").write_text("# By hand\n")
    write(tmp_path / "cli.md")
    names = {path.name for path in tmp_path.glob("commands/*")}
    assert "sing.md" not in names
    assert {"notes.md", "play.md"} <= names


def test_the_pages_do_not_depend_on_the_terminal(monkeypatch):
    before = reference()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERMINAL_WIDTH", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert reference() == before


def test_the_pages_name_what_there_is():
    text = pages()["commands/generate.md"]
    for word in ("# loopnet generate", "`--low-brightness`", "20 to 400", "tight-studio"):
        assert word in text
    assert "## loopnet kits show" in pages()["commands/kits.md"]
    assert "commands/kits.md#loopnet-kits-show" in pages()[INDEX]


def test_every_command_has_examples():
    assert set(EXAMPLES) == set(commands(get_command(app))), "add them to loopnet_cli/cli/examples.py"
    assert set(EXIT_CODES) <= set(EXAMPLES)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line, _ in lines])
def test_examples_are_taken(line):
    parse(line)


def test_examples_are_of_their_command():
    for name, lines in EXAMPLES.items():
        for line, _ in lines:
            assert line.startswith(f"loopnet {re.sub(' list$', '', name)}"), line


@pytest.mark.parametrize(
    "line", ["loopnet generate beat.mid --no-such-option", "loopnet grid beat.mid", "loopnet sing"]
)
def test_a_wrong_line_would_be_noticed(line):
    with pytest.raises(Exception, match=r"(?i)no such|missing|unexpected"):
        parse(line)
