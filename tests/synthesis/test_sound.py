"""Tables and pieces of the sounding change nothing in what is heard."""

from __future__ import annotations

import numpy as np

from loopnet_cli.controls import Kit, Knob
from loopnet_cli.pattern import Pattern
from loopnet_cli.synthesis import sound, studio
from loopnet_cli.synthesis.hitnet import HOP, HitNet, noise_bands
from loopnet_cli.synthesis.sound import MAX_HOPS, TABLE_HOPS, TABLE_SEED, Oscillators, Sounder
from loopnet_cli.synthesis.studio import StudioModel

from .conftest import SMALL
from .test_hitnet import batch


def test_the_noise_table_is_the_noise_in_bands():
    bands = noise_bands(SMALL, TABLE_HOPS * HOP, np.random.default_rng(TABLE_SEED))
    table = Sounder(SMALL)._noise
    assert np.array_equal(table.transpose(1, 0, 2).reshape(SMALL.bands, -1), bands)


def test_the_table_of_phases_grows_to_what_it_would_be_at_once():
    radians = np.geomspace(0.004, 0.8, 7)
    for tuning in (1.0, 1.1):
        growing = Oscillators(radians, tuning)
        pieces = [growing.turn(count) for count in (3, 300, 20, MAX_HOPS)]
        whole = np.exp(1j * np.outer(np.arange(MAX_HOPS) * HOP, radians * tuning)).astype(np.complex64)
        assert all(np.array_equal(piece, whole[: len(piece)]) for piece in pieces)
        assert [len(piece) for piece in pieces] == [3, 300, 20, MAX_HOPS]


def test_pieces_of_any_length_sound_the_same(net: HitNet, monkeypatch):
    strokes, sounder = net.strokes(*batch(net)), Sounder(SMALL)
    expected = sounder.sound(strokes, offset=1000, tuning=0.9)
    for piece in (1, 7, 5000):
        monkeypatch.setattr(sound, "PIECE", piece)
        np.testing.assert_allclose(sounder.sound(strokes, offset=1000, tuning=0.9), expected, atol=1e-5)


def test_what_is_kept_is_what_would_be_made_again(model: StudioModel, kit: Kit, pattern: Pattern, monkeypatch):
    how = {"kit": kit, "timbre": {"mid.brightness": Knob(0.8)}, "chroma": [1, *[0] * 11], "seed": 3}
    model.render(pattern, **how)
    kept = model.render(pattern, **how).audio.tobytes()
    monkeypatch.setattr(model, "_strokes", studio.Recent(1))
    monkeypatch.setattr(model._sounder, "_oscillators", studio.Recent(1))
    assert model.render(pattern, **how).audio.tobytes() == kept
    asked = []
    monkeypatch.setattr(model.net, "strokes", lambda *words: asked.append(words))
    model.render(pattern, **{**how, "seed": 4})
    assert asked == []


def test_many_strokes_are_not_kept(model: StudioModel, kit: Kit, pattern: Pattern, monkeypatch):
    monkeypatch.setattr(studio, "KEPT_STROKES", 0)
    monkeypatch.setattr(model, "_strokes", studio.Recent(8))
    model.render(pattern, kit=kit)
    assert len(model._strokes) == 0
