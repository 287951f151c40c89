"""What strokes are like, from the pool: ``python -m loopnet_cli.training.strokes POOL RUN WEIGHTS``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis.strokeprior import FORMAT_VERSION, WEIGHTS_FILE
from loopnet_cli.training.checkpoint import read_hits_state
from loopnet_cli.training.package import write_manifest
from loopnet_cli.training.pool import load_pool

COMMON = 0.2
"""Share of the covariance of all voices in that of each: some voices have few strokes."""
Array = NDArray[np.float64]


def stroke_prior(descriptors: Array, voices: NDArray[np.int64], weight: Array, bias: Array) -> dict[str, Array]:
    """Fit the Gaussians and the way back from codes to descriptors.

    Parameters
    ----------
    descriptors : ndarray, shape (strokes, descriptor)
    voices : ndarray of int, shape (strokes,)
        Indices into `VOICES`.
    weight, bias : ndarray, shapes (code, descriptor) and (code,)
        Of the encoder.

    Returns
    -------
    dict
        The fields of `loopnet_cli.synthesis.strokeprior.StrokePrior`.
    """
    codes = descriptors @ weight.T + bias
    middle = descriptors.mean(axis=0)
    directions = np.linalg.lstsq(codes - codes.mean(axis=0), descriptors - middle, rcond=None)[0].T
    mean = middle - directions @ codes.mean(axis=0)
    centres = np.stack([codes[voices == index].mean(axis=0) for index in range(len(VOICES))])
    common = np.cov((codes - centres[voices]).T)
    own = [np.cov(codes[voices == index].T) for index in range(len(VOICES))]
    return {
        "mean": mean,
        "directions": directions,
        "residual": (descriptors - mean - codes @ directions.T).std(axis=0),
        "centres": centres,
        "covariances": np.stack([(1 - COMMON) * covariance + COMMON * common for covariance in own]),
    }


def main() -> None:
    """Parse the command line and write the weights."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path, help="strokes of the training kits, as the hit network was trained on")
    parser.add_argument("run", type=Path, help="training folder with hits.pt")
    parser.add_argument("weights", type=Path, help="folder to write")
    arguments = parser.parse_args()
    _, state = read_hits_state(arguments.run / "hits.pt")
    pool = load_pool(arguments.pool)
    prior = stroke_prior(
        np.stack([stroke.descriptor for stroke in pool]).astype(np.float64),
        np.array([stroke.voice for stroke in pool]),
        state["encoder.weight"].astype(np.float64),
        state["encoder.bias"].astype(np.float64),
    )
    path = arguments.weights / WEIGHTS_FILE
    # Gaussians span little: half precision is enough, but not for what is inverted
    kinds = {"covariances": np.float32}
    # safetensors writes the memory as it lies: a transposed view would come back scrambled
    kept = {name: np.ascontiguousarray(value, kinds.get(name, np.float16)) for name, value in prior.items()}
    save_file(kept, path, {"format": FORMAT_VERSION})
    path.chmod(0o644)  # it is written for its owner alone
    write_manifest(arguments.weights)


if __name__ == "__main__":
    main()
