"""What is compared in the tables of the paper: each takes the controls of a bar and gives a bar.

A paper model is told what the paper tells it: activations, envelope, chroma and the 21 timbre features. The studio
model is told the same in its own terms: the pattern instead of activations, the 21 features, the chroma; of its bank
it takes the kit whose features are nearest. It and the sampler choose their own peak level, and the controls hold
none, so both are brought to the bar's RMS; a paper model reads the level off the envelope and is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob
from loopnet_cli.data.rows import STUDIO_RATE, STUDIO_SAMPLES, TEMPO
from loopnet_cli.errors import UsageError
from loopnet_cli.evaluation.distances import matched
from loopnet_cli.pattern.model import Pattern
from loopnet_cli.synthesis.papernet import FFT_SIZE, HOP, PAPER_MODELS, PAPER_RATE

if TYPE_CHECKING:
    from loopnet_cli.analysis.transcriber import Transcriber
    from loopnet_cli.data.renderer import BarRenderer, Drum
    from loopnet_cli.data.store import BarStore
    from loopnet_cli.synthesis.paper import PaperModel
    from loopnet_cli.synthesis.studio import StudioModel

Audio = NDArray[np.float32]

STUDIO, STUDIO_AUDIO = "studio", "studio-audio"
SAMPLER, GRIFFIN_LIM = "sampler", "griffin-lim"
ORIGINALS, LOW, TRAINING = "originals", "originals-16k", "training"
OTHER_KIT_TRIES = 300
LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class TestBars:
    """Bars of a data set with all that is known of them.

    Attributes
    ----------
    indices : ndarray of int64, shape (n,)
        Rows of the data set.
    audio : ndarray of float32, shape (n, 29538)
        16 kHz.
    studio : ndarray of float32, shape (n, 81415), or None
        The same at 44.1 kHz; None where the data set has none.
    activations, envelope, chroma, timbre
        As `loopnet_cli.data.store.Bars` has them.
    patterns : list of Pattern
        Exact, or as heard.
    kits : list of frozenset of str
        The kits that a rendered bar is played with.
    """

    __test__ = False

    indices: NDArray[np.int64]
    audio: Audio
    studio: Audio | None
    activations: Audio
    envelope: Audio
    chroma: Audio
    timbre: Audio
    patterns: list[Pattern]
    kits: list[frozenset[str]]

    def __len__(self) -> int:
        return len(self.indices)

    @staticmethod
    def read(store: BarStore, indices: Sequence[int] | NDArray[np.int64]) -> TestBars:
        """Read bars; where no pattern is stored, the bar is transcribed."""
        chosen = np.asarray(indices, np.int64)
        bars = store.read(chosen)
        studio = store.studio_audio(chosen) if store.has_studio_audio else None
        patterns = [
            heard(bars.audio[n] if studio is None else studio[n], PAPER_RATE if studio is None else STUDIO_RATE)
            if pattern is None
            else pattern
            for n, pattern in enumerate(store.patterns(chosen))
        ]
        loops = store.loops()
        rendered = [loops[number].source if loops[number].tempo_from == "rendered" else "" for number in bars.loop]
        kits = [frozenset(name.strip() for name in source.split(",") if name.strip()) for source in rendered]
        return TestBars(
            chosen, bars.audio, studio, bars.activations, bars.envelope, bars.chroma, bars.timbre, patterns, kits
        )


class Made(NamedTuple):
    """Bars that a contender made, and their sample rate."""

    bars: list[Audio]
    sample_rate: int


def make(name: str, bars: TestBars, *, seed: int, material: Path | None = None) -> Made:
    """Have a contender make bars.

    Parameters
    ----------
    name : str
        ``originals`` and ``training`` (the bars themselves, at the best rate there is), ``originals-16k``,
        ``griffin-lim``, ``studio``, ``studio-audio``, ``sampler``, or a paper model by name or path.
    bars : TestBars
    seed : int
        Bar n draws from ``(seed, n)``, n its row of the data set.
    material : Path, optional
        One-shots for the sampler.

    Raises
    ------
    UsageError
        If the sampler has no one-shots.
    """
    if name in (ORIGINALS, TRAINING) and bars.studio is not None:
        return Made(list(bars.studio), STUDIO_RATE)
    if name in (ORIGINALS, TRAINING, LOW):
        return Made(list(bars.audio), PAPER_RATE)
    if name == GRIFFIN_LIM:
        return Made([resynthesised(bar, (seed, int(row))) for bar, row in _rows(bars)], PAPER_RATE)
    if name in (STUDIO, STUDIO_AUDIO):
        made = [studio_bar(bars, n, seed=seed, listen=name == STUDIO_AUDIO) for n in range(len(bars))]
        return Made([_levelled(one, bars.audio[n]) for n, one in enumerate(made)], STUDIO_RATE)
    if name == SAMPLER:
        if material is None:
            raise UsageError("the sampler needs one-shots: name the training material by --material")
        made = [sampled(bars, n, material, seed) for n in range(len(bars))]
        return Made([_levelled(one, bars.audio[n]) for n, one in enumerate(made)], STUDIO_RATE)
    return Made([paper_bar(paper(name), bars, n, bars.timbre[n], seed=seed) for n in range(len(bars))], PAPER_RATE)


def paper_bar(model: PaperModel, bars: TestBars, number: int, timbre: Audio, *, seed: int) -> Audio:
    """Have a paper model make one bar from a bar's controls, with timbre features of one's own (points, 21)."""
    from loopnet_cli.synthesis.paperinputs import audio_rate

    curves = audio_rate(bars.activations[number : number + 1])
    envelope = bars.envelope[number][None] if model.config.has_envelope else None
    own_seed = seed * 1_000_003 + int(bars.indices[number])
    made = model.bars(curves, envelope, bars.chroma[number][None], timbre[None], seed=own_seed)
    return np.asarray(made[0], np.float32)


def studio_bar(bars: TestBars, number: int, *, seed: int, listen: bool = False) -> Audio:
    """Have the studio model make one bar from a bar's controls, or with `listen` from its audio as `transfer` does."""
    model, pattern = studio(), bars.patterns[number]
    if not pattern.hits:
        return np.zeros(STUDIO_SAMPLES, np.float32)
    features = as_units(model, bars.timbre[number])
    chroma = [float(value) for value in bars.chroma[number]]
    own_seed = seed * 1_000_003 + int(bars.indices[number])
    if listen:
        from loopnet_cli.synthesis.transfer import sound_of, transfer

        audio, rate = (bars.audio, PAPER_RATE) if bars.studio is None else (bars.studio, STUDIO_RATE)
        sound = sound_of(model, audio[number], rate, pattern, timbre=features, chroma=chroma, name="bar")
        return transfer(model, pattern, sound, seed=own_seed).audio
    knobs = {name: Knob(value) for name, value in features.items()}
    kit = nearest_kit(model, features)
    return model.render(pattern, kit=kit, timbre=knobs, chroma=chroma, seed=own_seed).audio


