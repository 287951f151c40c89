"""What knobs on the command line mean, alone and together."""

from __future__ import annotations

import pytest
from fake_studio import BANK

from loopnet_cli.cli.knobs import asked_values, combine, parse_knob, parse_timbre
from loopnet_cli.controls import ATTRIBUTES, TIMBRE_NAMES, Knob
from loopnet_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value", "relative"),
    [("0", 0, False), ("1", 1, False), (".7", 0.7, False), ("0.25", 0.25, False), ("1.", 1, False),
     ("+.2", 0.2, True), ("-.1", -0.1, True), ("-1", -1, True), ("+0", 0, True), (" .5 ", 0.5, False)],
)  # fmt: skip
def test_a_sign_makes_a_knob_relative(text, value, relative):
    assert parse_knob(text, "--warmth") == Knob(pytest.approx(value), relative)


@pytest.mark.parametrize(
    "text", ["", "high", "1.01", "-1.5", "+2", "nan", "inf", "1e-1", "0,5", "--.1", "٠", "1_0", "+", "." * 50]
)
def test_what_is_no_knob_is_named(text):
    with pytest.raises(UsageError, match="--warmth") as caught:
        parse_knob(text, "--warmth")
    assert "\n" not in str(caught.value)


def test_timbre_lists():
    assert parse_timbre(["low.brightness=.7, hardness=+.2", "high.warmth=-.1"]) == {
        "low.brightness": Knob(0.7),
        "hardness": Knob(0.2, True),
        "high.warmth": Knob(-0.1, True),
    }
    assert parse_timbre(["LOW-brightness=1"]) == {"low.brightness": Knob(1.0)}
    assert parse_timbre(["", ","]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [("low.brightnes=.7", "did you mean low.brightness?"), ("hardnes=1", "did you mean hardness?"),
     ("low.zzz=1", "unknown knob"), ("low.warmth", "no value"), ("warmth=1,warmth=0", "twice"),
     ("warmth=2", "--timbre warmth 2"), ("=1", "unknown knob"), ("warmth==1", "use a number")],
)  # fmt: skip
def test_timbre_lists_that_are_wrong(text, said):
    with pytest.raises(UsageError) as caught:
        parse_timbre([text])
    assert said in str(caught.value)


def test_no_band_means_all_bands():
    knobs = combine({"warmth": ".4"}, [])
    assert knobs == {f"{band}.warmth": Knob(0.4) for band in ("low", "mid", "high")}


def test_the_more_specific_wins():
    options = {"warmth": ".1", "low_warmth": ".9"}
    knobs = combine(options, ["mid.warmth=.8,depth=.2,low.depth=.3"])
    assert knobs["low.warmth"] == Knob(0.9)  # --low-warmth over --warmth
    assert knobs["mid.warmth"] == Knob(0.8)  # --timbre over --warmth
    assert knobs["high.warmth"] == Knob(0.1)
    assert knobs["low.depth"] == Knob(0.3)  # within --timbre, a band over all bands
    assert knobs["high.depth"] == Knob(0.2)
    assert combine({"low_warmth": ".9"}, ["low.warmth=.1"])["low.warmth"] == Knob(0.9)
    assert combine({"warmth": ".9"}, ["warmth=.1"])["low.warmth"] == Knob(0.1)


def test_relative_is_relative_to_the_kit_whatever_it_overrides():
    knobs = combine({"warmth": ".9", "low_warmth": "+.2"}, [])
    kit = BANK["dusty-vinyl"]
    asked = asked_values(kit, knobs)
    assert asked["low.warmth"] == pytest.approx(0.3 + 0.2)
    assert asked["mid.warmth"] == pytest.approx(0.9)
    assert asked["mid.depth"] == pytest.approx(0.3)
    assert set(asked) == set(TIMBRE_NAMES)


def test_asked_values_stay_in_range():
    asked = asked_values(BANK["warm-808"], {"low.depth": Knob(0.9, True), "low.warmth": Knob(-0.9, True)})
    assert asked["low.depth"] == 1 and asked["low.warmth"] == 0


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@pytest.mark.parametrize("band", ["", "low", "mid", "high"])
def test_every_knob_has_its_option(loopnet, studio, midi, band, attribute):
    flag = f"--{band}-{attribute}" if band else f"--{attribute}"
    # a value that begins with a dash is a value, not an option
    assert loopnet("generate", midi, "-o", "a.wav", flag, "-.1").code == 0
    bands = [band] if band else ["low", "mid", "high"]
    assert studio.calls[0]["timbre"] == {f"{b}.{attribute}": Knob(-0.1, True) for b in bands}
