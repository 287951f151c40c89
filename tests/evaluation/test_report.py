"""The store and the page made from it."""

from __future__ import annotations

import json

import pytest

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.report import Cell, Check, Section, Table, read_store, write_section
from loopnet_cli.evaluation.statistics import Estimate

RUN = {"command": "python -m this", "summary": "On that machine."}
ORDER = ("first", "second")


def section(title: str, value: float, *, met: bool = True) -> Section:
    cell = Cell.of(Estimate(value, value - 1, value + 1, 12), ".1f")
    return Section(title, "So.", [Table("Caption", ["a", "b"], [["x", cell]])], [Check(f"{title} holds", cell, met)])


def test_a_section_is_replaced_and_others_stay(tmp_path):
    write_section(tmp_path, "second", section("Second", 5.0), RUN, ORDER)
    write_section(tmp_path, "first", section("First", 1.0), RUN, ORDER)
    write_section(tmp_path, "second", section("Second", 7.0, met=False), RUN, ORDER)
    page = (tmp_path / "RESULTS.md").read_text()
    assert list(read_store(tmp_path)) == ["first", "second"]
    assert page.index("## First") < page.index("## Second")
    assert "| x | 7.0 [6.0, 8.0] |" in page
    assert "5.0" not in page
    assert "| First holds | 1.0 [0.0, 2.0] | 12 | yes |" in page
    assert "| Second holds | 7.0 [6.0, 8.0] | 12 | **no** |" in page
    assert "python -m this" in page


def test_what_was_not_measured_is_said_and_is_valid_json(tmp_path):
    write_section(tmp_path, "first", section("First", float("nan"), met=False), RUN, ORDER)
    assert "not measured" in (tmp_path / "RESULTS.md").read_text()
    json.loads((tmp_path / "results.json").read_text(), parse_constant=lambda name: pytest.fail(name))


def test_units_change_the_interval_too():
    cell = Cell.of(Estimate(0.5, 0.4, 0.7, 3), ".0f", 100)
    assert (cell.value, cell.low, cell.high) == (50.0, 40.0, pytest.approx(70.0))


def test_a_damaged_store_is_not_overwritten(tmp_path):
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(LoopnetError, match=r"results\.json"):
        write_section(tmp_path, "first", section("First", 1.0), RUN, ORDER)
    assert (tmp_path / "results.json").read_text() == "{"


def test_only_pictures_that_exist_are_shown(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "knobs.png").write_bytes(b"")
    write_section(tmp_path, "first", section("First", 1.0), RUN, ORDER)
    page = (tmp_path / "RESULTS.md").read_text()
    assert "(img/knobs.png)" in page
    assert "original_1" not in page