def nearest_kit(model: StudioModel, features: dict[str, float]) -> Kit:
    """Return the kit of the bank whose 21 features are nearest, each on the scale of how much it varies there."""
    kits = [model.kit(name) for name in model.kit_names]
    table = np.array([[kit.timbre[name] for name in TIMBRE_NAMES] for kit in kits])
    wanted = np.clip([features[name] for name in TIMBRE_NAMES], 0.0, 1.0)
    spread = np.maximum(table.std(axis=0), LEAST_SPREAD)
    return kits[int(np.square((table - wanted) / spread).sum(axis=1).argmin())]


def as_units(model: StudioModel, points: NDArray[np.floating]) -> dict[str, float]:
    """Turn 21 AudioCommons points into knob values."""
    return model.normalisation.to_unit({name: float(p) for name, p in zip(TIMBRE_NAMES, points, strict=True)})


def resynthesised(bar: Audio, seed: tuple[int, int]) -> Audio:
    """Return a 16 kHz bar from its magnitudes alone: STFT 1024/512, Griffin-Lim, 50 iterations, on the circle."""
    from loopnet_cli.synthesis.griffin_lim import circular_stft, griffin_lim

    frames = round(len(bar) / HOP)
    magnitudes = np.abs(circular_stft(resample_circular(bar, frames * HOP), size=FFT_SIZE, hop=HOP))
    made = griffin_lim(magnitudes.astype(np.float32), hop=HOP, rng=np.random.default_rng(seed))
    return resample_circular(made, len(bar))


