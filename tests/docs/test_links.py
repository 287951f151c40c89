"""Links of the readme and the docs lead somewhere; commands and pages are not forgotten; figures are those measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loopnet_cli.cli.commands import COMMANDS

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/commands/*.md", "weights/*.md", "examples/**/*.md")
    for path in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\]\(([^()\s]+)\)|src=\"([^\"]+)\"")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def prose(path: Path) -> str:
    """Return a page without its code, so that brackets in there are no links."""
    return CODE.sub("code", FENCED.sub("", path.read_text(encoding="utf-8")))


def links(path: Path) -> list[str]:
    found = [match[1] or match[2] for match in LINK.finditer(prose(path))]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(path: Path) -> set[str]:
    """Return what the headings of a page are called in links, as GitHub and GitLab make them."""
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_relative_to(REPOSITORY), link
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_links_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A b: `c`?\n[x](y.md#z) ![p](i.png) `[no](no.md)` [w](https://a.b)\n```\n[no](no.md)\n```\n")
    assert links(page) == ["y.md#z", "i.png"]
    assert anchors(page) == {"a-b-c"}


def test_the_index_has_every_page():
    index = (REPOSITORY / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in REPOSITORY.glob("docs/*.md")} - {"README.md"}
    assert {page for page in pages if f"]({page})" not in index} == set(), "list them in docs/README.md"


def test_every_picture_is_shown():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in REPOSITORY.glob("docs/img/*") if path.name not in text] == []


def test_the_readme_has_every_command():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    groups = {command for command in COMMANDS if " " not in command}
    assert {command for command in groups if f"loopnet {command}" not in readme} == set()


def test_the_readme_has_only_figures_that_were_measured():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    measured = "".join(path.read_text(encoding="utf-8") for path in REPOSITORY.glob("docs/*.md"))
    figures = re.findall(r"[+-]?\d[\d.]* \[[+-]?\d[^\]]*\]", readme)
    assert len(figures) > 20
    assert [figure for figure in figures if figure not in measured] == []
