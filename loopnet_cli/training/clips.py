"""Training clips for the transcriber: rendered bars as band powers, with exact labels.

Run ``python -m loopnet_cli.training.clips DATA --out POOL`` to make a pool; parts
that are there already are left alone, so that it resumes.
"""

from __future__ import annotations

import argparse
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.spectrogram import FLOOR, HOP, band_powers
from loopnet_cli.audio.mixing import saturate
from loopnet_cli.data.corpus import Corpus, Instrument, load_corpus
from loopnet_cli.data.grooves import Grooves
from loopnet_cli.data.processing import draw_treatment
from loopnet_cli.data.renderer import SAMPLE_RATE, BarRenderer, Drum, render_voices
from loopnet_cli.data.splits import development
from loopnet_cli.data.tonal import tonal_layer
from loopnet_cli.pattern import VOICES, Pattern
from loopnet_cli.training.synthetic import synthetic_kit
from loopnet_cli.training.synthetic_notes import synthetic_notes

FRAMES = 512
CLIPS_A_PART = 200
DROP_VOICE, KEEP_ONE = 0.25, 0.06
"""Shares of clips in which some voices, or all but one, are silent."""
REMIXED = 0.6
"""Share of the other clips whose drums come from many kits, or from many rooms."""
LAYERED = 0.3
"""Share of their drums that are two drums at once, as producers make them."""
AS_PLAYED = 0.4
"""Share of clips that are bars as the renderer makes them: whole patterns, one kit, usual levels."""
SYNTHETIC_KITS = 24
"""Kits out of oscillators and noise among the recorded ones, others for each file of clips."""
SYNTHETIC_NOTES = 12
"""Instruments out of oscillators among the recorded ones that play bass and chords."""
Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """One training item.

    Attributes
    ----------
    powers : ndarray of float16, shape (windows, bands, `FRAMES`)
        Decimal logarithms of the drums' band powers.
    tonal : ndarray of float16, shape (bands, `FRAMES`)
        Of the bass or chord layer (long window), to be added at any level.
    hits : ndarray of float32, shape (hits, 3)
        Frame (with its fraction), index of the voice, velocity.
    """

    powers: NDArray[np.float16]
    tonal: NDArray[np.float16]
    hits: Audio


class Sides:
    """The material of one side: ``train``, ``dev`` or ``test``."""

    def __init__(self, data: Path, side: str) -> None:
        corpus = load_corpus(data, test=side == "test")
        self.grooves = Grooves(data, test=side == "test")
        if side != "test":
            kits, grooves = development("kits"), development("grooves")
            chosen = {name: kit for name, kit in corpus.kits.items() if (name in kits) == (side == "dev")}
            corpus = Corpus(chosen, corpus.tonal)
            self.grooves.paths = [p for p in self.grooves.paths if (p.name in grooves) == (side == "dev")]
        self.corpus = corpus

    def with_synthetic(self, kits: int, notes: int, seed: tuple[int, ...]) -> Sides:
        """Return this side with so many kits and instruments more, drawn from a seed."""
        rng = np.random.default_rng(seed)
        drums = {f"synthetic{n:02d}": synthetic_kit(f"synthetic{n:02d}", rng) for n in range(kits)}
        tonal = {f"synthetic{n:02d}": synthetic_notes(rng) for n in range(notes)}
        more = copy(self)
        more.corpus = Corpus({**self.corpus.kits, **drums}, {**self.corpus.tonal, **tonal})
        return more


