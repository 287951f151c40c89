"""The table of `make bench`: its form, ratios, dashes, and the file that keeps figures. Nothing is timed."""

from __future__ import annotations

import json

import pytest

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation import benchmark
from loopnet_cli.evaluation.benchmark_table import MEASURES, machine, read_figures, table

KEYS = [item.key for item in MEASURES]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_a_row_a_figure_all_of_one_width():
    text = table(dict.fromkeys(KEYS, 2.0), {})
    assert len({len(line) for line in text.splitlines()}) == 1
    assert [row[0] for row in cells(text)[2:]] == [item.title for item in MEASURES]
    assert cells(text)[0][1:] == ["now", "before", "unit", "times better"]


def test_ratios_say_how_much_better_it_is():
    text = table({"cold_generate": 0.5, "batch_2": 60.0}, {"cold_generate": 1.0, "batch_2": 40.0})
    by_title = {row[0]: row[1:] for row in cells(text)}
    titles = {item.key: item.title for item in MEASURES}
    assert by_title[titles["cold_generate"]] == ["0.50", "1.00", "s", "2.00"]
    assert by_title[titles["batch_2"]] == ["60.0", "40.0", "loops/s", "1.50"]
    assert by_title[titles["paper_bar"]] == ["-", "-", "ms", "-"]


@pytest.mark.parametrize("then", [None, "fast", True, 0, -1, [3]])
def test_what_is_no_figure_is_a_dash(then):
    row = cells(table({"cold_generate": 0.5}, {"cold_generate": then}))[2]
    assert row[1:] == ["0.50", "-", "s", "-"]


def test_a_part_that_fails_leaves_the_others(monkeypatch, capsys):
    def broken(folder):
        raise LoopnetError("no weights here")

    monkeypatch.setattr(benchmark, "_cold", lambda folder: {"cold_generate": 0.5})
    for part in ("_long", "_warm", "_batch", "_paper"):
        monkeypatch.setattr(benchmark, part, broken)
    figures = benchmark.measure()
    assert list(figures) == KEYS and figures["cold_generate"] == 0.5 and figures["warm_plain_1"] is None
    assert capsys.readouterr().err.count("no weights here") == 4


def test_figures_are_saved_and_compared_with(monkeypatch, capsys, tmp_path):
    file = tmp_path / "bench.json"
    monkeypatch.setattr(benchmark, "measure", lambda: dict.fromkeys(KEYS) | {"cold_generate": 0.5})
    assert benchmark.main(["--file", str(file)]) == 0 and not file.exists()
    assert benchmark.main(["--file", str(file), "--save"]) == 0
    kept = json.loads(file.read_text())
    assert kept["figures"]["cold_generate"] == 0.5 and kept["figures"]["batch_1"] is None
    assert kept["machine"].keys() == machine().keys()
    monkeypatch.setattr(benchmark, "measure", lambda: dict.fromkeys(KEYS) | {"cold_generate": 0.25})
    capsys.readouterr()
    assert benchmark.main(["--file", str(file)]) == 0
    told = capsys.readouterr().out
    assert cells(told)[2][1:] == ["0.25", "0.50", "s", "2.00"]
    assert "Before: " in told and kept["date"] in told
    assert json.loads(file.read_text()) == kept


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"figures": [], "machine": {}}', "\xff"])
def test_a_file_that_is_none_of_ours_is_refused(text, tmp_path, capsys):
    file = tmp_path / "bench.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(LoopnetError, match="restore or delete"):
        read_figures(file)
    assert benchmark.main(["--file", str(file)]) == 1
    assert capsys.readouterr().err.startswith("bench: error: ")


def test_a_command_that_fails_says_why():
    with pytest.raises(LoopnetError, match=r"kits show failed: .*no-such-kit"):
        benchmark.run(["kits", "show", "no-such-kit"])
    taken = benchmark.run(["--version"])
    assert taken.seconds > 0 and taken.computing > 0 and taken.megabytes > 1
