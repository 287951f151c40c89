from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.data import rendered
from loopnet_cli.data.bar_sources import StudioBars
from loopnet_cli.data.making import make
from loopnet_cli.data.patterns import STYLES, MadeUp, MidiBars
from loopnet_cli.data.rendered import RenderSettings, plan_render
from loopnet_cli.data.splits import held_out
from loopnet_cli.data.store import BarStore
from loopnet_cli.engine import Engine
from loopnet_cli.errors import UsageError
from loopnet_cli.pattern import VOICES, Hit, Pattern
from loopnet_cli.pattern.write import write_midi
from loopnet_cli.synthesis.curves import pattern_activations

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_material = pytest.mark.skipif(not SHARED.is_dir(), reason=f"training material not found at {SHARED}")
pytestmark = pytest.mark.usefixtures("fresh_sources")


def midi(folder: Path, count: int, meter: tuple[int, int] = (4, 4)) -> Path:
    folder.mkdir()
    for n in range(count):
        hits = tuple(Hit(b + n / 100, "kick", 0.9) for b in range(3))
        write_midi(Pattern(hits, 1, meter, 90.0 + n), folder / f"{n}.mid")
    return folder


@pytest.mark.parametrize("style", STYLES)
def test_styles_are_sixteenths_of_known_voices(style):
    assert set(STYLES[style]) <= set(VOICES)
    assert all(len(steps) == 16 and steps.isdigit() for steps in STYLES[style].values())
    assert "kick" in STYLES[style]


def test_bars_that_are_made_up():
    drawn = [MadeUp().draw(np.random.default_rng(n), 130.0) for n in range(300)]
    assert all(p.bars == 1 and p.meter == (4, 4) and p.tempo == 130.0 and len(p.hits) >= 3 for p in drawn)
    assert len({p.hits for p in drawn}) == 300
    assert {voice for p in drawn for voice in p.voices} == set(VOICES)
    # drums are absent often enough to be learned as absent
    assert all(20 < sum(not p.only([drum]).hits for p in drawn) < 150 for drum in ("snare", "hat"))
    assert MadeUp().draw(np.random.default_rng(7), 130.0) == drawn[7]


def test_midi_files_are_of_one_side(tmp_path):
    folder = midi(tmp_path / "m", 20)
    train, test = MidiBars(folder, test=False), MidiBars(folder, test=True)
    assert len(train.paths) == 18 and len(test.paths) == 2 and not set(train.paths) & set(test.paths)
    pattern = test.draw(np.random.default_rng(1), 130.0)
    assert pattern.tempo == 130.0 and [hit.voice for hit in pattern.hits] == ["kick"] * 3


def test_folders_of_midi_that_do_not_do(tmp_path):
    with pytest.raises(UsageError, match="at least 2"):
        MidiBars(midi(tmp_path / "one", 1), test=False)
    waltz = MidiBars(midi(tmp_path / "waltz", 3, (3, 4)), test=False)
    with pytest.raises(UsageError, match="no bar of 4/4"):
        waltz.draw(np.random.default_rng(1), 130.0)


def test_what_contradicts_itself(tmp_path):
    with pytest.raises(UsageError, match="--patterns"):
        plan_render(1, tmp_path / "a.h5", RenderSettings(material=str(tmp_path), patterns=str(tmp_path)))
    with pytest.raises(UsageError, match="no such folder"):
        plan_render(1, tmp_path / "a.h5", RenderSettings(patterns=str(tmp_path / "none")))


def test_kits_of_test_bars_play_no_other():
    train, test = (StudioBars(None, test=side, seed=1) for side in (False, True))
    assert len(train._kits) == 28 and len(test._kits) == 4 and not set(train._kits) & set(test._kits)


def test_bars_of_the_studio_model(tmp_path):
    make(plan_render(10, tmp_path / "a.h5", RenderSettings(seed=3)))
    with BarStore(tmp_path / "a.h5") as store:
        bars = store.read(range(10))
        assert store.indices("test").tolist() == [9]
        for pattern, curves in zip(store.patterns(range(10)), bars.activations, strict=True):
            assert pattern is not None and pattern.tempo == 130.0
            np.testing.assert_allclose(curves, pattern_activations(pattern, 185), atol=2e-3)
        for drum, name in enumerate(("kick", "snare", "hat")):
            silent = [not p.only([name]).hits for p in store.patterns(range(10))]
            assert (bars.activations[silent, :, drum] == 0).all()  # not the noise of an absent drum at full scale
        assert (np.abs(bars.audio).max(axis=1) > 0.2).all() and bars.timbre.std(axis=0).min() > 0.01
        loops = store.loops()
        kits = [{loops[n].source for n in store.indices(split)} for split in ("train", "test")]
        assert not kits[0] & kits[1]
        # the audio is where the hits are
        first = store.studio_audio([0])[0]
    again, _ = rendered.render_bar(RenderSettings(seed=3), 0)
    assert again == loops[0] and np.abs(first).max() > 0.5


def test_bars_depend_on_seed_and_number_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(rendered, "BLOCK", 3)
    make(plan_render(5, tmp_path / "a.h5", RenderSettings(seed=3, studio=False)))
    monkeypatch.setattr(rendered, "BLOCK", 2)
    make(plan_render(3, tmp_path / "b.h5", RenderSettings(seed=3, studio=False)))
    make(plan_render(3, tmp_path / "c.h5", RenderSettings(seed=4, studio=False)))
    a, b, c = (BarStore(tmp_path / f"{name}.h5").read(range(3)) for name in "abc")
    np.testing.assert_array_equal(a.audio, b.audio)
    np.testing.assert_array_equal(a.timbre, b.timbre)
    assert (np.abs(a.audio - c.audio).max(axis=1) > 0.05).all()


def test_activations_as_heard(tmp_path, fake_ears):
    make(plan_render(1, tmp_path / "a.h5", RenderSettings(activations="heard", studio=False)))
    with BarStore(tmp_path / "a.h5") as store:
        assert store.read([0]).activations[0, 0].tolist() == pytest.approx([0.9, 0, 0])
        assert len(store.patterns([0])[0].hits) >= 3  # what is played is known all the same


@needs_material
def test_bars_of_the_material_keep_to_their_side(tmp_path):
    make(plan_render(10, tmp_path / "a.h5", RenderSettings(seed=1, material=str(SHARED), studio=False)))
    with BarStore(tmp_path / "a.h5") as store:
        held = held_out("kits")
        for number, loop in enumerate(store.loops()):
            kits = set(loop.source.split(", "))
            assert kits <= held if number == 9 else not kits & held
        assert all(pattern.meter == (4, 4) for pattern in store.patterns(range(10)))


@pytest.mark.slow
def test_the_same_bytes_whatever_the_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(rendered, "BLOCK", 2)
    make(plan_render(5, tmp_path / "a.h5", RenderSettings(seed=3)))
    make(plan_render(5, tmp_path / "b.h5", RenderSettings(seed=3)), Engine(workers=2))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
