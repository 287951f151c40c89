"""Plain values pass without Typer's validators, and come out as Typer would have them; the rest is Typer's."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from loopnet_cli.cli.lean import lean


class Colour(StrEnum):
    red = "red"
    light_blue = "light-blue"


def command(seen: list[Any], limit: Path) -> typer.Typer:
    app = typer.Typer(add_completion=False)

    @app.command()
    def show(
        words: list[str],
        number: Annotated[int, typer.Option(min=1, max=20)] = 3,
        share: Annotated[float | None, typer.Option(min=0.5)] = None,
        whole: Annotated[int | None, typer.Option()] = None,
        colour: Annotated[Colour, typer.Option(case_sensitive=False)] = Colour.red,
        file: Path | None = None,
        there: Annotated[Path, typer.Option(exists=True, dir_okay=False)] = limit,
        more: Annotated[list[float] | None, typer.Option()] = None,
        checked: Annotated[str, typer.Option(callback=lambda value: value.upper())] = "x",
        own: Annotated[Any, typer.Option(parser=lambda text: f"<{text}>")] = None,
        loud: bool = False,
    ) -> None:
        seen.append((words, number, share, whole, colour, file, there, more, checked, own, loud))

    return app


LINES = [
    "a b",
    "",
    "a --number 20",
    "a --number 21",
    "a --number 0",
    "a --number=-1",
    "a --number 1.0",
    "a --number 1_0",
    "a --number x",
    "a --number 99999999999999999999",
    "a --share 0.5",
    "a --share 1",
    "a --share 0.25",
    "a --share 1e0",
    "a --share nan",
    "a --share inf",
    "a --whole 007",
    "a --whole=-12",
    "a --colour red",
    "a --colour LIGHT-BLUE",
    "a --colour green",
    "a --file new --loud",
    "a --file .",
    "a --there missing",
    "a --there .",
    "a --more 1 --more 2.5",
    "a --more 1 --more x",
    "a --checked y",
    "a --own z",
]
PLAIN = "a --number 4 --share 0.75 --colour red --file new --more 2"


@pytest.mark.parametrize("line", LINES)
def test_every_line_does_what_typer_does(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    outcomes = []
    for make in (lambda command: command, lean):
        seen: list[Any] = []
        built = make(typer.main.get_command(command(seen, tmp_path / "file")))
        result = CliRunner().invoke(_Given(built), line.split())
        outcomes.append((result.exit_code, result.output, seen, [[type(value) for value in row] for row in seen]))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][2] or outcomes[0][0] == 2


class _Given(typer.Typer):
    """What Typer's runner takes, for a command that is built."""

    def __init__(self, built: Any) -> None:
        super().__init__()
        self.built = built


@pytest.fixture(autouse=True)
def _runner_takes_built(monkeypatch):
    monkeypatch.setattr("typer.testing._get_command", lambda given: given.built)


def test_plain_values_need_no_validator():
    seen: list[Any] = []
    built = lean(typer.main.get_command(command(seen, Path(__file__))))
    parameters = built.get_params(typer.Context(built))
    if not hasattr(parameters[0], "get_runtime_param"):
        pytest.skip("this Typer has no validators")
    result = CliRunner().invoke(_Given(built), PLAIN.split())
    assert (result.exit_code, len(seen)) == (0, 1)
    used = {p.name for p in parameters if getattr(p, "_runtime_param", None) is not None}
    assert used <= {"own", "there"}
