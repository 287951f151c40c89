from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES  # noqa: E402
from loopnet_cli.data.rows import FRAMES  # noqa: E402
from loopnet_cli.errors import UsageError  # noqa: E402
from loopnet_cli.pattern.model import Hit, Pattern  # noqa: E402
from loopnet_cli.synthesis.curves import pattern_activations  # noqa: E402
from loopnet_cli.synthesis.paperinputs import (  # noqa: E402
    audio_rate,
    frames_of,
    network_inputs,
)
from loopnet_cli.synthesis.paperloop import pattern_curves  # noqa: E402
from loopnet_cli.synthesis.papernet import BINS, PAPER_MODELS, PAPER_SAMPLES, PaperConfig, to_frames  # noqa: E402
from loopnet_cli.training import paper_losses as losses  # noqa: E402
from loopnet_cli.training.papernet import Decoder, PaperNet  # noqa: E402

torch.set_num_threads(1)


def parameters(config: PaperConfig) -> int:
    return sum(p.numel() for p in PaperNet(config).parameters())


def counted_by_hand(filters: list[int], inputs: int, outputs: int) -> int:
    """Count weights, biases and the two of each batch norm, layer by layer, as the paper describes them."""
    total, into = 0, inputs
    for out in filters:
        total, into = total + into * out * 5 + 3 * out, out
    skips = [inputs, *filters[:-1]]
    for layer in reversed(range(len(filters))):
        out = filters[layer - 1] if layer else 32
        total, into = total + (into + skips[layer]) * out * 5 + 3 * out, out
    return total + into * outputs + outputs


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_parameter_count_is_that_of_the_text(model: str) -> None:
    filters = [32, 32, 32, 64, 64, 64, 128, 128, 128, 256]
    inputs = 12 + 21 + 3 + (model != "multi-noenv")
    outputs = 513 if model == "stft" else 1
    assert parameters(PaperConfig(model, noise=False)) == counted_by_hand(filters, inputs, outputs)
    assert parameters(PaperConfig(model)) == counted_by_hand(filters, inputs + 1, outputs)


def test_parameter_count_of_the_published_code() -> None:
    filters = [32, 32, 64, 64, 128, 128, 256, 256, 512, 512]
    assert parameters(PaperConfig("multi", "code", noise=False)) == counted_by_hand(filters, 37, 1)


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_a_bar_goes_in_and_a_bar_comes_out(model: str) -> None:
    config = PaperConfig(model)
    time = frames_of(PAPER_SAMPLES) if config.is_spectral else PAPER_SAMPLES
    with torch.no_grad():
        made = PaperNet(config).eval()(torch.zeros(1, len(config.inputs), time))
    assert made.shape == ((1, BINS, 58) if config.is_spectral else (1, 1, PAPER_SAMPLES))


def test_upsampling_and_convolution_are_what_they_say() -> None:
    # the plain form: interpolate on the circle, put the skip beside it, convolve on the circle
    layer = Decoder(3, 2, 4)
    x, skip = torch.randn(2, 3, 1, 9), torch.randn(2, 2, 1, 18)
    between = (x + torch.roll(x, -1, -1)) / 2
    up = torch.cat([torch.stack([x, between], -1).flatten(-2), skip], 1)
    around = torch.cat([up[..., -2:], up, up[..., :2]], -1)
    assert torch.allclose(layer.convolved(x, skip), layer.conv(around), atol=1e-6)


def test_time_is_a_circle() -> None:
    config = PaperConfig("multi", layers=3, first_filters=4)
    net = PaperNet(config).eval()
    inputs = torch.randn(1, len(config.inputs), 256)
    inputs[:, net.curves :] = inputs[:, net.curves :, :1]
    with torch.no_grad():
        turned = net(torch.roll(inputs, 64, -1))
        assert torch.allclose(turned, torch.roll(net(inputs), 64, -1), atol=1e-5)


def test_folded_weights_give_the_same_layer() -> None:
    config = PaperConfig("wav", layers=2, first_filters=4)
    net = PaperNet(config)
    inputs = torch.randn(4, len(config.inputs), 64)
    net(inputs)  # moves the running statistics away from where they begin
    net.eval()
    folded = net.folded()
    layer = net.encoder[0]
    x = inputs.unsqueeze(2)
    around = torch.cat([x[..., -2:], x, x[..., :2]], -1).squeeze(2)
    convolved = torch.relu(
        torch.nn.functional.conv1d(around, folded["encoder.0.weight"], folded["encoder.0.bias"], stride=2)
    )
    plain = convolved * folded["encoder.0.scale"][:, None] + folded["encoder.0.shift"][:, None]
    assert torch.allclose(plain, layer(x).squeeze(2), atol=1e-5)


