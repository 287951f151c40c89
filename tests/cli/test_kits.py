"""``loopnet kits``."""

from __future__ import annotations

import json

from fake_studio import BANK


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
