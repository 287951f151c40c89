"""The paper's models in numpy: the same numbers as in torch, on the circle, from files that are not trusted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from tiny_paper import HIGH, LOW, metadata_of, random_tensors, write_tiny

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.errors import LoopnetError, UsageError, WeightsError
from loopnet_cli.synthesis import paperwave
from loopnet_cli.synthesis.paper import PaperModel, find_paper, load_paper
from loopnet_cli.synthesis.paperinputs import network_inputs
from loopnet_cli.synthesis.papernet import PAPER_MODELS, PAPER_SAMPLES, PaperConfig
from loopnet_cli.synthesis.paperwave import PaperNetwork, tensor_shapes

GLOBALS = 33
CONFIG = PaperConfig("multi", layers=4, first_filters=4)


def controls(count: int = 1, samples: int = PAPER_SAMPLES, seed: int = 0):
    rng = np.random.default_rng(seed)
    return {
        "activations": rng.random((count, samples, 3), np.float32),
        "envelope": rng.random((count, samples), np.float32),
        "chroma": rng.random((count, 12), np.float32),
        "timbre": (30 + 20 * rng.random((count, 21))).astype(np.float32),
    }


def curves(network: PaperNetwork, time: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((network.curves, time)).astype(np.float32)


# -- the network -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["text", "code"])
@pytest.mark.parametrize("model", PAPER_MODELS)
@pytest.mark.parametrize("time", [PAPER_SAMPLES, 4097, 58, 3])
def test_numpy_and_torch_agree(model, variant, time):
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.papernet import PaperNet

    torch.manual_seed(1)
    config = PaperConfig(model, variant, first_filters=8)
    net = PaperNet(config)
    for layer in (*net.encoder, *net.decoder):
        layer.norm.running_mean.uniform_(0, 0.5)
        layer.norm.running_var.uniform_(0.3, 2)
        torch.nn.init.uniform_(layer.norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(layer.norm.bias, -0.5, 0.5)
    net.eval()
    ours = PaperNetwork(config, {name: value.numpy() for name, value in net.folded().items()})
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((len(config.inputs), time)).astype(np.float32)
    inputs[ours.curves :] = rng.random((GLOBALS, 1))
    with torch.no_grad():
        theirs = net(torch.from_numpy(inputs)[None])[0].numpy()
    made = ours(inputs[: ours.curves], inputs[ours.curves :, 0])
    assert made.shape == theirs.shape == (config.outputs, time)
    assert np.abs(theirs).max() > 0.1
    np.testing.assert_allclose(made, theirs, atol=1e-4)


def by_the_book(config: PaperConfig, tensors: dict[str, np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """The network as it is described, sample by sample: upsampled first, then convolved, then cut."""

    def convolved(x: np.ndarray, weight: np.ndarray, places: np.ndarray) -> np.ndarray:
        taps = np.stack([x[:, (places + tap - 2) % x.shape[1]] for tap in range(5)], axis=2)
        return np.einsum("oit,int->on", weight, taps)

    def normed(name: str, y: np.ndarray) -> np.ndarray:
        bias, scale, shift = (tensors[f"{name}.{part}"].astype(float)[:, None] for part in ("bias", "scale", "shift"))
        return scale * np.maximum(y + bias, 0) + shift

    x, skips = inputs.astype(float), []
    for number in range(config.layers):
        skips.append(x)
        weight = tensors[f"encoder.{number}.weight"].astype(float)
        x = normed(f"encoder.{number}", convolved(x, weight, np.arange(0, x.shape[1], 2)))
    for number in reversed(range(config.layers)):
        skip = skips[number]
        up = np.stack([x, (x + np.roll(x, -1, axis=1)) / 2], axis=2).reshape(len(x), -1)
        weight = tensors[f"decoder.{number}.weight"].astype(float)
        y = convolved(up, weight[:, : len(x)], np.arange(up.shape[1]))[:, : skip.shape[1]]
        x = normed(f"decoder.{number}", y + convolved(skip, weight[:, len(x) :], np.arange(skip.shape[1])))
    return tensors["output.weight"][:, :, 0].astype(float) @ x + tensors["output.bias"].astype(float)[:, None]


@pytest.mark.parametrize("time", [1, 2, 7, 64, 131])
@pytest.mark.parametrize("block", [4, 512])
def test_it_is_the_network_of_the_paper(time, block, monkeypatch):
    monkeypatch.setattr(paperwave, "BLOCK", block)
    config = PaperConfig("multi", layers=4, first_filters=4)
    tensors = random_tensors(config)
    network = PaperNetwork(config, tensors)
    x, constants = curves(network, time), np.linspace(0, 1, GLOBALS, dtype=np.float32)
    inputs = np.concatenate([x, np.repeat(constants[:, None], time, axis=1)])
    np.testing.assert_allclose(network(x, constants), by_the_book(config, tensors, inputs), atol=2e-5)


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_turned_controls_give_a_turned_loop(model):
    # whole steps of the deepest layer on a circle that holds a whole number of them
    config = PaperConfig(model, first_filters=4)
    network = PaperNetwork(config, random_tensors(config))
    x, constants = curves(network, 4 * 2048), np.full(GLOBALS, 0.5, np.float32)
    straight = network(x, constants)
    turned = network(np.roll(x, 2048, axis=1), constants)
    np.testing.assert_allclose(turned, np.roll(straight, 2048, axis=1), atol=1e-4)
    assert np.abs(straight - np.roll(straight, 2048, axis=1)).max() > 0.01


@pytest.mark.parametrize("model", PAPER_MODELS)
@pytest.mark.parametrize("length", [PAPER_SAMPLES, 58, 1001])
def test_bars_that_are_turned_give_the_same_sound_turned(model, length):
    # whole bars on the circle of four, of any length; the paper's is no whole number of steps of the deepest layer
    config = PaperConfig(model, first_filters=4)
    network = PaperNetwork(config, random_tensors(config))
    x, constants = curves(network, 4 * length), np.full(GLOBALS, 0.5, np.float32)
    straight = network(x, constants, 4)
    for bars in (1, 3):
        turned = network(np.roll(x, bars * length, axis=1), constants, 4)
        np.testing.assert_allclose(turned, np.roll(straight, bars * length, axis=1), atol=1e-4)


@pytest.mark.parametrize("length", [PAPER_SAMPLES, 777, 5])
def test_equal_bars_sound_equal_and_as_one_alone(length):
    config = PaperConfig("multi", first_filters=4)
    network = PaperNetwork(config, random_tensors(config))
    x, constants = curves(network, length), np.full(GLOBALS, 0.5, np.float32)
    np.testing.assert_allclose(network(np.tile(x, 3), constants, 3), np.tile(network(x, constants), 3), atol=1e-4)


def test_a_bar_hears_its_neighbours_and_nobody_else():
    config = PaperConfig("multi", first_filters=4)
    network = PaperNetwork(config, random_tensors(config))
    length, constants = 20000, np.full(GLOBALS, 0.5, np.float32)
    x = curves(network, 4 * length)
    other = x.copy()
    other[:, length : 2 * length] += 1
    changed = np.abs(network(other, constants, 4) - network(x, constants, 4))[0]
    assert changed[length : 2 * length].max() > 0.1
    # the last samples of the bar before it, and the first of the bar after it, hear it; the bar across does not
    assert changed[length - 300 : length].max() > 1e-3 < changed[2 * length : 2 * length + 300].max()
    assert changed[3 * length - 5000 : 4 * length - 5000].max() < 1e-5


@pytest.mark.parametrize("bars", [0, -1, 3])
def test_bars_of_unequal_length(bars):
    network = PaperNetwork(CONFIG, random_tensors(CONFIG))
    with pytest.raises(ValueError, match="equal bars"):
        network(curves(network, 100), np.zeros(GLOBALS, np.float32), bars)


def test_four_bars_are_what_one_bar_four_times_would_be_near_no_seam():
    # a loop of four equal bars whose length suits the network is the bar, four times
    config = PaperConfig("multi", first_filters=4)
    network = PaperNetwork(config, random_tensors(config))
    x, constants = curves(network, 2048), np.full(GLOBALS, 0.5, np.float32)
    np.testing.assert_allclose(network(np.tile(x, 4), constants), np.tile(network(x, constants), 4), atol=1e-4)


# -- bars --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path):
    return lambda name="multi", **rest: PaperModel.load(write_tiny(tmp_path / f"{name}.safetensors", name, **rest))


@pytest.mark.parametrize("name", PAPER_MODELS)
@pytest.mark.parametrize("samples", [PAPER_SAMPLES, 4 * PAPER_SAMPLES + 2, 923])
def test_bars_have_the_length_of_their_controls(model, name, samples):
    loaded = model(name)
    asked = controls(2, samples)
    made = loaded.bars(**asked, seed=3)
    assert made.shape == (2, samples) and made.dtype == np.float32
    assert np.isfinite(made).all() and np.abs(made[0] - made[1]).max() > 1e-3
    assert np.array_equal(made, loaded.bars(**asked, seed=3))
    assert not np.array_equal(made, loaded.bars(**asked, seed=4))


@pytest.mark.parametrize("name", ["multi", "stft"])
@pytest.mark.parametrize("bar", [PAPER_SAMPLES, 25846])
def test_loops_of_several_bars_in_one_piece(model, name, bar):
    made = model(name).bars(**controls(1, 3 * bar), seed=0, bars=3)
    assert made.shape == (1, 3 * bar)
    # what is between bars is like what is within them
    steps = np.abs(np.diff(made[0]))
    for join in (bar, 2 * bar):
        assert steps[join - 3 : join + 2].max() < 4 * np.percentile(steps, 99)
    with pytest.raises(UsageError, match="equal bars"):
        model(name).bars(**controls(1, 3 * bar), seed=0, bars=4 if bar % 2 else 7)


def test_inputs_are_those_of_training(model):
    loaded, asked = model("wav"), controls(1)
    inputs = network_inputs(
        loaded.config,
        activations=asked["activations"],
        envelope=asked["envelope"],
        chroma=asked["chroma"],
        timbre=loaded.unit(asked["timbre"]),
        rng=np.random.default_rng([3, 0]),
    )[0]
    count = len(inputs) - GLOBALS
    straight = loaded._network(inputs[:count], inputs[count:, 0])[0]
    assert np.array_equal(loaded.bars(**asked, seed=3)[0], straight)


def test_without_noise_the_seed_is_nothing(model):
    loaded, asked = model("multi", noise=False), controls(1, 5000)
    assert np.array_equal(loaded.bars(**asked, seed=3), loaded.bars(**asked, seed=4))


def test_timbre_is_counted_in_the_models_own_units(model):
    loaded = model()
    low, high = (np.array([[side[name] for name in TIMBRE_NAMES]], np.float32) for side in (LOW, HIGH))
    assert not loaded.unit(low).any() and np.all(loaded.unit(high) == 1)
    assert loaded.unit(high + 1000).max() == 2 and loaded.unit(low - 1000).min() == -1


def test_the_model_without_envelope_never_looks_at_it(model):
    loaded, asked = model("multi-noenv"), controls(1, 3000)
    made = loaded.bars(**asked, seed=0)
    assert np.array_equal(made, loaded.bars(**{**asked, "envelope": None}, seed=0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"envelope": None}, "needs an envelope"),
        ({"envelope": np.zeros((1, 7), np.float32)}, "envelope has shape"),
        ({"chroma": np.zeros((1, 11), np.float32)}, "chroma has shape"),
        ({"timbre": np.zeros((2, 21), np.float32)}, "timbre has shape"),
        ({"activations": np.zeros((1, 3000, 4), np.float32)}, "activations have shape"),
        ({"activations": np.zeros((1, 0, 3), np.float32)}, "activations have shape"),
    ],
)
def test_controls_that_do_not_fit(model, change, told):
    with pytest.raises(UsageError, match=told):
        model().bars(**{**controls(1, 3000), **change}, seed=0)


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_by_its_path_and_by_its_folder(tmp_path):
    path = write_tiny(tmp_path / "weights.safetensors", "wavspec")
    for name in (path, tmp_path, str(path)):
        loaded = load_paper(name)
        assert (loaded.name, loaded.file, len(loaded.checksum)) == ("wavspec", "weights.safetensors", 64)


@pytest.mark.parametrize(("said", "steps"), [("2700", 2700), (None, None), ("many", None), ("-3", None)])
def test_how_long_it_was_trained(tmp_path, said, steps):
    assert load_paper(write_tiny(tmp_path / "a.safetensors", metadata={"steps": said})).steps == steps


def test_inputs_are_found_by_name(tmp_path):
    config = PaperConfig("multi", layers=4, first_filters=4)
    straight = random_tensors(config)
    mixed = list(np.random.default_rng(5).permutation(len(config.inputs)))
    other = dict(straight)
    other["encoder.0.weight"] = straight["encoder.0.weight"][:, mixed]
    last = straight["decoder.0.weight"]
    other["decoder.0.weight"] = np.concatenate([last[:, :4], last[:, 4:][:, mixed]], axis=1)
    names = json.dumps([config.inputs[place] for place in mixed])
    one = PaperModel.load(write_tiny(tmp_path / "a.safetensors"))
    two = PaperModel.load(write_tiny(tmp_path / "b.safetensors", tensors=other, metadata={"inputs": names}))
    asked = controls(1, 2000)
    assert np.array_equal(one.bars(**asked, seed=0), two.bars(**asked, seed=0))


NAN = random_tensors(CONFIG)["output.bias"] * np.float16(np.nan)
BROKEN = {
    "another format": {"metadata": {"format": "loopnet-studio"}},
    "another version": {"metadata": {"version": "2"}},
    "no format": {"metadata": {"format": None}},
    "no model": {"metadata": {"model": None}},
    "unknown model": {"metadata": {"model": "gan"}},
    "another model": {"metadata": {"model": "multi-noenv"}},
    "unknown variant": {"metadata": {"variant": "../x"}},
    "noise": {"metadata": {"noise": "maybe"}},
    "a thousand layers": {"metadata": {"layers": "1000"}},
    "layers that are no number": {"metadata": {"layers": "four"}},
    "negative filters": {"metadata": {"first_filters": "-1"}},
    "inputs that are no list": {"metadata": {"inputs": '"kick"'}},
    "inputs that are no JSON": {"metadata": {"inputs": "["}},
    "an input twice": {"metadata": {"inputs": json.dumps(["kick", *CONFIG.inputs[1:]])}},
    "an input less": {"metadata": {"inputs": json.dumps(CONFIG.inputs[1:])}},
    "inputs nested": {"metadata": {"inputs": "[" * 100_000}},
    "no timbre": {"metadata": {"timbre": None}},
    "timbre without a feature": {"metadata": {"timbre": '{"low": {}, "high": {}}'}},
    "timbre of infinite range": {
        "metadata": {"timbre": json.dumps({"low": LOW, "high": {**HIGH, "low.depth": 1e999}})}
    },
    "timbre of no range": {"metadata": {"timbre": json.dumps({"low": LOW, "high": LOW})}},
    "a tensor less": {"tensors": {"decoder.2.bias": None}},
    "a tensor more": {"tensors": {"extra": np.zeros(3, np.float16)}},
    "a tensor of another shape": {"tensors": {"encoder.1.weight": np.zeros((8, 4, 3), np.float16)}},
    "a tensor of whole numbers": {"tensors": {"encoder.1.bias": np.zeros(4, np.int32)}},
    "NaN": {"tensors": {"output.bias": NAN}},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_hostile_weights_are_told_in_one_line(tmp_path, broken):
    path = write_tiny(tmp_path / "bad.safetensors", **broken)
    with pytest.raises(WeightsError) as caught:
        load_paper(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: not usable weights of a paper model (") and "\n" not in text and len(text) < 500
    assert "name another file" in text


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, 0.999])
def test_truncated_weights(tmp_path, keep):
    path = write_tiny(tmp_path / "cut.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(WeightsError, match="not usable weights"):
        load_paper(path)


def test_what_is_no_weights_file(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF" + bytes(1000))
    with pytest.raises(WeightsError, match="not usable weights"):
        load_paper(tmp_path / "a.wav")


def test_names_and_paths_that_are_not_there(tmp_path):
    for name, error, told in (
        ("mutli", UsageError, "did you mean multi?"),
        ("zzz", UsageError, "use studio, stft"),
        (tmp_path / "no.safetensors", WeightsError, "no such file"),
        ("runs/none", WeightsError, "no such file"),
        (tmp_path, WeightsError, "holds no weights.safetensors"),
        ("x\0y", UsageError, "unknown model"),
    ):
        with pytest.raises(error) as caught:
            find_paper(name)
        assert told in str(caught.value)


def test_a_model_that_does_not_come_with_this_version(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(WeightsError, match="loopnet train --model stft"):
        load_paper("stft", tmp_path)


def test_bundled_weights_are_compared_with_their_checksum(tmp_path):
    import hashlib

    path = write_tiny(tmp_path / "paper-wav.safetensors", "wav")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({path.name: hashlib.sha256(path.read_bytes()).hexdigest()}))
    assert load_paper("wav", tmp_path).name == "wav"
    write_tiny(path, "wav", seed=1)
    with pytest.raises(WeightsError, match="checksum does not match"):
        load_paper("wav", tmp_path)
    write_tiny(path, "multi")
    manifest.write_text(json.dumps({path.name: hashlib.sha256(path.read_bytes()).hexdigest()}))
    with pytest.raises(WeightsError, match="holds model multi, not wav"):
        load_paper("wav", tmp_path)


def test_what_training_writes_can_be_read(tmp_path):
    torch = pytest.importorskip("torch")
    from loopnet_cli.analysis.normalise import Normalisation
    from loopnet_cli.training.paper_checkpoint import write_weights
    from loopnet_cli.training.papernet import PaperNet

    torch.manual_seed(0)
    config = PaperConfig("wav", "code", layers=5, first_filters=4)
    net = PaperNet(config).eval()
    write_weights(tmp_path / "w.safetensors", net, Normalisation(LOW, HIGH), {"steps": "1", "dataset": "none"})
    loaded, asked = load_paper(tmp_path / "w.safetensors"), controls(1, 5000)
    inputs = network_inputs(
        config,
        activations=asked["activations"],
        envelope=asked["envelope"],
        chroma=asked["chroma"],
        timbre=loaded.unit(asked["timbre"]),
        rng=np.random.default_rng([1, 0]),
    )
    with torch.no_grad():
        theirs = net(torch.from_numpy(inputs))[0, 0].numpy()
    np.testing.assert_allclose(loaded.bars(**asked, seed=1)[0], theirs, atol=3e-3)  # weights in half precision


def test_no_error_of_loading_is_a_bug(tmp_path):
    rng = np.random.default_rng(0)
    content = bytearray(write_tiny(tmp_path / "w.safetensors").read_bytes())
    header = int.from_bytes(content[:8], "little")
    for _ in range(60):
        broken = bytearray(content)
        for place in rng.integers(0, header + 200, 3):
            broken[place] = rng.integers(256)
        (tmp_path / "b.safetensors").write_bytes(broken)
        try:
            load_paper(tmp_path / "b.safetensors")
        except LoopnetError as error:
            assert "\n" not in str(error)


def test_shapes_are_those_of_the_paper():
    shapes = tensor_shapes(PaperConfig("multi", noise=False))
    assert shapes["encoder.0.weight"] == (32, 37, 5) and shapes["encoder.9.weight"] == (256, 128, 5)
    assert shapes["decoder.9.weight"] == (128, 256 + 128, 5) and shapes["decoder.0.weight"] == (32, 32 + 37, 5)
    assert shapes["output.weight"] == (1, 32, 1)
    assert metadata_of(PaperConfig("multi"))["inputs"].startswith('["noise", "envelope", "kick", "snare", "hat"')