def test_inputs_are_found_by_name_and_none_is_dropped() -> None:
    # the published code orders its activations one way in training and another in use, and drops two features
    config = PaperConfig("multi")
    names = config.inputs
    assert len(names) == len(set(names)) == 1 + 1 + 3 + 12 + 21
    samples = 100
    activations = np.zeros((1, samples, 3), np.float32)
    activations[0, :, 0], activations[0, :, 1], activations[0, :, 2] = 0.1, 0.2, 0.3
    chroma = np.linspace(0, 1, 12, dtype=np.float32)[None]
    timbre = np.linspace(2, 3, 21, dtype=np.float32)[None]
    envelope = np.full((1, samples), 0.5, np.float32)
    made = network_inputs(
        config, activations=activations, envelope=envelope, chroma=chroma, timbre=timbre, rng=np.random.default_rng(0)
    )
    value = {name: made[0, index, 50] for index, name in enumerate(names)}
    assert value["kick"] == np.float32(0.1)
    assert value["snare"] == np.float32(0.2)
    assert value["hat"] == np.float32(0.3)
    assert value["envelope"] == np.float32(0.5)
    assert [value[f"chroma.{name}"] for name in PITCH_CLASSES] == chroma[0].tolist()
    assert [value[name] for name in TIMBRE_NAMES] == timbre[0].tolist()


def test_activations_in_use_are_those_of_training() -> None:
    # the published code makes them in two ways
    hits = [Hit(0, "kick", 0.9), Hit(1, "snare", 0.8), Hit(2.37, "kick", 0.6), Hit(3.6, "snare", 0.4)]
    pattern = Pattern((*hits, *(Hit(k / 2, "hat_closed", 0.5) for k in range(8))), 1, (4, 4), 130.0)
    taught = audio_rate(pattern_activations(pattern, FRAMES)[None])[0]
    used = pattern_curves(pattern).activations
    assert taught.shape == used.shape == (PAPER_SAMPLES, 3)
    assert used == pytest.approx(taught, abs=0.05)
    # all but where the frames of a data set have ended
    last = PAPER_SAMPLES - round(0.025 * 16000)
    assert used[:last] == pytest.approx(taught[:last], abs=0.01)


