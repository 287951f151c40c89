"""Tables and pieces of the sounding change nothing in what is heard."""

from __future__ import annotations

import numpy as np
import pytest

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
    with monkeypatch.context() as patch:
        patch.setattr(model.net, "strokes", None)
        kept = model.render(pattern, **how).audio.tobytes()
        model.render(pattern, **{**how, "seed": 4})
    monkeypatch.setattr(model, "_strokes", studio.Recent(1))
    monkeypatch.setattr(model._sounder, "_oscillators", studio.Recent(1))
    assert model.render(pattern, **how).audio.tobytes() == kept


@pytest.mark.parametrize("most", [1, 3, 256])
def test_a_loop_is_the_same_whatever_was_rendered_before(
    model: StudioModel, kit: Kit, pattern: Pattern, monkeypatch, most: int
):
    alone = model.render(pattern, kit=kit).audio.tobytes()
    monkeypatch.setattr(model, "_strokes", studio.Recent(most))
    model.render(Pattern(pattern.hits[:1], pattern.bars, pattern.meter, pattern.tempo), kit=kit)
    strokes, asked = model.net.strokes, []
    monkeypatch.setattr(model.net, "strokes", lambda *words: asked.extend(words[1]) or strokes(*words))
    assert model.render(pattern, kit=kit).audio.tobytes() == alone
    played = {(hit.voice, round(hit.velocity * 127)) for hit in pattern.hits}
    assert len(asked) == len(played) - 1 and len(model._strokes) == min(most, len(played))
