"""``loopnet kits``."""

from __future__ import annotations

import json

import pytest
from fake_studio import BANK, make_kit

from loopnet_cli.synthesis import kit_store

MINE = make_kit("mine", "one of my own", 0.4)


def test_list(loopnet):
    for words in (["kits"], ["kits", "list"]):
        done = loopnet(*words)
        lines = done.stdout.splitlines()
        assert done.code == 0 and [line.split()[0] for line in lines] == list(BANK)
        assert [line.split()[1] == "*" for line in lines] == [False, True, False]  # the default
        assert "soft and dull" in lines[0]


def test_list_as_json(loopnet):
    listed = json.loads(loopnet("kits", "list", "--json").stdout)
    assert listed[2] == {"name": "warm-808", "description": "long kick, thin hats", "builtin": True}


def test_show(loopnet):
    done = loopnet("kits", "show", "dusty-vinyl")
    assert done.code == 0 and done.stdout.startswith("dusty-vinyl: soft and dull\n")
    assert done.stdout.count("0.30") == 21
    shown = json.loads(loopnet("kits", "show", "dusty-vinyl", "--json").stdout)
    assert shown["timbre"]["low.warmth"] == 0.3 and shown["chroma"]["C"] == 1 and shown["levels"]["kick"] == 0.5


def test_unknown(loopnet):
    loopnet("kits", "show", "dusty-vinil").refused(2, "dusty-vinil", "did you mean dusty-vinyl")


def test_listing_loads_no_model(loopnet, studio):
    loopnet("kits")
    assert studio.loaded == 0


class TestOnesOwn:
    @pytest.fixture(autouse=True)
    def mine(self, studio, own_kits):
        return kit_store.save_kit(MINE)

    def test_are_listed_and_marked(self, loopnet):
        assert loopnet("kits").stdout.splitlines()[-1].split(maxsplit=2) == ["mine", "+", "one of my own"]
        listed = json.loads(loopnet("kits", "list", "--json").stdout)
        assert [kit["builtin"] for kit in listed] == [True, True, True, False]

    def test_are_shown(self, loopnet):
        shown = json.loads(loopnet("kits", "show", "mine", "--json").stdout)
        assert shown["timbre"]["low.warmth"] == 0.4 and shown["builtin"] is False
        loopnet("kits", "show", "mime").refused(2, "did you mean mine")

    def test_are_used(self, loopnet, studio):
        assert loopnet("generate", "kick: x...", "--kit", "mine", "-o", "a.wav").code == 0
        assert studio.calls[0]["kit"] == MINE

    def test_have_a_place(self, loopnet, own_kits, mine):
        assert loopnet("kits", "path").stdout == f"{own_kits}\n"
        assert loopnet("kits", "path", "mine").stdout == f"{mine}\n"
        assert json.loads(loopnet("kits", "path", "mine", "--json").stdout) == {"path": str(mine)}
        loopnet("kits", "path", "warm-808").refused(2, "warm-808 is a built-in kit")

    def test_are_removed_without_asking(self, loopnet, mine):
        done = loopnet("kits", "remove", "mine")
        assert (done.code, done.stdout, done.stderr) == (0, "", f"removed {mine}\n") and not mine.exists()
        loopnet("kits", "remove", "mine").refused(2, "unknown kit 'mine'")

    def test_are_removed_together_or_not_at_all(self, loopnet, mine):
        loopnet("kits", "remove", "mine", "warm-808").refused(2, "built-in")
        assert mine.exists()
        assert json.loads(loopnet("kits", "remove", "mine", "mine", "--json").stdout) == {"removed": [str(mine)]}

    def test_a_damaged_one_is_told_and_disturbs_nobody(self, loopnet, mine):
        mine.write_text(mine.read_text().replace('"kick": 0.5', '"kick": "loud"'))
        done = loopnet("kits")
        assert done.code == 0 and len(done.stdout.splitlines()) == len(BANK)
        assert done.stderr.startswith(f"loopnet: warning: {mine} is not a usable kit: levels of kick: 'loud'")
        loopnet("generate", "kick: x...", "--kit", "mine", "-o", "a.wav").refused(1, str(mine), "levels of kick")
        assert loopnet("generate", "kick: x...", "--kit", "warm-808", "-o", "a.wav").code == 0
        assert loopnet("kits", "remove", "mine").code == 0