def test_noise_is_of_unit_variance_and_of_the_seed() -> None:
    config = PaperConfig("multi-noenv")
    controls = {
        "activations": np.zeros((2, 4000, 3), np.float32), "envelope": None,
        "chroma": np.zeros((2, 12), np.float32), "timbre": np.zeros((2, 21), np.float32),
    }  # fmt: skip
    first, again, other = (network_inputs(config, **controls, rng=np.random.default_rng(s)) for s in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert abs(first[:, 0].std() - 1) < 0.05


def test_an_envelope_that_is_missing_is_said() -> None:
    with pytest.raises(UsageError, match="needs an envelope"):
        network_inputs(
            PaperConfig("wav"), activations=np.zeros((1, 8, 3), np.float32), envelope=None,
            chroma=np.zeros((1, 12), np.float32), timbre=np.zeros((1, 21), np.float32), rng=np.random.default_rng(0),
        )  # fmt: skip


def test_frames_tell_where_between_them_a_bump_lies() -> None:
    frames, samples = 8, 8 * 512
    early, late = np.zeros(samples, np.float32), np.zeros(samples, np.float32)
    early[2 * 512 + 100], late[2 * 512 + 400] = 1, 1
    a, b = to_frames(early, frames), to_frames(late, frames)
    assert a[2] > a[3] > 0
    assert b[3] > b[2] > 0
    assert a[[0, 1, 4, 5, 6, 7]].max() == 0
    # a constant stays what it is, also over the seam
    assert np.allclose(to_frames(np.ones(samples, np.float32), frames), 1, atol=1e-6)


@pytest.mark.parametrize(("model", "variant"), [("mult", "text"), ("multi", "paper")])
def test_unknown_names_are_refused(model: str, variant: str) -> None:
    with pytest.raises(UsageError, match="use "):
        PaperConfig(model, variant)


# --- losses ---------------------------------------------------------------------------------------------------


def plain_magnitudes(signal: np.ndarray, size: int) -> np.ndarray:
    """Compute an STFT as the definition says, a frame at a time."""
    n = np.arange(size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / size)
    frames = -(-len(signal) // (size // 2))
    rows = [signal[(n - size // 2 + f * size // 2) % len(signal)] * window for f in range(frames)]
    return np.abs(np.fft.rfft(np.array(rows), axis=1)).T


@pytest.mark.parametrize("size", [64, 256, 2048])
def test_magnitudes_against_the_definition(size: int) -> None:
    signal = np.random.default_rng(size).standard_normal(5000)
    measured = losses.magnitudes(torch.from_numpy(signal)[None], size)[0].numpy()
    assert measured == pytest.approx(plain_magnitudes(signal, size), abs=1e-3)


@pytest.mark.parametrize("model", ["wav", "wavspec", "multi", "multi-noenv"])
def test_losses_against_a_plain_reference(model: str) -> None:
    rng = np.random.default_rng(5)
    made, wanted = rng.standard_normal((2, 3, 6000))
    sizes = {"wav": [], "wavspec": [1024]}.get(model, [2048, 1024, 512, 256, 128, 64])
    expected = np.abs(made - wanted).mean()
    terms = [
        np.mean([np.abs(plain_magnitudes(m, size) - plain_magnitudes(w, size)).mean() for m, w in zip(made, wanted)])  # noqa: B905
        for size in sizes
    ]
    expected += np.mean(terms) if terms else 0
    measured = losses.loss_of(model, torch.from_numpy(made), torch.from_numpy(wanted))
    assert float(measured) == pytest.approx(expected, rel=1e-4)


def test_loss_of_the_stft_model_is_on_its_own_magnitudes() -> None:
    rng = np.random.default_rng(6)
    made, wanted = rng.standard_normal((2, 3, 513, 58))
    measured = losses.loss_of("stft", torch.from_numpy(made), torch.from_numpy(wanted))
    assert float(measured) == pytest.approx(np.abs(made - wanted).mean(), rel=1e-6)


def test_whole_frames_keep_the_sound() -> None:
    samples = 29538
    time = np.arange(samples) / samples
    tone = np.sin(2 * np.pi * 800 * time).astype(np.float32)
    longer = losses.on_whole_frames(torch.from_numpy(tone)[None], 58)[0].numpy()
    expected = np.sin(2 * np.pi * 800 * np.arange(58 * 512) / (58 * 512))
    assert longer == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("model", PAPER_MODELS)
def test_each_loss_overfits_one_batch(model: str) -> None:
    # noise that a bump opens and shuts; for STFT a spectrum that it does
    torch.manual_seed(1)
    config = PaperConfig(model, layers=3, first_filters=32 if model == "stft" else 8)
    rng = np.random.default_rng(2)
    samples = 64 * 512 if config.is_spectral else 2048
    activations = np.zeros((2, samples, 3), np.float32)
    for row, start in enumerate((samples // 7, samples // 2)):
        activations[row, :, 0] = np.exp(-0.5 * ((np.arange(samples) - start) / (samples / 25)) ** 2)
    inputs = torch.from_numpy(
        network_inputs(
            config, activations=activations, envelope=activations[:, :, 0] if config.has_envelope else None,
            chroma=np.zeros((2, 12), np.float32), timbre=np.zeros((2, 21), np.float32), rng=rng,
        )
    )  # fmt: skip
    kick = inputs[:, config.inputs.index("kick")]
    noise = inputs[:, config.inputs.index("noise")]
    wanted = kick * (noise + torch.roll(noise, 1, -1))
    if config.is_spectral:
        wanted = kick[:, None] * torch.exp(-torch.linspace(0, 5, BINS))[None, :, None]
    net = PaperNet(config)
    optimiser = torch.optim.Adam(net.parameters())
    steps, loss = 300 if config.is_spectral else 150, torch.zeros(())
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * (1 - step / steps)
        made = net(inputs)
        loss = losses.loss_of(model, made if config.is_spectral else made.squeeze(1), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    silence = float(losses.loss_of(model, torch.zeros_like(wanted), wanted))
    assert loss.item() < (0.1 if config.is_spectral else 0.3) * silence