def sampled(bars: TestBars, number: int, material: Path, seed: int) -> Audio:
    """Play a bar's pattern on one-shots as recorded, of a held-out kit that the bar was not played with."""
    from loopnet_cli.data.processing import Treatment
    from loopnet_cli.data.renderer import render_voices

    pattern = bars.patterns[number]
    rng = np.random.default_rng([seed, int(bars.indices[number])])
    drums = _other_drums(_drums(material), pattern.voices, bars.kits[number], rng)
    plain = {voice: replace(drum, treatment=Treatment()) for voice, drum in drums.items()}
    voices = render_voices(pattern, plain)
    made: Audio = np.sum([*voices.values(), np.zeros(STUDIO_SAMPLES, np.float32)], axis=0, dtype=np.float32)
    return made


def heard(audio: Audio, sample_rate: int) -> Pattern:
    """Transcribe a bar."""
    from loopnet_cli.analysis.rhythm import heard_pattern
    from loopnet_cli.analysis.search import Section

    bar = Section(0.0, len(audio) / sample_rate, TEMPO, 1, (4, 4), True, 1.0, "given")
    return heard_pattern(_ears().transcribe(audio, sample_rate, circular=True), bar)


@cache
def paper(name: str) -> PaperModel:
    """Load a paper model, once a process."""
    from loopnet_cli.synthesis.paper import load_paper

    return load_paper(name)


@cache
def studio() -> StudioModel:
    """Load the studio model, once a process."""
    from loopnet_cli.synthesis.studio import load_studio

    return load_studio()


@cache
def _ears() -> Transcriber:
    from loopnet_cli.analysis.transcriber import load_transcriber

    return load_transcriber()


@cache
def _drums(material: Path) -> BarRenderer:
    from loopnet_cli.data.corpus import load_corpus
    from loopnet_cli.data.grooves import Grooves
    from loopnet_cli.data.renderer import BarRenderer

    return BarRenderer(load_corpus(material, test=True), Grooves(material, test=True), seed=0)


def _other_drums(
    renderer: BarRenderer, voices: tuple[str, ...], used: frozenset[str], rng: np.random.Generator
) -> dict[str, Drum]:
    """Draw drums until none is of a kit already used; where no draw manages that, the one with the fewest."""
    best: dict[str, Drum] = {}
    fewest = len(voices) + 1
    for _ in range(OTHER_KIT_TRIES):
        drums = renderer.drums(voices, rng)
        shared = sum(drum.instrument.kit in used for drum in drums.values())
        if shared < fewest:
            best, fewest = drums, shared
        if not shared:
            break
    return best


def _rows(bars: TestBars) -> list[tuple[Audio, int]]:
    return list(zip(bars.audio, bars.indices.tolist(), strict=True))


def _levelled(made: Audio, bar: Audio) -> Audio:
    return matched(made, bar).astype(np.float32)


def title_of(name: str) -> str:
    """Return what a contender is called in tables."""
    titles = {
        STUDIO: "studio model",
        STUDIO_AUDIO: "studio model, sound found in the bar (as `transfer` does)",
        SAMPLER: "sampler, another held-out kit",
        GRIFFIN_LIM: "Griffin-Lim of the originals",
        LOW: "originals at 16 kHz",
        TRAINING: "training set itself",
    }
    if name in PAPER_MODELS:
        return name.upper().replace("-", "_")
    return titles.get(name, Path(name).stem or name)
