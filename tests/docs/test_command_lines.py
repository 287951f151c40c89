"""Every call of loopnet in the readme and the docs is one that the commands take."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from command_lines import command_lines, parse

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_calls_are_taken(page):
    for words in command_lines(page.read_text(encoding="utf-8")):
        try:
            parse(words)
        except Exception as error:
            pytest.fail(f"loopnet {' '.join(words)}: {getattr(error, 'message', error)}")


def test_calls_are_found():
    text = "```sh\nls | loopnet a 'x; y' \\\n  --b > c   # loopnet no\nloopnet d; loopnet e\n```\n"
    text += "loopnet no\n\n    loopnet f\n"
    assert list(command_lines(text)) == [["a", "x; y", "--b"], ["d"], ["e"], ["f"]]
    assert sum(len(list(command_lines(page.read_text(encoding="utf-8")))) for page in PAGES) > 100


@pytest.mark.parametrize("words", [["generate", "a.mid", "--no-such-option"], ["kits", "sing"], ["grid", "a.mid"]])
def test_wrong_calls_would_be_noticed(words):
    with pytest.raises(Exception, match=r"(?i)no such|unexpected|missing"):
        parse(words)