def make_clip(sides: Sides, seed: int, number: int) -> Clip:
    """Render clip `number` of the endless list that the seed means."""
    rng = np.random.default_rng([seed, number])
    renderer = BarRenderer(sides.corpus, sides.grooves, seed=seed, tonal=0.0)
    if rng.random() < AS_PLAYED:
        bar = renderer.bar(number, bars=int(rng.choice([1, 1, 2, 4])))
        pattern, loop = bar.pattern, bar.audio
    else:
        pattern, loop = _varied_loop(renderer, rng)
    tonal = tonal_layer(sides.corpus.tonal, pattern, rng) if rng.random() < 0.6 else np.zeros_like(loop)
    length, total = FRAMES * HOP, len(loop)
    onsets = np.array(pattern.onset_samples(SAMPLE_RATE))
    voices = np.array([VOICES.index(hit.voice) for hit in pattern.hits])
    velocities = np.array([hit.velocity for hit in pattern.hits])
    # most clips start anywhere in an endless loop, some where it is switched on
    lead = int(rng.integers(0, SAMPLE_RATE)) if rng.random() < 0.2 else -int(rng.integers(total))
    stop = int(rng.integers(length // 2, length)) if rng.random() < 0.1 else length
    index = np.arange(length) - lead
    sounding = (index >= 0) & (np.arange(length) < stop)
    audio = np.where(sounding, loop[index % total], np.float32(0))
    layer = np.where(sounding, tonal[index % total], np.float32(0))
    rows = []
    for turn in range(-(-max(-lead, 0) // total) - 1, (length - lead) // total + 1):
        at = onsets + turn * total + lead
        inside = (at >= max(lead, 0)) & (at < stop)
        rows.append(np.stack([at / HOP, voices, velocities], axis=1)[inside])
    hits = np.concatenate(rows).astype(np.float32)
    powers = np.log10(band_powers(audio, 0, FRAMES) + FLOOR / 100).astype(np.float16)
    tonal_powers = np.log10(band_powers(layer, 0, FRAMES)[0] + FLOOR / 100).astype(np.float16)
    return Clip(powers, tonal_powers, hits)


def _varied_loop(renderer: BarRenderer, rng: np.random.Generator) -> tuple[Pattern, Audio]:
    """Render a loop that is stranger than a bar of the renderer: voices missing, kits and levels mixed, other rooms."""
    pattern = _thinned(renderer.grooves.draw(rng, bars=int(rng.integers(1, 5))), rng)
    drums = renderer.drums(pattern.voices, rng)
    spread = float(rng.choice([0.0, 3.0, 5.0]))
    drums = {v: replace(d, level=d.level * 10 ** (float(rng.normal(0, spread)) / 20)) for v, d in drums.items()}
    if rng.random() < REMIXED:
        drums = {voice: _another(drum, renderer.corpus, voice, rng) for voice, drum in drums.items()}
    return pattern, _mixed(render_voices(pattern, drums), rng)


def _another(drum: Drum, corpus: Corpus, voice: str, rng: np.random.Generator) -> Drum:
    """Take a drum from any kit, or treat it by itself: there are far fewer kits than ways to sound."""
    if rng.random() < 0.5:
        pool = corpus.instruments(voice)
        drum = replace(drum, instrument=pool[int(rng.integers(len(pool)))])
    if rng.random() < 0.5:
        drum = replace(drum, treatment=draw_treatment(rng).varied(rng))
    if rng.random() < LAYERED:
        pool = corpus.instruments(voice)
        drum = replace(drum, instrument=layered(drum.instrument, pool[int(rng.integers(len(pool)))], rng))
    return drum


def layered(first: Instrument, second: Instrument, rng: np.random.Generator) -> Instrument:
    """Sound two drums as one: both at once, the bass of one under the treble of the other, or its tail after the onset.

    Stroke by stroke, so that soft strokes stay soft.
    """
    from scipy.signal import butter, sosfilt

    kind, gain = int(rng.integers(3)), np.float32(10 ** (rng.uniform(-12, 6) / 20))
    corner, turn = float(np.exp(rng.uniform(np.log(150), np.log(4000)))), float(rng.uniform(0.004, 0.03))
    layers = []
    for index, stroke in enumerate(first.layers):
        other = second.layers[index * len(second.layers) // len(first.layers)]
        size = max(len(stroke), len(other))
        a, b = (np.pad(x / max(float(np.abs(x).max(initial=0.0)), 1e-6), (0, size - len(x))) for x in (stroke, other))
        if kind == 1:
            sections = butter(2, corner, fs=SAMPLE_RATE, output="sos")
            both = sosfilt(sections, a) + gain * (b - sosfilt(sections, b))
        elif kind == 2:
            late = np.minimum(np.arange(size) / (turn * SAMPLE_RATE), 1)
            both = a * (1 - late) + gain * b * late
        else:
            both = a + gain * b
        layers.append(both.astype(np.float32))
    return replace(first, layers=tuple(layers))


def _thinned(pattern: Pattern, rng: np.random.Generator) -> Pattern:
    """Silence voices in some clips, so that no voice is inferred from the others alone."""
    draw, voices = rng.random(), pattern.voices
    if draw < KEEP_ONE:
        return pattern.only([str(rng.choice(voices))])
    if draw < KEEP_ONE + DROP_VOICE and len(voices) > 1:
        kept = [voice for voice in voices if rng.random() < 0.6] or [str(rng.choice(voices))]
        return pattern.only(kept)
    return pattern


def _mixed(voices: dict[str, Audio], rng: np.random.Generator) -> Audio:
    mix: Audio = np.sum(list(voices.values()), axis=0, dtype=np.float32)
    mix = mix / np.float32(max(float(np.abs(mix).max()), 1e-6))
    if rng.random() < 0.4:
        from loopnet_cli.audio.mixing import compress

        threshold, ratio = float(rng.uniform(-28, -8)), float(rng.uniform(1.5, 8))
        mix = mix * compress(mix, threshold_db=threshold, ratio=ratio, release=float(rng.uniform(0.03, 0.25)))
    if rng.random() < 0.25:
        mix = mix * saturate(mix, drive=float(rng.uniform(0.2, 3.0)))
    if rng.random() < 0.3:
        mix = _in_a_room(mix, rng)
    scaled: Audio = mix * np.float32(0.9 / max(float(np.abs(mix).max()), 1e-6))
    return scaled


def _in_a_room(mix: Audio, rng: np.random.Generator) -> Audio:
    """Put the whole mix in one room, as a single microphone would hear it; circular."""
    from scipy import fft

    seconds, wet = float(rng.uniform(0.15, 1.2)), float(10 ** rng.uniform(-1.3, 0.1))
    count = min(int(seconds * SAMPLE_RATE), len(mix))
    tail = rng.standard_normal(count).astype(np.float32) * np.exp(-6.9 * np.arange(count) / (seconds * SAMPLE_RATE))
    delay = int(rng.uniform(0, 0.02) * SAMPLE_RATE)
    response = np.zeros(len(mix), np.float32)
    response[delay : delay + count] = tail[: len(mix) - delay]
    spectrum = fft.rfft(response)
    spectrum /= 1 + (np.fft.rfftfreq(len(mix), 1 / SAMPLE_RATE) / rng.uniform(2000, 12000)) ** 2
    spectrum *= wet / max(float(np.sqrt(np.mean(np.abs(spectrum) ** 2))), 1e-9)
    result: Audio = fft.irfft(fft.rfft(mix) * (1 + spectrum), len(mix)).astype(np.float32)
    return result


def save_part(clips: list[Clip], path: Path) -> None:
    """Write clips as plain arrays, beside and then renamed."""
    part = path.with_name(path.name + ".part.npz")
    np.savez(
        part,
        powers=np.stack([clip.powers for clip in clips]),
        tonal=np.stack([clip.tonal for clip in clips]),
        hits=np.concatenate([clip.hits for clip in clips]),
        counts=np.array([len(clip.hits) for clip in clips]),
    )
    part.replace(path)


def load_part(path: Path) -> list[Clip]:
    """Read what `save_part` wrote."""
    with np.load(path, allow_pickle=False) as file:
        powers, tonal = file["powers"], file["tonal"]
        hits = np.split(file["hits"], np.cumsum(file["counts"])[:-1])
    return [Clip(p, t, h) for p, t, h in zip(powers, tonal, hits, strict=True)]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Render training clips for the transcriber.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", choices=("train", "dev", "test"), default="train")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", type=int, default=0, help="make every PARTS-th file, from this one on")
    parser.add_argument("--parts", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    sides = Sides(arguments.data, arguments.side)
    for first in range(arguments.part * CLIPS_A_PART, arguments.count, arguments.parts * CLIPS_A_PART):
        path = arguments.out / f"{arguments.side}_{arguments.seed}_{first:06d}.npz"
        if not path.exists():
            numbers = range(first, min(first + CLIPS_A_PART, arguments.count))
            # development is on what was recorded alone
            source = sides
            if arguments.side == "train":
                source = sides.with_synthetic(SYNTHETIC_KITS, SYNTHETIC_NOTES, (arguments.seed, first))
            save_part([make_clip(source, arguments.seed, number) for number in numbers], path)


if __name__ == "__main__":
    main()
