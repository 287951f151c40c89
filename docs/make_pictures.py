"""Make the pictures of docs/HOW_IT_WORKS.md from the bundled models: ``python docs/make_pictures.py [FOLDER]``.

The pictures are ``how-*.png`` in FOLDER, by default ``docs/img``.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import NDArray

from loopnet_cli.analysis.hearing import Heard, hear
from loopnet_cli.analysis.transcription import FRAME_RATE
from loopnet_cli.controls import Knob
from loopnet_cli.evaluation.everyday import lighter, spectrum
from loopnet_cli.pattern import STEM_OF_VOICE, Pattern, read_pattern
from loopnet_cli.plotting import STEM_COLOURS, draw_spectrogram, log_spectrogram
from loopnet_cli.synthesis import load_studio
from loopnet_cli.synthesis.studio import StudioModel
from loopnet_cli.synthesis.transfer import sound_of, transfer

PATTERNS = Path(__file__).parents[1] / "examples" / "patterns"
PICTURES = Path(__file__).parent / "img"
RATE = 44100
SEED = 1
INK, PAPER, SOFT = "#1f2937", "#ffffff", "#eef2f7"
KNOB_COLOURS = ("#1e3a8a", "#3b82f6", "#525252", "#f59e0b", "#c2410c")


def boxes(panel: Any, texts: dict[str, tuple[float, float, float, str, str]], arrows: list[tuple[str, str]]) -> None:
    """Draw boxes (x, y, width, text, colour) and arrows from one to another."""
    for x, y, width, text, colour in texts.values():
        style = "round,pad=0.04,rounding_size=0.12"
        box = FancyBboxPatch((x - width / 2, y - 0.36), width, 0.72, boxstyle=style, fc=colour, ec=INK, lw=0.8)
        panel.add_patch(box)
        panel.text(x, y, text, ha="center", va="center", fontsize=8, color=INK)
    for start, end in arrows:
        (x0, y0, w0, *_), (x1, y1, w1, *_) = texts[start], texts[end]
        level = abs(y0 - y1) < 1.2 or x1 - w1 / 2 > x0 + w0 / 2
        tail = (x0 + w0 / 2 + 0.05, y0) if level else (x0, y0 + (0.42 if y1 > y0 else -0.42))
        head = (x1 - w1 / 2 - 0.05, y1) if level else (x1, y1 + (-0.42 if y1 > y0 else 0.42))
        panel.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 0.9})


def recorded(audio: NDArray[np.float32], pattern: Pattern) -> Heard:
    """Hear audio as a recording of known tempo."""
    content = io.BytesIO()
    soundfile.write(content, audio, RATE, format="WAV", subtype="FLOAT")
    return hear(content.getvalue(), name="recording", bpm=pattern.tempo, bars=pattern.bars)


def draw_flow() -> Figure:
    """Draw what becomes what, from inputs on the left to the loop on the right."""
    figure = Figure(figsize=(11, 4.6), dpi=100, layout="constrained")
    panel = figure.subplots()
    given, made, out = "#fde9d9", SOFT, "#dcf3ec"
    texts = {
        "midi": (1.0, 5.0, 1.7, "MIDI file,\ngrid text", given),
        "rhythm": (1.0, 3.8, 1.7, "recording A\n(its rhythm)", given),
        "sound": (1.0, 2.6, 1.7, "recording B\n(its sound)", given),
        "kit": (1.0, 1.4, 1.7, "kit, mix of kits", given),
        "knobs": (1.0, 0.2, 1.7, "knobs, chord", given),
        "ear": (3.3, 3.8, 1.5, "ear", made),
        "pattern": (5.4, 5.0, 1.6, "pattern: hits\nin quarter notes", made),
        "find": (5.4, 2.6, 1.6, "playing and\ncomparing", made),
        "codes": (7.5, 1.4, 1.9, "a code and a level\nfor each voice", made),
        "hitnet": (9.4, 3.8, 1.7, "HitNet: a stroke\nbecomes gains", made),
        "timbrenet": (9.4, 0.2, 1.7, "TimbreNet: what\nto move, how far", made),
        "sounder": (11.6, 3.8, 1.6, "noise bands,\noscillators, burst", made),
        "stems": (13.8, 3.8, 1.8, "strokes placed\non a circle: stems", made),
        "loop": (15.9, 3.8, 1.1, "loop.wav", out),
    }
    arrows = [
        ("midi", "pattern"), ("rhythm", "ear"), ("sound", "ear"), ("ear", "pattern"), ("ear", "find"),
        ("sound", "find"),
        ("find", "codes"), ("kit", "codes"), ("pattern", "hitnet"), ("codes", "hitnet"), ("knobs", "timbrenet"),
        ("hitnet", "sounder"), ("timbrenet", "sounder"), ("sounder", "stems"), ("stems", "loop"),
    ]  # fmt: skip
    boxes(panel, texts, arrows)
    panel.set(xlim=(0, 16.6), ylim=(-0.4, 5.6))
    panel.axis("off")
    return figure


def draw_strokes(model: StudioModel) -> Figure:
    """Draw what HitNet answers for a kick, a snare and a hat, and what it sounds like."""
    pattern = read_pattern("bpm=120\nkick: X...............\nsnare: X...............\nhat: X...............").pattern
    score = model.score(pattern, model.kit("tight-studio"))
    audio = model.stroke_audio(score, seed=SEED)
    config = model.net.config
    ages = 1e3 * config.frame_seconds
    figure = Figure(figsize=(11, 9), dpi=100, layout="constrained")
    panels = figure.subplots(4, len(score.keys), height_ratios=(1.4, 1.4, 0.8, 0.8))
    for column, (key, name) in enumerate(zip(score.keys, ("kick", "snare", "closed hat"), strict=True)):
        bands, tones, burst, wave = panels[:, column]
        noise = score.strokes.noise[column] * 20 / np.log(10)
        sines, cosines = np.split(score.strokes.tones[column], 2)
        tone = 20 * np.log10(np.hypot(sines, cosines) + 1e-9)
        top = max(noise.max(), tone.max())
        for panel, grid, hertz in ((bands, noise, config.band_hertz), (tones, tone, config.tone_hertz)):
            panel.pcolormesh(ages + 0.5, hertz, grid, vmin=top - 60, vmax=top, cmap="magma", shading="nearest")
            panel.set(xscale="log", yscale="log", xlim=(0.5, 1500))
            panel.set_yticks([100, 1000, 10_000] if hertz[-1] > 10_000 else [100, 1000], minor=False)
            panel.set_yticklabels(["100 Hz", "1 kHz", "10 kHz"][: len(panel.get_yticks())])
        bands.set_title(f"{name}: gains of {config.bands} noise bands", fontsize=10, loc="left")
        tones.set_title(f"gains of {config.oscillators} oscillators", fontsize=10, loc="left")
        burst.plot(1e3 * np.arange(config.burst) / RATE, score.strokes.burst[column], color=INK, lw=0.6)
        burst.set_title(f"burst of {1e3 * config.burst / RATE:.0f} ms", fontsize=10, loc="left")
        sound = audio[key][: int(0.4 * RATE)]
        wave.plot(1e3 * np.arange(len(sound)) / RATE, sound, color=STEM_COLOURS[name.split()[-1]], lw=0.5)
        wave.set_title("their sum: the stroke", fontsize=10, loc="left")
        wave.set(ylim=(-1.05, 1.05), xlim=(0, 400), xlabel="ms after the onset")
    return figure


def draw_circle(model: StudioModel) -> Figure:
    """Draw a pattern, its stems, and the loop as a circle."""
    pattern = read_pattern(
        "bpm=120\nkick: X..x......x.....\nsnare: ....X.......X..4\nhat: x.x.x.x.x.x.x...\ncrash: ..............X."
    ).pattern
    loop = model.render(pattern, kit=model.kit("tight-studio"), seed=SEED)
    seconds = np.arange(len(loop.audio)) / RATE
    figure = Figure(figsize=(11, 5.4), dpi=100, layout="constrained")
    parts = figure.subfigures(1, 2, width_ratios=(1.5, 1))
    panels = parts[0].subplots(len(loop.stems) + 1, 1, sharex=True)
    for panel, (name, stem) in zip(panels, loop.stems.items(), strict=False):
        panel.plot(seconds, stem, color=STEM_COLOURS[name], lw=0.4)
        panel.set_title(name if name != "rest" else "rest: the crash just before the end rings on at the start",
                        fontsize=10, loc="left")  # fmt: skip
    panels[-1].plot(seconds, loop.audio, color=INK, lw=0.4)
    panels[-1].set_title("loop: the sum of the stems", fontsize=10, loc="left")
    panels[-1].set_xlabel("s")
    for panel in panels:
        panel.set(yticks=[], xlim=(0, seconds[-1]))
    circle = parts[1].subplots(subplot_kw={"projection": "polar"})
    circle.set_theta_zero_location("N")
    circle.set_theta_direction(-1)
    width = 256
    for ring, (name, stem) in enumerate(reversed(loop.stems.items())):
        level = np.abs(stem[: len(stem) // width * width]).reshape(-1, width).max(axis=1)
        level = np.sqrt(level / (level.max() + 1e-9))
        angles = np.linspace(0, 2 * np.pi, len(level) + 1)
        height = 0.9 * np.append(level, level[0])
        circle.fill_between(angles, ring + 1, ring + 1 + height, color=STEM_COLOURS[name], lw=0)
    circle.set(yticks=[], ylim=(0, 5), xticks=np.arange(16) * np.pi / 8)
    circle.set_xticklabels([str(1 + step // 4) if step % 4 == 0 else "" for step in range(16)])
    circle.set_title("the same, as the model sees it: a circle", fontsize=10)
    return figure


def draw_knob(model: StudioModel) -> Figure:
    """Draw spectrograms and spectra of one loop with its brightness turned."""
    pattern = read_pattern(PATTERNS / "funk.mid", bars=1).pattern
    kit = model.kit("tight-studio")
    values = (0.1, 0.3, 0.5, 0.7, 0.9)
    loops = [model.render(pattern, kit=kit, timbre={f"{band}.brightness": Knob(x) for band in ("low", "mid", "high")},
                          seed=SEED).audio for x in values]  # fmt: skip
    figure = Figure(figsize=(11, 4.2), dpi=100, layout="constrained")
    panels = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.6))
    for panel, index in zip(panels, (0, 2, 4), strict=False):
        draw_spectrogram(panel, log_spectrogram(loops[index], RATE), len(loops[index]) / RATE)
        panel.set_title(f"--brightness {values[index]:g}", fontsize=10, loc="left")
    hertz = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 1400), 130)[1:-1] / 2595) - 1)
    for value, audio, colour in zip(values, loops, KNOB_COLOURS, strict=True):
        panels[-1].plot(hertz, spectrum(audio), color=colour, lw=1, label=f"{value:g}")
    panels[-1].set(xscale="log", xlim=(40, 20_000), xlabel="Hz", ylabel="dB")
    panels[-1].set_title("their long-term spectra", fontsize=10, loc="left")
    panels[-1].legend(fontsize=8, title="--brightness", title_fontsize=8)
    return figure


def draw_ear(model: StudioModel) -> Figure:
    """Draw activations as the ear hears them in a loop, and the hits picked from them, beside what is played."""
    pattern = read_pattern(PATTERNS / "funk.mid", bars=1).pattern
    loop = model.render(pattern, kit=model.kit("dusty-break"), seed=SEED)
    found = recorded(loop.audio, pattern).transcription
    figure = Figure(figsize=(11, 5.4), dpi=100, layout="constrained")
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(1.6, 1, 1, 1))
    draw_spectrogram(panels[0], log_spectrogram(loop.audio, RATE), len(loop.audio) / RATE)
    panels[0].set_title("a recording", fontsize=10, loc="left")
    played = list(zip(pattern.hits, pattern.onset_samples(RATE), strict=True))
    for panel, name, curve in zip(panels[1:], ("kick", "snare", "hat"), found.activations.T, strict=True):
        times = np.arange(len(curve)) / FRAME_RATE
        panel.fill_between(times, curve, color=STEM_COLOURS[name], alpha=0.35, lw=0)
        hits = [hit for hit in found.hits if STEM_OF_VOICE[hit.voice] == name]
        panel.vlines([h.seconds for h in hits], 0, [h.velocity for h in hits], color=STEM_COLOURS[name], lw=1.6)
        onsets = [onset / RATE for hit, onset in played if STEM_OF_VOICE[hit.voice] == name]
        panel.plot(onsets, [1.12] * len(onsets), "v", color=INK, markersize=4)
        panel.set(ylim=(0, 1.25), yticks=[0, 1])
        panel.set_title(f"{name}: activation (area), hits picked (lines, as high as their velocity), played (marks)",
                        fontsize=10, loc="left")  # fmt: skip
    panels[-1].set_xlabel("s")
    return figure


def draw_transfer(model: StudioModel) -> Figure:
    """Draw a rhythm, a sound and the transfer, and how near the spectra are."""
    pattern = read_pattern(PATTERNS / "house.mid", bars=1).pattern
    other = read_pattern(PATTERNS / "boom-bap.mid", bars=1).pattern
    sound = model.render(other, kit=model.kit("lofi-tape"), seed=3)
    before = model.render(pattern, kit=model.kit(model.default_kit), seed=SEED)
    heard = recorded(sound.audio, other)
    kit = sound_of(model, heard.audio, heard.sample_rate, heard.pattern, timbre=heard.timbre,
                   chroma=heard.chroma.tolist(), name="sound")  # fmt: skip
    result = transfer(model, pattern, kit, seed=SEED)
    figure = Figure(figsize=(11, 4.2), dpi=100, layout="constrained")
    panels = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.6))
    rows = (
        ("rhythm A, default kit", before.audio, "#3b82f6"),
        ("sound B", sound.audio, INK),
        ("A in the sound of B", result.audio, "#c2410c"),
    )
    hertz = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 1400), 130)[1:-1] / 2595) - 1)
    for panel, (title, audio, colour) in zip(panels, rows, strict=False):
        draw_spectrogram(panel, log_spectrogram(audio, RATE), len(audio) / RATE)
        panel.set_title(title, fontsize=10, loc="left")
        panels[-1].plot(hertz, spectrum(audio), color=colour, lw=1, label=title)
    panels[-1].set(xscale="log", xlim=(40, 20_000), xlabel="Hz", ylabel="dB")
    panels[-1].set_title("their long-term spectra", fontsize=10, loc="left")
    panels[-1].legend(fontsize=8)
    return figure


def pictures(model: StudioModel) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Yield name and drawing of each picture."""
    yield "how-flow.png", draw_flow
    for name, draw in (
        ("how-strokes.png", draw_strokes),
        ("how-circle.png", draw_circle),
        ("how-knob.png", draw_knob),
        ("how-ear.png", draw_ear),
        ("how-transfer.png", draw_transfer),
    ):
        yield name, lambda draw=draw: draw(model)  # type: ignore[misc]


def main(folder: Path = PICTURES) -> None:
    """Draw all pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in pictures(load_studio()):
        content = io.BytesIO()
        draw().savefig(content, format="png", metadata={"Software": None})
        path = folder / name
        path.write_bytes(lighter(content.getvalue()))
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
