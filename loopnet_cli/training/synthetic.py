"""Drums out of oscillators and noise, for the transcriber to learn from besides the recorded ones.

There are far fewer recorded kits than ways to build a drum. Each kit here is drawn anew:
membranes, shells, wires and plates as decaying partials and filtered noise, or the circuits of
drum machines, through the converters of old samplers now and then. They need not be beautiful,
only as different from one another as drums are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.corpus import SAMPLE_RATE, Instrument

Audio = NDArray[np.float32]
Array = NDArray[np.float64]
Rng = np.random.Generator

MEMBRANE = np.array([1.0, 1.593, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501])
"""Frequencies of an ideal membrane's first modes (Rossing, Science of Percussion Instruments)."""
CYMBAL_SQUARES = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])
"""Hz; the oscillators behind the cymbals of classic drum machines, which are scaled and mistuned here."""


def synthetic_kit(name: str, rng: Rng) -> dict[str, list[Instrument]]:
    """Draw a kit.

    Parameters
    ----------
    name : str
        Of the kit.
    rng : Generator

    Returns
    -------
    dict of voice to list of Instrument
        Every voice, toms and percussion several times; one stroke each, mono, 44.1 kHz.
    """
    converter = _converter(rng)
    metal = _metal(rng)
    makers: dict[str, Callable[[], Array]] = {
        "kick": lambda: _kick(rng), "snare": lambda: _snare(rng), "clap": lambda: _clap(rng), "rim": lambda: _rim(rng),
        "hat_closed": lambda: _hat(rng, metal, between(rng, 0.012, 0.1)),
        "hat_open": lambda: _hat(rng, metal, between(rng, 0.12, 0.9)),
        "tom": lambda: _tom(rng), "crash": lambda: _crash(rng, metal), "ride": lambda: _ride(rng, metal),
        "perc": lambda: _percussion(rng, metal),
    }  # fmt: skip
    counts = {"tom": 3, "perc": 2}
    return {
        voice: [Instrument(name, voice, (_finished(converter(maker())),)) for _ in range(counts.get(voice, 1))]
        for voice, maker in makers.items()
    }


