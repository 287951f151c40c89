"""VGGish: the published numbers of its front end, the shapes of its network, and strict reading of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.errors import WeightsError
from loopnet_cli.evaluation import vggish
from loopnet_cli.evaluation.vggish import PARAMETERS, PORT_NAMES, SHAPES, VGGish, examples, log_mel, mel_matrix

SAFETENSORS = {np.dtype("float32"): "F32", np.dtype("float16"): "F16", np.dtype("int8"): "I8"}


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Random weights, half precision: 144 MB."""
    rng = np.random.default_rng(0)
    tensors = {}
    for name, shape in SHAPES.items():
        block = rng.standard_normal(4096).astype(np.float16)
        scale = np.float16(np.sqrt(2 / np.prod(shape[1:]))) if len(shape) > 1 else np.float16(0.05)
        tensors[name] = np.resize(block, shape) * scale
    return tensors


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("vggish") / "w.safetensors", weights)


@pytest.fixture(scope="module")
def model(file) -> VGGish:
    return VGGish(file)


def write(path: Path, tensors: dict[str, np.ndarray]) -> Path:
    from safetensors.numpy import save_file

    save_file(tensors, path)
    return path


def tone(hertz: float, seconds: float, level: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * 16000)) / 16000)


class TestFrontEnd:
    def test_the_published_numbers(self):
        assert (vggish.SAMPLE_RATE, vggish.WINDOW, vggish.HOP, vggish.FFT) == (16000, 400, 160, 512)
        assert (vggish.MELS, vggish.MEL_LOW, vggish.MEL_HIGH, vggish.LOG_OFFSET) == (64, 125.0, 7500.0, 0.01)
        assert vggish.EXAMPLE_FRAMES == 96
        assert vggish.EXAMPLE_SAMPLES == 15600

    @pytest.mark.parametrize(
        ("seconds", "frames", "whole"),
        # the published smoke test: five examples in five seconds
        [(5.0, 498, 5), (0.975, 96, 1), (0.9749, 95, 0), (1.846125, 183, 1), (0.025, 1, 0), (0.0249, 0, 0), (0, 0, 0)],
    )
    def test_how_many_frames_and_examples(self, seconds, frames, whole):
        audio = np.zeros(int(seconds * 16000))
        assert log_mel(audio).shape == (frames, 64)
        assert examples(audio).shape == (whole, 96, 64)

    def test_silence_is_the_log_of_the_offset(self):
        assert log_mel(np.zeros(16000)) == pytest.approx(np.log(0.01))

    def test_mel_is_htk_s(self):
        assert vggish.hertz_to_mel(1000.0) == pytest.approx(1000.0, abs=0.02)
        assert vggish.hertz_to_mel(125.0) == pytest.approx(185.17, abs=0.01)
        # its other form
        assert vggish.hertz_to_mel(7500.0) == pytest.approx(2595 * np.log10(1 + 7500 / 700), abs=0.1)

    def test_bands_are_triangles_straight_in_mel(self):
        matrix = mel_matrix()
        assert matrix.shape == (257, 64)
        hertz = np.arange(257) * 16000 / 512
        heard = hertz[matrix.any(axis=1)]
        assert heard.min() > 125
        assert heard.max() < 7500
        assert matrix[0].max() == 0
        # neighbours overlap by half: between the first and the last peak, bands add up to 1
        middle = matrix[(hertz > 200) & (hertz < 7000)].sum(axis=1)
        assert middle == pytest.approx(1.0)
        edges = np.linspace(vggish.hertz_to_mel(125.0), vggish.hertz_to_mel(7500.0), 66)
        peak = matrix[:, 60].argmax()
        assert abs(vggish.hertz_to_mel(hertz[peak]) - edges[61]) < edges[1] - edges[0]

    def test_magnitudes_not_powers(self):
        """Twice the level is log 2 more, where the offset does not count."""
        quiet, loud = (log_mel(tone(1000, 0.1, level)) for level in (0.4, 0.8))
        band = loud[3].argmax()
        assert (loud - quiet)[:, band] == pytest.approx(np.log(2), abs=1e-3)

    def test_the_window_is_periodic_hann(self):
        """Of a steady level only the bins 0 and, through the window's one cosine, 1 and 2 hear anything."""
        spectrum = np.fft.rfft(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400), 512)
        expected = np.log(np.abs(spectrum) @ mel_matrix() + 0.01)
        assert log_mel(np.ones(400))[0] == pytest.approx(expected, abs=1e-5)

    def test_a_tone_lands_in_its_band(self):
        edges = np.linspace(vggish.hertz_to_mel(125.0), vggish.hertz_to_mel(7500.0), 66)
        for hertz in (200.0, 1000.0, 5000.0):
            band = log_mel(tone(hertz, 0.2))[5].argmax()
            assert edges[band] < vggish.hertz_to_mel(hertz) < edges[band + 2]


