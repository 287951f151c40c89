"""Kits out of kits."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopnet_cli.controls import TIMBRE_NAMES, Knob
from loopnet_cli.errors import UsageError
from loopnet_cli.synthesis import kit_store
from loopnet_cli.synthesis.bank import read_bank
from loopnet_cli.synthesis.kit_mix import (
    kit_label,
    looks_like_mix,
    mix_name,
    mixed,
    morph,
    parse_mix,
    turned,
    with_knobs,
)

BANK = read_bank()
A, B = BANK["tight-studio"], BANK["warm-808"]
NAMES = st.sampled_from(sorted(BANK))
WEIGHTS = st.decimals(min_value="0.001", max_value="999", places=3).map(str)


@pytest.fixture(autouse=True)
def no_kits_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOPNET_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a:0.3,b:0.7", {"a": Fraction(3, 10), "b": Fraction(7, 10)}),
        ("b:7,a:3", {"a": Fraction(3, 10), "b": Fraction(7, 10)}),
        ("  a : 30% ,\tb:70%", {"a": Fraction(3, 10), "b": Fraction(7, 10)}),
        ("a,b", {"a": Fraction(1, 2), "b": Fraction(1, 2)}),
        ("a:1,b:2", {"a": Fraction(1, 3), "b": Fraction(2, 3)}),
        ("a:1,b:0", {"a": Fraction(1)}),
        ("a:.5,a:.5,b:1.", {"a": Fraction(1, 2), "b": Fraction(1, 2)}),
        ("my kit:1,a:1", {"a": Fraction(1, 2), "my kit": Fraction(1, 2)}),
    ],
)
def test_mixes_are_read(text, parts):
    found = parse_mix(text)
    assert dict(found) == parts and found == sorted(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a:x,b:1", "'x' is no weight"), ("a:-1,b:2", "'-1' is no weight"), ("a:nan,b:1", "no weight"),
        ("a:1e9,b:1", "no weight"), ("a:inf", "no weight"), ("a:,b:1", "'' is no weight"), (",b:1", "name is missing"),
        ("a:1,", "a name is missing"), ("a:0,b:0", "all weights are 0"), ("a:1:2", "no weight"),
        ("a:" + "9" * 5000, "no weight"), ("a," * 2000, "more than 1000"), ("a\x1b:x", "no weight"),
    ],
)  # fmt: skip
def test_what_is_no_mix(text, reason):
    with pytest.raises(UsageError, match=reason) as caught:
        parse_mix(text)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 300


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, WEIGHTS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_neither_order_nor_scale_matters(weights, chance: random.Random):
    words = [f"{name}:{weight}" for name, weight in weights.items()]
    first = kit_store.find_kit(",".join(words))
    chance.shuffle(words)
    assert kit_store.find_kit(" , ".join(words)) == first
    thousand = [f"{name}:{int(Fraction(weight) * 1000)}" for name, weight in weights.items()]
    assert kit_store.find_kit(",".join(thousand)) == first
    assert all(
        min(BANK[n].timbre[f] for n in weights) - 1e-9
        <= first.timbre[f]
        <= max(BANK[n].timbre[f] for n in weights) + 1e-9
        for f in TIMBRE_NAMES
    )


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_mix_or_a_line(text):
    looks_like_mix(text)
    try:
        parts = parse_mix(text)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        assert sum(weight for _, weight in parts) == 1


def test_a_mix_of_one_is_that_kit():
    assert kit_store.find_kit("warm-808:1") is kit_store.find_kit("warm-808:0.2,tight-studio:0")
    assert kit_store.find_kit("warm-808:1") == B


def test_levels_are_blended_in_decibels_and_all_else_evenly():
    quiet = replace(A, name="quiet", levels={**A.levels, "kick": 0.01, "tom": 0.0})
    loud = replace(A, name="loud", levels={**A.levels, "kick": 1.0, "tom": 1.0}, codes=B.codes, chroma=B.chroma)
    half = mixed([(quiet, 0.5), (loud, 0.5)], name="half")
    assert half.levels["kick"] == pytest.approx(0.1)
    assert half.levels["tom"] == pytest.approx(10 ** (-30 / 20))  # silence enters at -60 dB
    assert half.levels["snare"] == A.levels["snare"]
    for voice in ("kick", "ride"):
        assert half.codes[voice] == pytest.approx(
            [(a + b) / 2 for a, b in zip(A.codes[voice], B.codes[voice], strict=True)]
        )
    assert half.chroma == pytest.approx([(a + b) / 2 for a, b in zip(A.chroma, B.chroma, strict=True)])
    silent = replace(A, levels=dict.fromkeys(A.levels, 0.0))
    assert mixed([(silent, 0.5), (replace(silent, name="b"), 0.5)], name="x").levels == silent.levels


def test_names_of_mixes_can_be_typed_again_and_stand_in_file_names():
    for text in ("tight-studio:0.3,warm-808:0.7", "tight-studio:1,warm-808:2", "boomy-808:1,tight-studio:3,warm-808:3"):
        kit = kit_store.find_kit(text)
        assert kit_store.find_kit(kit.name) == kit
    assert mix_name(parse_mix("b:7,a:3")) == "a:0.3,b:0.7" and mix_name(parse_mix("a,b,c")) == "a:1,b:1,c:1"
    assert kit_label("a:0.3,b:0.7") == "a-30+b-70" and kit_label("a:1,b:2") == "a-33.33+b-66.67"
    assert kit_label("plain") == "plain"
    many = ",".join(sorted(BANK))
    assert kit_label(mix_name(parse_mix(many))).startswith(f"mix-of-{len(BANK)}-")


def test_morphing_begins_and_ends_with_the_kits_themselves():
    kits = [kit_store.find_mix(parts) for parts in morph("tight-studio", "warm-808", 5)]
    assert kits[0] == A and kits[-1] == B and len(kits) == 5
    assert kits[1].name == "tight-studio:0.75,warm-808:0.25" and kits[2] == kit_store.find_kit("warm-808,tight-studio")
    assert morph("warm-808", "tight-studio", 3) == morph("tight-studio", "warm-808", 3)[::-1]
    ends = morph("tight-studio,boomy-808", "warm-808", 3)
    assert mix_name(ends[0]) == "boomy-808:0.5,tight-studio:0.5"
    assert dict(ends[1]) == {"boomy-808": Fraction(1, 4), "tight-studio": Fraction(1, 4), "warm-808": Fraction(1, 2)}
    for steps in (0, 1, -3, 10**6):
        with pytest.raises(UsageError, match="--steps"):
            morph("a", "b", steps)


def test_turned_knobs():
    kit = with_knobs(A, {"low.depth": Knob(0.2, True), "high.warmth": Knob(0.9)}, {"snare": -6.0})
    assert kit.shift["low.depth"] == 0.2 and kit.timbre["high.warmth"] == pytest.approx(0.9)
    assert (
        kit.levels["snare"] == pytest.approx(A.levels["snare"] * 10 ** (-6 / 20))
        and kit.levels["kick"] == A.levels["kick"]
    )
    own = Knob(0.9 - A.timbre["high.warmth"], True)
    assert turned(kit, {}) == {"low.depth": Knob(0.2, True), "high.warmth": own}
    on_top = turned(kit, {"low.depth": Knob(0.1, True), "high.warmth": Knob(0.3), "mid.depth": Knob(0.5)})
    assert on_top["low.depth"].value == pytest.approx(0.3) and on_top["low.depth"].relative
    assert on_top["high.warmth"] == Knob(0.3) and on_top["mid.depth"] == Knob(0.5)
    assert mixed([(A, 0.75), (kit, 0.25)], name="x").shift["low.depth"] == pytest.approx(0.05)
