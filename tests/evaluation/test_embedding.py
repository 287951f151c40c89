"""The embedding against the interpreter's own, and what it must and must not react to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.errors import WeightsError
from loopnet_cli.evaluation.embedding import HOP, PATCH_HOP, PATCH_SAMPLES, SIZE, WIDTHS, Embedder, cosine_distance

sys.path.insert(0, str(Path(__file__).parent))
from tflite_writer import flatbuffer, model
from yamnet import sounds, write_yamnet

REAL = Path(__file__).parents[2].parent / "shared" / "yamnet" / "yamnet.tflite"
# every eighth of the 1024 numbers, from the file run by ai_edge_litert 2.3.0 on these very sounds
GOLDEN = json.loads(Path(__file__).with_name("yamnet_embeddings.json").read_text())


@pytest.fixture(scope="module")
def real() -> Embedder:
    if not REAL.exists():
        pytest.skip("YAMNet's file is not beside this checkout")
    return Embedder(REAL)


@pytest.fixture(scope="module")
def random(tmp_path_factory) -> Embedder:
    return Embedder(write_yamnet(tmp_path_factory.mktemp("yamnet") / "random.tflite"))


def test_it_agrees_with_the_file_run_by_its_own_interpreter(real):
    found = {name: real.patches(sound)[0][::8] for name, sound in sounds().items()}
    together = [np.concatenate([side[name] for name in GOLDEN]) for side in (found, GOLDEN)]
    assert np.corrcoef(*together)[0, 1] > 0.999
    for name, expected in GOLDEN.items():
        assert np.corrcoef(found[name], expected)[0, 1] > 0.998
        assert np.abs(found[name] - np.array(expected)).max() < 0.15


def test_patches_are_embedded_one_by_one_or_together_alike(random):
    step = PATCH_HOP * HOP
    audio = np.concatenate(list(sounds().values()))[: PATCH_SAMPLES + step]
    both = random.patches(audio)
    assert both.shape == (2, SIZE)
    np.testing.assert_allclose(both[0], random.patches(audio[:PATCH_SAMPLES])[0], atol=1e-5)
    np.testing.assert_allclose(both[1], random.patches(audio[step:])[0], atol=1e-5)
    assert cosine_distance(both[0], both[1]) > 1e-4


def test_a_short_piece_is_refused(random):
    with pytest.raises(ValueError, match="15000 samples"):
        random.patches(np.zeros(15000, np.float32))


def test_a_loop_is_a_circle(real):
    strokes = list(sounds(44100, 60000).values())
    loop, turned, other = strokes[2], np.roll(strokes[2], 20000), strokes[3]
    base = real.loop(loop, 44100)
    assert base.shape == (SIZE,)
    assert cosine_distance(base, real.loop(np.tile(loop, 2), 44100)) < 0.002
    assert cosine_distance(base, real.loop(turned, 44100)) < 0.3 * cosine_distance(base, real.loop(other, 44100))


def test_the_rate_of_a_loop_hardly_matters(real):
    low = sounds(16000, 16000)["strokes 1"]
    from scipy.signal import resample

    high = resample(low, 44100).astype(np.float32)
    assert cosine_distance(real.loop(low, 16000), real.loop(high, 44100)) < 0.005


def test_cosine_distance_sees_direction_alone():
    a, b = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    assert cosine_distance(a, 3 * a) == pytest.approx(0.0)
    assert cosine_distance(a, b) == pytest.approx(1 - np.sqrt(0.5))
    assert cosine_distance(a, np.array([0.0, 2.0])) == pytest.approx(1.0)


def test_another_network_is_refused(tmp_path):
    wider = write_yamnet(tmp_path / "wider.tflite", widths=(24, *WIDTHS[1:]))
    with pytest.raises(WeightsError, match="not YAMNet: convolution 0 has shape"):
        Embedder(wider)
    shorter = write_yamnet(tmp_path / "shorter.tflite", widths=WIDTHS[:5])
    with pytest.raises(WeightsError, match="9 convolutions"):
        Embedder(shorter)
    none = tmp_path / "none.tflite"
    none.write_bytes(flatbuffer(model([("x", (1,), None, None)], [(0, (0,), (0,))])))
    with pytest.raises(WeightsError, match="no mel spectrogram"):
        Embedder(none)
