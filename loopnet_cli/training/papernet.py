"""The paper's Wave-U-Net in torch, on the circle.

The decoder's linear upsampling and the convolution after it are run as one convolution at the lower rate
(the polyphase form): the same sums in another order, less than half the time. Chroma and timbre are the same at
all times, and a convolution of a constant on the circle is a constant: they are never spread over time.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from loopnet_cli.synthesis.papernet import CHROMA_INPUTS, TAPS, PaperConfig

REACH = TAPS // 2


def wrapped(signal: Tensor, before: int, after: int) -> Tensor:
    """Extend the last axis along its circle, however short it is."""
    length = signal.shape[-1]
    if length >= max(before, after):
        parts = [signal[..., length - before :]] if before else []
        return torch.cat([*parts, signal, signal[..., :after]], -1)
    places = torch.arange(-before, length + after, device=signal.device) % length
    return signal[..., places]


def convolved(x: Tensor, conv: nn.Conv2d, first: int, constants: Tensor | None) -> Tensor:
    """Convolve on the circle with the kernel's inputs from `first` on.

    Parameters
    ----------
    x : Tensor, shape (batch, in, 1, time)
    conv : Conv2d
    first : int
    constants : Tensor, shape (batch, rest), or None
        What the inputs after those of `x` are at all times.

    Returns
    -------
    Tensor, shape (batch, out, 1, time / stride rounded up)
    """
    weight, last = conv.weight, first + x.shape[1]
    y = F.conv2d(wrapped(x, REACH, REACH), weight[:, first:last], conv.bias, conv.stride)
    if constants is None:
        return y
    return y + (constants @ weight[:, last:, 0].sum(-1).T)[:, :, None, None]


class Encoder(nn.Module):
    """A convolution that keeps every second value."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, (1, TAPS), stride=(1, 2))
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: Tensor, constants: Tensor | None = None) -> Tensor:
        """Map (batch, in, 1, time) to (batch, out, 1, time / 2 rounded up)."""
        y: Tensor = self.norm(F.relu(convolved(x, self.conv, 0, constants)))
        return y


class Decoder(nn.Module):
    """Twice as many values by linear interpolation, the skip beside them, then a convolution of both."""

    def __init__(self, below: int, skip: int, out: int) -> None:
        super().__init__()
        self.below = below
        self.conv = nn.Conv2d(below + skip, out, (1, TAPS))
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: Tensor, skip: Tensor, constants: Tensor | None = None) -> Tensor:
        """Map (batch, below, 1, time) and (batch, skip, 1, about twice that) to (batch, out, 1, as the skip)."""
        y: Tensor = self.norm(F.relu(self.convolved(x, skip, constants)))
        return y

    def convolved(self, x: Tensor, skip: Tensor, constants: Tensor | None = None) -> Tensor:
        """Interpolate, concatenate and convolve on the circle."""
        up = self._upsampled(x, self.conv.weight[:, : self.below])[..., : skip.shape[-1]]
        return up + convolved(skip, self.conv, self.below, constants)

    @staticmethod
    def _upsampled(x: Tensor, weight: Tensor) -> Tensor:
        """Convolve what is interpolated without making it: sums for even and odd places at the lower rate."""
        w0, w1, w2, w3, w4 = weight.unbind(-1)
        even = torch.stack([w0 + w1 / 2, w1 / 2 + w2 + w3 / 2, w3 / 2 + w4, torch.zeros_like(w0)], -1)
        odd = torch.stack([w0 / 2, w0 / 2 + w1 + w2 / 2, w2 / 2 + w3 + w4 / 2, w4 / 2], -1)
        first, second = F.conv2d(wrapped(x, 1, 2), torch.cat([even, odd])).chunk(2, dim=1)
        return torch.stack([first, second], -1).flatten(-2)


class PaperNet(nn.Module):
    """The network of all five models.

    Parameters
    ----------
    config : PaperConfig
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        self.curves = config.inputs.index(CHROMA_INPUTS[0])
        widths = (len(config.inputs), *config.filters)
        self.encoder = nn.ModuleList(Encoder(i, o) for i, o in itertools.pairwise(widths))
        self.decoder = nn.ModuleList(Decoder(*channels) for channels in config.decoder_channels)
        self.output = nn.Conv2d(config.first_filters, config.outputs, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (batch, inputs, time) to (batch, outputs, time); time is samples, or frames for STFT.

        Chroma and timbre are read at the first moment, and hold for all.
        """
        x, constants = inputs[:, : self.curves].unsqueeze(2), inputs[:, self.curves :, 0]
        skips = []
        for number, encode in enumerate(self.encoder):
            skips.append(x)
            x = encode(x, constants if number == 0 else None)
        for number in reversed(range(len(self.decoder))):
            x = self.decoder[number](x, skips[number], constants if number == 0 else None)
        y: Tensor = self.output(x).squeeze(2)
        return y

    def folded(self) -> dict[str, Tensor]:
        """Return the weights as rendering wants them: batch norm as a scale and a shift after the rectifier."""
        tensors: dict[str, Tensor] = {}
        for name, layers in (("encoder", self.encoder), ("decoder", self.decoder)):
            for number, layer in enumerate(layers):
                place = f"{name}.{number}"
                part: Any = layer
                scale = part.norm.weight / torch.sqrt(part.norm.running_var + part.norm.eps)
                tensors[f"{place}.weight"] = part.conv.weight.squeeze(2)
                tensors[f"{place}.bias"] = part.conv.bias
                tensors[f"{place}.scale"] = scale
                tensors[f"{place}.shift"] = part.norm.bias - part.norm.running_mean * scale
        tensors["output.weight"] = self.output.weight.squeeze(2)
        tensors["output.bias"] = self.output.bias if self.output.bias is not None else torch.zeros(self.config.outputs)
        return {name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}