def between(rng: Rng, low: float, high: float) -> float:
    """Draw a number between two, evenly over the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _seconds(seconds: float) -> Array:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _fall(seconds: Array, decay: float, attack: float = 0.0) -> Array:
    """Return an envelope that falls by 60 dB in `decay` seconds, after rising in `attack`."""
    envelope: Array = np.exp(-6.9 * seconds / decay)
    return envelope * np.minimum(seconds / attack, 1.0) if attack > 0 else envelope


def _partials(seconds: Array, frequencies: Array, decays: Array, levels: Array, rng: Rng) -> Array:
    result = np.zeros(len(seconds))
    for frequency, decay, level in zip(frequencies, decays, levels, strict=True):
        if frequency < 0.45 * SAMPLE_RATE:
            turned = 2 * np.pi * (frequency * seconds + rng.random())
            result += level * np.sin(turned) * _fall(seconds, decay)
    return result


def _sweep(seconds: Array, start: float, end: float, glide: float, wave: float) -> Array:
    """Return a tone that glides down; `wave` 0 is a sine, 1 nearly a square."""
    phase = 2 * np.pi * np.cumsum(end + (start - end) * np.exp(-seconds / glide)) / SAMPLE_RATE
    tone: Array = np.tanh((1 + 6 * wave) * np.sin(phase)) / np.tanh(1 + 6 * wave)
    return tone


def _noise(count: int, rng: Rng, low: float, high: float, order: int = 2) -> Array:
    from scipy.signal import butter, sosfilt

    x = rng.standard_normal(count)
    high = min(high, 0.47 * SAMPLE_RATE)
    sections = butter(order, (min(low, 0.8 * high), high), "bandpass", fs=SAMPLE_RATE, output="sos")
    x = sosfilt(sections, x)
    result: Array = x / max(float(np.sqrt(np.mean(np.square(x)))), 1e-9)
    return result


def _high_passed(x: Array, corner: float, order: int = 2) -> Array:
    from scipy.signal import butter, sosfilt

    result: Array = sosfilt(butter(order, corner, "highpass", fs=SAMPLE_RATE, output="sos"), x)
    return result


def _unit(x: Array) -> Array:
    result: Array = x / max(float(np.abs(x).max(initial=0.0)), 1e-9)
    return result


def _kick(rng: Rng) -> Array:
    decay = between(rng, 0.09, 1.1)
    t = _seconds(min(decay * 1.2, 2.0) + 0.1)
    end = between(rng, 36, 85)
    body = _sweep(t, end * between(rng, 1.1, 8), end, between(rng, 0.004, 0.07), max(0.0, rng.normal(0, 0.3)))
    x = body * _fall(t, decay, attack=float(rng.uniform(0, 0.003)))
    if rng.random() < 0.5:
        count = int(rng.integers(2, 7))
        modes = end * MEMBRANE[1 : 1 + count] * rng.normal(1, 0.05, count)
        x += _partials(t, modes, decay * rng.uniform(0.1, 0.6, count), _gains(rng, count, -30, -8), rng)
    if rng.random() < 0.75:
        click = _noise(len(t), rng, between(rng, 300, 3000), between(rng, 3000, 12000)) * _fall(
            t, between(rng, 0.004, 0.05)
        )
        x += _db(rng, -34, -8) * _unit(click)
    if rng.random() < 0.3:
        x += _db(rng, -40, -18) * _noise(len(t), rng, 40, between(rng, 200, 4000)) * _fall(t, between(rng, 0.05, 0.4))
    return x


def _tom(rng: Rng) -> Array:
    decay = between(rng, 0.12, 1.2)
    t = _seconds(min(decay * 1.2, 2.0) + 0.1)
    end = between(rng, 62, 300)
    body = _sweep(t, end * between(rng, 1.02, 2.2), end, between(rng, 0.015, 0.25), max(0.0, rng.normal(0, 0.2)))
    x = body * _fall(t, decay, attack=float(rng.uniform(0, 0.002)))
    count = int(rng.integers(0, 8))
    modes = end * MEMBRANE[1 : 1 + count] * rng.normal(1, 0.04, count)
    x += _partials(t, modes, decay * rng.uniform(0.15, 0.9, count), _gains(rng, count, -26, -3), rng)
    if rng.random() < 0.7:
        x += (
            _db(rng, -36, -12)
            * _noise(len(t), rng, between(rng, 100, 900), between(rng, 1500, 9000))
            * _fall(t, between(rng, 0.006, 0.12))
        )
    return x


def _snare(rng: Rng) -> Array:
    wires = between(rng, 0.07, 0.5)
    t = _seconds(wires * 1.2 + 0.15)
    low = between(rng, 120, 340)
    count = int(rng.integers(1, 6))
    modes = low * np.concatenate([[1.0], np.sort(rng.uniform(1.35, 4.0, count - 1))])
    shell = _partials(t, modes, between(rng, 0.04, 0.35) * rng.uniform(0.4, 1, count), _gains(rng, count, -12, 0), rng)
    if rng.random() < 0.5:
        shell += _sweep(t, low * between(rng, 1.2, 3), low, between(rng, 0.004, 0.03), 0.0) * _fall(t, 0.12)
    noise = _noise(len(t), rng, between(rng, 150, 3500), between(rng, 4000, 19000), order=int(rng.integers(1, 3)))
    noise *= _fall(t, wires, attack=float(rng.choice([0.0, 0.0, 0.001, 0.006])))
    crack = _noise(len(t), rng, 700, 15000, order=1) * _fall(t, between(rng, 0.005, 0.04))
    return _db(rng, -14, 4) * _unit(shell) + _unit(noise) + _db(rng, -16, 2) * _unit(crack)


def _clap(rng: Rng) -> Array:
    tail = between(rng, 0.06, 0.45)
    t = _seconds(tail + 0.15)
    centre, width = between(rng, 700, 2600), between(rng, 1.3, 3.0)
    noise = _noise(len(t), rng, centre / width, centre * width * between(rng, 1, 3), order=int(rng.integers(1, 3)))
    envelope = np.zeros(len(t))
    start = 0.0
    for _ in range(int(rng.integers(1, 6))):
        late = np.maximum(t - start, 0)
        envelope = np.maximum(envelope, np.where(t >= start, _fall(late, between(rng, 0.01, 0.05)), 0))
        start += float(rng.uniform(0.005, 0.017))
    late = np.maximum(t - start, 0)
    result: Array = noise * (envelope + np.where(t >= start, _db(rng, -14, 0) * _fall(late, tail), 0))
    return result


def _rim(rng: Rng) -> Array:
    t = _seconds(0.25)
    count = int(rng.integers(1, 5))
    modes = np.sort(np.exp(rng.uniform(np.log(330), np.log(4200), count)))
    x = _partials(t, modes, between(rng, 0.015, 0.12) * rng.uniform(0.5, 1, count), _gains(rng, count, -10, 0), rng)
    return _unit(x) + _db(rng, -24, 0) * _unit(
        _noise(len(t), rng, 800, 9000, order=1) * _fall(t, between(rng, 0.003, 0.03))
    )


def _metal(rng: Rng) -> Callable[[Array], Array]:
    """Draw what the cymbals of a kit are made of."""
    kind = int(rng.integers(4))
    count = int(rng.integers(14, 40))
    plate = np.sort(np.exp(rng.uniform(np.log(300), np.log(16000), count)))
    levels = _gains(rng, count, -18, 0)
    squares = CYMBAL_SQUARES * between(rng, 0.6, 2.5) * rng.normal(1, 0.05, 6)
    carrier, ratio, index = between(rng, 300, 4000), float(rng.uniform(1.3, 5.3)), float(rng.uniform(1, 9))
    low = between(rng, 500, 6000)

    def metal(t: Array) -> Array:
        if kind == 0:
            x = np.sum([np.sign(np.sin(2 * np.pi * f * t)) for f in squares], axis=0)
        elif kind == 1:
            x = np.sum(
                [a * np.sin(2 * np.pi * (f * t + rng.random())) for f, a in zip(plate, levels, strict=True)], axis=0
            )
        elif kind == 2:
            x = np.sin(2 * np.pi * carrier * t + index * np.sin(2 * np.pi * carrier * ratio * t))
        else:
            x = _noise(len(t), rng, low, 19000)
        scale = max(float(np.sqrt(np.mean(np.square(x)))), 1e-9)
        result: Array = x / scale + _db(rng, -20, 6) * _noise(len(t), rng, low, 19000)
        return result

    return metal


def _hat(rng: Rng, metal: Callable[[Array], Array], decay: float) -> Array:
    t = _seconds(decay * 1.2 + 0.1)
    x = _high_passed(metal(t), between(rng, 1800, 10000), order=int(rng.integers(1, 5)))
    envelope = _fall(t, decay, attack=float(rng.choice([0.0, 0.0, 0.0005, 0.003])))
    if rng.random() < 0.5:
        envelope += _db(rng, -12, 3) * _fall(t, between(rng, 0.006, 0.03))
    return x * envelope


def _crash(rng: Rng, metal: Callable[[Array], Array]) -> Array:
    decay = between(rng, 0.8, 4.0)
    t = _seconds(min(decay, 2.6))
    x = _high_passed(metal(t), between(rng, 250, 5000)) * _fall(t, decay, attack=float(rng.uniform(0, 0.008)))
    wash = _noise(len(t), rng, between(rng, 300, 4000), 18000, order=1) * _fall(t, decay * float(rng.uniform(0.2, 0.9)))
    return _unit(x) + _db(rng, -12, 4) * _unit(wash)


def _ride(rng: Rng, metal: Callable[[Array], Array]) -> Array:
    decay = between(rng, 0.5, 3.0)
    t = _seconds(min(decay, 2.4))
    wash = _high_passed(metal(t), between(rng, 600, 7000)) * _fall(t, decay)
    count = int(rng.integers(3, 14))
    modes = np.exp(rng.uniform(np.log(350), np.log(8000), count))
    ping = _partials(t, modes, between(rng, 0.1, 1.5) * rng.uniform(0.2, 1, count), _gains(rng, count, -14, 0), rng)
    stick = _noise(len(t), rng, 2000, 16000, order=1) * _fall(t, between(rng, 0.005, 0.04))
    return _db(rng, -18, 0) * _unit(wash) + _db(rng, -10, 0) * _unit(ping) + _db(rng, -16, 0) * _unit(stick)


def _percussion(rng: Rng, metal: Callable[[Array], Array]) -> Array:
    kind = int(rng.integers(6))
    if kind == 0:  # cowbells
        t = _seconds(0.6)
        low = between(rng, 350, 900)
        both = np.sign(np.sin(2 * np.pi * low * t)) + np.sign(
            np.sin(2 * np.pi * low * float(rng.uniform(1.3, 1.6)) * t)
        )
        return _high_passed(both, low) * _fall(t, between(rng, 0.05, 0.6))
    if kind == 1:  # congas and bongos
        decay, pitch = between(rng, 0.08, 0.6), between(rng, 150, 700)
        t = _seconds(decay + 0.1)
        modes = pitch * MEMBRANE[1:5]
        x = _sweep(t, pitch * 1.1, pitch, 0.02, 0.0) * _fall(t, decay)
        return x + _partials(t, modes, np.full(4, decay * 0.5), _gains(rng, 4, -24, -6), rng)
    if kind == 2:  # claves and blocks
        t = _seconds(0.3)
        pitch = between(rng, 700, 3200)
        return _partials(t, pitch * np.array([1.0, 2.7]), np.array([0.08, 0.04]), np.array([1.0, 0.3]), rng)
    if kind == 3:  # shakers
        t = _seconds(0.3)
        x = _noise(len(t), rng, between(rng, 2500, 6000), between(rng, 9000, 18000))
        return x * _fall(t, between(rng, 0.05, 0.25), attack=float(rng.uniform(0.005, 0.05)))
    if kind == 4:  # triangles and bells
        decay = between(rng, 0.2, 2.0)
        t = _seconds(decay)
        modes = np.exp(rng.uniform(np.log(1500), np.log(9000), 5))
        return _partials(t, modes, decay * rng.uniform(0.4, 1, 5), _gains(rng, 5, -12, 0), rng)
    t = _seconds(0.5)  # tambourines
    return _high_passed(metal(t), 4500) * _fall(t, between(rng, 0.06, 0.4), attack=float(rng.uniform(0, 0.01)))


def _gains(rng: Rng, count: int, low: float, high: float) -> Array:
    result: Array = 10 ** (rng.uniform(low, high, count) / 20)
    return result


def _db(rng: Rng, low: float, high: float) -> float:
    return float(10 ** (rng.uniform(low, high) / 20))


def _converter(rng: Rng) -> Callable[[Array], Array]:
    """Draw what a kit is played back by: a third through an old sampler, of low rate and few bits."""
    if rng.random() > 0.33:
        return lambda x: x
    hold, bits = int(rng.integers(1, 5)), int(rng.integers(6, 13))

    def converted(x: Array) -> Array:
        held = np.repeat(_unit(x)[::hold], hold)[: len(x)]
        result: Array = np.round(held * 2 ** (bits - 1)) / 2 ** (bits - 1)
        return result

    return converted


def _finished(x: Array) -> Audio:
    x = _unit(x)
    loud = np.flatnonzero(np.abs(x) > 1e-3)
    x = x[: int(loud[-1]) + 1] if len(loud) else x
    count = min(256, len(x) // 4)
    if count:
        x[-count:] *= np.linspace(1, 0, count)
    return x.astype(np.float32)
