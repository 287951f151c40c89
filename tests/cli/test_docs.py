"""docs/cli.md is made from the commands, and up to date."""

from __future__ import annotations

from pathlib import Path

from loopnet_cli.cli.docs import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m loopnet_cli.cli.docs docs/cli.md"


def test_the_page_does_not_depend_on_the_terminal(monkeypatch):
    before = reference()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERMINAL_WIDTH", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert reference() == before


def test_the_page_names_what_there_is():
    page = reference()
    for word in ("loopnet generate", "loopnet kits show", "`--low-brightness`", "20 to 400", "tight-studio"):
        assert word in page
