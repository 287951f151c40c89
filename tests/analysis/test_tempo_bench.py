"""The figures of tempos."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopnet_cli.analysis import tempo_bench
from loopnet_cli.analysis.section import Section
from loopnet_cli.analysis.tempo import bar_counts, length_confidence
from loopnet_cli.analysis.tempo_bench import Answer, Loop


def answer(true: float, found: float, *, cut: bool = True) -> Answer:
    section = Section(0.0, 1.0, found, 2, (4, 4), True, 0.9, "by ear")
    return Answer(Loop(Path(f"loops/a-{true:g}.flac"), true, (4, 4), cut, False), section, 0.1)


def test_accuracies_are_counted_by_group() -> None:
    answers = [answer(120, 120.9), answer(120, 60.5), answer(90, 270.0), answer(100, 150.0, cut=False)]
    table = tempo_bench.table(answers).splitlines()
    assert "| all | 4 | 25.0 % (1) | 50.0 % (2) | 75.0 % (3) | 100.0 % (4) |" in table
    assert any(line.startswith("| cut as loops | 3 | 33.3 % (1) |") for line in table)
    assert not any("held out" in line for line in table)


def test_misses_are_listed_with_what_was_found() -> None:
    listed = tempo_bench.misses([answer(120, 120.0), answer(170, 85.0)])
    assert "a-170" in listed and "85.00, 2 bars" in listed and "a-120" not in listed


def test_a_folder_without_loops_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        tempo_bench.main([str(tmp_path)])
    assert caught.value.code == 2 and "loops.csv" in capsys.readouterr().err


def test_length_confidence_is_that_of_font_and_serra() -> None:
    assert length_confidence(8.0, 120.0) == 1.0
    assert length_confidence(8.125, 120.0) == pytest.approx(0.5)
    assert length_confidence(8.25, 120.0) == pytest.approx(0.0)


def test_every_count_of_bars_with_a_sensible_tempo_is_a_hypothesis() -> None:
    assert bar_counts(8.0, (4, 4)) == [2, 3, 4, 5, 6, 7]
    assert bar_counts(0.3, (4, 4)) == [1]
    assert bar_counts(7.0, (7, 8)) == [2, 3, 4, 5, 6, 7]