class TestNetwork:
    def test_it_has_as_many_parameters_as_published(self):
        assert sum(int(np.prod(shape)) for shape in SHAPES.values()) == PARAMETERS == 72_141_184

    def test_shapes_and_batches(self, model):
        mels = np.random.default_rng(1).standard_normal((18, 96, 64)).astype(np.float32)
        found = model.embed(mels)
        assert found.shape == (18, 128)
        np.testing.assert_allclose(found[17], model.embed(mels[17:])[0], rtol=1e-3, atol=1e-4)
        assert np.isfinite(found).all()
        assert found.std(axis=0).min() > 0
        assert model.embed(mels[:0]).shape == (0, 128)

    def test_the_first_dense_layer_takes_channels_fastest_and_the_last_is_linear(self, tmp_path):
        """Weights that pass one place of one channel on: time 2, frequency 1, channel 7."""
        tensors = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
        for name, (before, after) in vggish._CONVOLUTIONS.items():
            # every channel is what the first one is, but for the last layer, where channel c gets c times it
            tensors[f"{name}.weight"][:, 0, 1, 1] = 1.0 if name != "conv4_2" else np.arange(after)
            assert before >= 1
        tensors["fc1_1.weight"][0, 2 * 4 * 512 + 1 * 512 + 7] = 1.0
        tensors["fc1_2.weight"][0, 0] = tensors["fc2.weight"][0, 0] = 1.0
        tensors["fc2.weight"][1, 0] = -1.0
        mels = np.zeros((1, 96, 64), np.float32)
        mels[0, 2 * 16 + 3, 1 * 16 + 5] = 3.0
        mels[0, 1 * 16, 2 * 16] = 100.0  # would be heard if time and frequency were mixed up
        found = VGGish(write(tmp_path / "one.safetensors", tensors)).embed(mels)
        assert found[0, 0] == pytest.approx(3.0 * 7)
        assert found[0, 1] == pytest.approx(-3.0 * 7)
        assert not found[0, 2:].any()


class TestWeights:
    def test_the_names_of_the_port_are_understood(self, weights, model, tmp_path):
        ported = {own: port for port, own in PORT_NAMES.items()}
        renamed = {f"{ported[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": t for name, t in weights.items()}
        renamed["pproc.pca_means"] = np.zeros((128, 1), np.float16)
        other = VGGish(write(tmp_path / "port.safetensors", renamed))
        mels = np.random.default_rng(1).standard_normal((1, 96, 64)).astype(np.float32)
        np.testing.assert_array_equal(other.embed(mels), model.embed(mels))

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            (lambda t: t.pop("fc2.bias"), "no tensor fc2.bias"),
            (lambda t: t.update(extra=np.zeros(1, np.float16)), "unknown tensor extra"),
            (
                lambda t: t.update({"conv1.bias": np.zeros(65, np.float16)}),
                r"conv1.bias has shape \(65,\), not \(64,\)",
            ),
            (lambda t: t.update({"conv1.bias": np.zeros(64, np.int8)}), "type I8"),
            (lambda t: t.update({"conv1.bias": np.full(64, np.nan, np.float16)}), "no numbers"),
        ],
    )
    def test_other_tensors_are_refused(self, weights, tmp_path, change, match):
        tensors = dict(weights)
        change(tensors)
        # only the small ones are needed where the names already say it all
        with pytest.raises(WeightsError, match=match) as caught:
            VGGish(write(tmp_path / "bad.safetensors", tensors))
        assert "docs/EVALUATION.md" in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"\xff" * 100, b'{"mu": 1}'])
    def test_other_files_are_refused(self, tmp_path, content):
        (tmp_path / "x.safetensors").write_bytes(content)
        with pytest.raises(WeightsError, match="not VGGish weights"):
            VGGish(tmp_path / "x.safetensors")

    def test_no_file(self, tmp_path):
        with pytest.raises(WeightsError, match="cannot be read"):
            VGGish(tmp_path / "none.safetensors")
