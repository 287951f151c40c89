"""The network in numpy is the network that was trained."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis.ear import GROUPS, Ear, EarConfig
from loopnet_cli.analysis.spectrogram import BANDS, WINDOWS
from loopnet_cli.pattern import VOICES

SMALL = EarConfig(front=(4, 6), width=16, dilations=(1, 2, 4), contexts=(1,), heads=4)


@pytest.fixture(scope="module")
def networks():
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.package_ear import folded
    from loopnet_cli.training.transcriber import Ear as TorchEar

    torch.manual_seed(0)
    trained = TorchEar(SMALL)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for _ in range(3):  # statistics of the normalisation that are not 0 and 1
            trained(torch.randn(2, len(WINDOWS), BANDS, 40))
    trained.eval()
    return trained, Ear(SMALL, folded(trained.state_dict(), SMALL))


def heard_by(trained, x: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        return torch.sigmoid(trained(torch.from_numpy(x)[None]))[0].numpy()


def test_numpy_and_torch_hear_the_same(networks) -> None:
    trained, ear = networks
    x = np.random.default_rng(1).normal(size=(len(WINDOWS), BANDS, 57)).astype(np.float32)
    found = ear(x)
    assert found.shape == (2 * len(VOICES) + len(GROUPS), 57)
    assert np.abs(found - heard_by(trained, x)).max() < 1e-5


def test_every_part_of_the_network_matters(networks) -> None:
    _, ear = networks
    x = np.random.default_rng(2).normal(size=(len(WINDOWS), BANDS, 30)).astype(np.float32)
    before = ear(x)
    for name in list(ear._kernels):
        kept = ear._kernels[name]
        ear._kernels[name] = kept * 0
        assert np.abs(ear(x) - before).max() > 1e-6, name
        ear._kernels[name] = kept


def test_an_output_depends_on_frames_within_reach_and_on_the_piece_as_a_whole() -> None:
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.package_ear import folded
    from loopnet_cli.training.transcriber import Ear as TorchEar

    torch.manual_seed(3)
    local = EarConfig(front=(4, 6), width=16, dilations=(1, 2, 4), contexts=(), heads=4)
    ear = Ear(local, folded(TorchEar(local).eval().state_dict(), local))
    x = np.zeros((len(WINDOWS), BANDS, 80), np.float32)
    changed = x.copy()
    changed[:, :, 40] = 3.0
    moved = np.abs(ear(changed) - ear(x)).max(axis=0) > 1e-7
    assert moved[40]
    assert not moved[: 40 - local.reach].any() and not moved[41 + local.reach :].any()


def test_sizes_are_read_back_as_they_were_stored() -> None:
    from dataclasses import asdict

    assert EarConfig.from_dict(asdict(SMALL)) == SMALL
    with pytest.raises(KeyError):
        EarConfig.from_dict({"front": [1]})
