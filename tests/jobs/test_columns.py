"""Columns are the options of the commands, all of them, with no list of their own."""

from __future__ import annotations

import pytest

from loopnet_cli.errors import JobsError
from loopnet_cli.jobs.columns import NOT_IN_ROWS, columns, command_of, commands, parsed, words_of
from loopnet_cli.jobs.files import Row
from loopnet_cli.jobs.worker import RowHost


def row(**cells) -> Row:
    return Row(3, 4, cells)


def words(**cells) -> list[str]:
    return words_of(row(**cells), command_of(row(**cells)))


@pytest.mark.parametrize("command", ["generate", "transfer"])
def test_every_option_of_the_commands_is_a_column(command):
    for parameter in commands()[command].params:
        assert columns(command)[parameter.name] is parameter
        for name in parameter.opts:
            if name.startswith("--"):
                assert columns(command)[name[2:].replace("-", "_")] is parameter
    assert {"bpm", "low_brightness", "map", "stems", "plot", "report"} <= columns(command).keys()
    assert columns(command).keys() >= set(NOT_IN_ROWS)


def test_a_row_becomes_the_words_that_would_be_typed():
    found = words(inputs="-a.mid", bpm="120", **{"low.depth": "-.1", "Out Dir": "x y", "--kit": "a"})
    assert found == ["--bpm=120", "--kit=a", "--low-depth=-.1", "--out-dir=x y", "--", "-a.mid"]
    assert words(inputs=["a", "b"], set=["low.depth=.1", "warmth=+.2"]) == [
        "--timbre=low.depth=.1", "--timbre=warmth=+.2", "--", "a", "b",
    ]  # fmt: skip


def test_equal_rows_have_equal_words_whatever_their_order():
    assert words(inputs="a", bpm="1", kit="b") == words(kit="b", inputs="a", bpm="1")


@pytest.mark.parametrize(("text", "given"), [("true", True), ("YES", True), ("1", True), ("no", False), ("0", False)])
def test_flags(text, given):
    assert words(inputs="a", overwrite=text) == (["--overwrite"] if given else []) + ["--", "a"]


def test_which_command():
    assert command_of(row(inputs="a")) == "generate"
    assert command_of(row(inputs="a", timbre="low.depth=.1")) == "generate"
    assert command_of(row(rhythm="a", timbre="b")) == "transfer"
    assert command_of(row(command="generate", rhythm="a")) == "generate"


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        (
            {"inputs": "a", "brightnes": ".3"},
            "row 3 (line 4): there is no column 'brightnes': did you mean bright",
        ),
        ({"inputs": "a", "amount": ".3"}, "generate has none, transfer has"),
        ({"inputs": "a", "timbre": "x", "set": "y"}, "columns timbre and set say the same"),
        ({"inputs": "a", "overwrite": "maybe"}, "column overwrite: 'maybe' is neither true nor false"),
        ({"inputs": "a", "bpm": ["1", "2"]}, "column bpm: one value is needed, not 2"),
        ({"inputs": "-"}, "column inputs: - is standard input or output"),
        ({"inputs": "a", "output": "-"}, "column output: - is"),
        ({"inputs": "a", "json": "1"}, "column json: it is about the whole run: give --json to batch"),
        ({"inputs": "a", "quiet": "1"}, "give --quiet to batch"),
        ({"inputs": "a\0b"}, "column inputs: there is a NUL"),
        ({"command": "analyze", "inputs": "a"}, "column command: 'analyze' is neither generate nor transfer"),
    ],
)
def test_wrong_columns(cells, part):
    with pytest.raises(JobsError) as caught:
        words(**cells)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        ({"inputs": "a", "bpm": "fast"}, "row 3 (line 4), column bpm: 'fast': "),
        ({"inputs": "a", "Variations": "0"}, "column Variations: '0': "),
        ({"inputs": "a", "format": "mp3"}, "column format: 'mp3': "),
        ({"bpm": "120"}, "row 3 (line 4): there is no inputs, which generate needs"),
        ({"rhythm": "a"}, "there is no timbre, which transfer needs"),
    ],
)
def test_the_commands_own_parser_says_what_is_wrong_with_a_value(cells, part):
    with pytest.raises(JobsError) as caught:
        parsed(row(**cells), command_of(row(**cells)), words(**cells), RowHost(False, {}))
    assert part in str(caught.value)


def test_values_are_read_as_typed():
    context = parsed(row(inputs="a", bpm="99.5"), "generate", words(inputs="a", bpm="99.5"), RowHost(False, {}))
    assert context.params["bpm"] == 99.5 and list(context.params["inputs"]) == ["a"]
