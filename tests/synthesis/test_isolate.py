"""Some voices alone."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.controls import Loop
from loopnet_cli.errors import PatternError
from loopnet_cli.pattern import STEMS, Hit, Pattern
from loopnet_cli.synthesis.isolate import isolated, to_render, voices_alone

PLAYED = Pattern((Hit(0, "kick"), Hit(0, "hat_closed"), Hit(1, "snare"), Hit(1, "clap"), Hit(2, "hat_open")))


def test_the_hits_of_voices_and_stems():
    assert voices_alone(PLAYED, ["hat"]).voices == ("hat_closed", "hat_open")
    assert voices_alone(PLAYED, ["hat_open", "kick"]).voices == ("kick", "hat_open")


@pytest.mark.parametrize(
    ("names", "said"), [(["tom"], "no tom to be left alone: kick, snare, clap"), (["kik"], "unknown voice 'kik'")]
)
def test_what_is_not_there(names, said):
    with pytest.raises(PatternError, match=said):
        voices_alone(PLAYED, names)


def test_others_of_the_same_stem_are_not_rendered_others_are():
    rendered = to_render(PLAYED, voices_alone(PLAYED, ["clap"]))
    assert rendered.voices == ("kick", "clap", "hat_closed", "hat_open")
    assert to_render(PLAYED, voices_alone(PLAYED, ["snare", "kick"])) == PLAYED


def test_other_stems_are_silenced_and_the_rest_sums_up():
    stems = {name: np.full(8, 0.1 * n, np.float32) for n, name in enumerate(STEMS, 1)}
    loop = Loop(sum(stems.values()), stems, 44100, 120, 1, (4, 4), 0)
    alone = isolated(loop, voices_alone(PLAYED, ["kick", "hat_open"]))
    np.testing.assert_allclose(alone.audio, 0.1 + 0.3, rtol=1e-6)
    assert not alone.stems["snare"].any() and not alone.stems["rest"].any()
    assert alone.stems["hat"] is stems["hat"]
