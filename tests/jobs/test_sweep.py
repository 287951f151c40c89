"""Sweeps: values from ranges and lists, names from values."""

from __future__ import annotations

import pytest

from loopnet_cli.errors import UsageError
from loopnet_cli.jobs.sweep import Sweep, combinations, default_name, filled, number_or_text, parse_sweep, parse_sweeps


@pytest.mark.parametrize(
    ("text", "option", "values"),
    [
        ("brightness=0:1:5", "brightness", ["0", "0.25", "0.5", "0.75", "1"]),
        ("bpm=80:160:3", "bpm", ["80", "120", "160"]),
        ("seed=1:5:5", "seed", ["1", "2", "3", "4", "5"]),
        ("bpm=160:80:2", "bpm", ["160", "80"]),
        ("warmth=-.2:.2:3", "warmth", ["-0.2", "+0", "+0.2"]),
        ("warmth=+0:+1:2", "warmth", ["+0", "+1"]),
        ("warmth=.5:1:1", "warmth", ["0.5"]),
        ("depth=0:1:4", "depth", ["0", "0.333333333", "0.666666667", "1"]),
        ("kit=a,b, c", "kit", ["a", "b", "c"]),
        ("kit=a", "kit", ["a"]),
        ("chroma=C,Eb,G;Am", "chroma", ["C,Eb,G", "Am"]),
        ("kit=a:0.3", "kit", ["a:0.3"]),
        ("kit=a:0.3,b:0.7;c", "kit", ["a:0.3,b:0.7", "c"]),
        ("--low.depth=.1,.2", "low-depth", [".1", ".2"]),
        ("Low_Depth=.1", "low-depth", [".1"]),
        ("normalize=peak:-3,lufs", "normalize", ["peak:-3", "lufs"]),
    ],
)
def test_values(text, option, values):
    assert parse_sweep(text, 1000) == Sweep(option, tuple(values))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("brightness", "write an option and its values"),
        ("=1,2", "write an option"),
        ("kit=", "write an option"),
        ("kit=a,,b", "a value is empty"),
        ("kit=a,b,a", "given twice"),
        ("kit=a:0.3,b:0.7", "semicolons between kits"),
        ("kit=a,b:2", "semicolons between kits"),
        ("bpm=1:2:0", "1 value or more"),
        ("bpm=1:2:999999999", "--max allows 1000"),
    ],
)
def test_what_is_no_sweep(text, part):
    with pytest.raises(UsageError, match=part):
        parse_sweep(text, 1000)


def test_every_combination_the_last_moving_fastest():
    sweeps = parse_sweeps(["a=1,2", "b=x,y"], 1, 4)
    assert list(combinations(sweeps)) == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
    ]


def test_absurd_products_are_refused_before_they_are_made():
    texts = [f"o{index}=0:1:100" for index in range(6)]
    with pytest.raises(UsageError, match=r"100 x 100 x .* = 1000000000000 loops, and --max allows 1000"):
        parse_sweeps(texts, 1, 1000)
    with pytest.raises(UsageError, match="3 x 2 = 6 loops"):
        parse_sweeps(["kit=a,b"], 3, 5)
    with pytest.raises(UsageError, match="given twice"):
        parse_sweeps(["kit=a", "kit=b"], 1, 5)


def test_names_from_values():
    sweeps = [Sweep("brightness", ("0.5",)), Sweep("kit", ("a",))]
    template = default_name(sweeps, 1)
    assert template == "{stem}_brightness-{brightness}_kit-{kit}"
    assert filled(template, {"brightness": "0.5", "kit": "a:.3,b/.."}) == "{stem}_brightness-0.5_kit-a_.3_b__"
    assert default_name(sweeps, 3).endswith("_{seed}")
    assert filled("{{x}}{seed:05}_{kit}", {"kit": "b"}) == "{{x}}{seed:05}_b"
    assert filled("{seed:03}-{kit:03}", {"kit": "b", "seed": "7"}) == "007-b"
    assert filled("plots/{kit}.png", {"kit": "b"}, "--plot") == "plots/b.png"


@pytest.mark.parametrize("template", ["{nothing}", "{kit", "a/b", "{kit:999999999}", "{kit!r}"])
def test_wrong_templates(template):
    with pytest.raises(UsageError):
        filled(template, {"kit": "b"})


def test_numbers_for_the_page():
    assert [number_or_text(text) for text in ("0.5", "+.2", "a", "1:2")] == [0.5, 0.2, "a", "1:2"]
