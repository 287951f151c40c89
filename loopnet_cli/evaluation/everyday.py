"""Everyday sounds as drum kits: ``python -m loopnet_cli.evaluation.everyday DATA --out docs`` writes docs/EVERYDAY.md.

Each sound plays one of our patterns. The long-term spectra of the sound and of the loop are
compared (128 mel bands, power averaged over time, levels in dB down to 50 under the highest, at
one median level): the root mean square of their difference, beside that of the default
kit and of the bank's nearest kit in the same pattern.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.hearing import hear
from loopnet_cli.analysis.transcriber import Transcriber, load_transcriber
from loopnet_cli.evaluation.distances import mel_power
from loopnet_cli.pattern.read import read_pattern
from loopnet_cli.plotting_transfer import Part, plot_transfer
from loopnet_cli.synthesis.studio import StudioModel, load_studio
from loopnet_cli.synthesis.transfer import Sound, sound_of, transfer

SOUNDS = {
    "bell": ("beatbox/adafruit_chair-bell-impact.flac", "a bell: partials at 370 and 581 Hz that ring for two seconds"),
    "stapler": ("beatbox/olpc_stapler-spring-1.flac", "a stapler's spring: a metallic rattle, nearly all above 1 kHz"),
    "ping-pong": ("beatbox/olpc_ping-pong-solo-1.flac", "a ping-pong ball: two short dry tocks around 1 to 2 kHz"),
}
BANDS, FLOOR_DB = 128, -50.0
SEED = 1


def spectrum(audio: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the long-term mel spectrum in dB under its highest band, shape (128,)."""
    power = mel_power(np.asarray(audio, np.float64), BANDS).mean(axis=0)
    levels: NDArray[np.float64] = np.maximum(10 * np.log10(power / power.max() + 1e-12), FLOOR_DB)
    return levels


def spectral_distance(one: NDArray[np.floating], two: NDArray[np.floating]) -> float:
    """Return the difference of two long-term spectra in dB, overall level aside."""
    difference = spectrum(one) - spectrum(two)
    return float(np.sqrt(np.mean(np.square(difference - np.median(difference)))))


def everyday(model: StudioModel, ears: Transcriber, path: Path, rhythm: Path) -> tuple[dict[str, float], str, bytes]:
    """Play a rhythm in the sound of a recording; return the distances, what was heard, and the picture."""
    pattern = read_pattern(str(rhythm)).pattern
    heard = hear(path, transcriber=ears)
    found = sound_of(
        model, heard.audio, heard.sample_rate, heard.pattern,
        timbre=heard.timbre, chroma=heard.chroma.tolist(), name=path.stem,
    )  # fmt: skip
    result = transfer(model, pattern, found, seed=SEED, ears=ears)
    sound = heard.audio
    others = [transfer(model, pattern, Sound(model.kit(name)), seed=SEED).audio for name in model.kit_names]
    default = others[model.kit_names.index(model.default_kit)]
    distances = {
        "made": spectral_distance(result.audio, sound),
        "default": spectral_distance(default, sound),
        "nearest": min(spectral_distance(audio, sound) for audio in others),
    }
    parts = [
        Part(path.name, heard.pattern, sound, heard.sample_rate, heard.transcription.activations),
        Part(f"{rhythm.stem} in its sound", pattern, result.audio),
    ]
    hits = ", ".join(f"{len(heard.pattern.only([voice]).hits)} {voice}" for voice in heard.pattern.voices) or "none"
    return distances, hits, plot_transfer(parts)


def lighter(picture: bytes) -> bytes:
    """Reduce a PNG to 96 colours, a third of its size."""
    from PIL import Image

    result = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(96, dither=Image.Dither.NONE).save(
        result, "PNG", optimize=True
    )
    return result.getvalue()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Show everyday sounds as drum kits.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of EVERYDAY.md and img/")
    parser.add_argument("--rhythm", type=Path, default=Path("examples/patterns/boom-bap.mid"))
    arguments = parser.parse_args()
    model, ears = load_studio(), load_transcriber()
    lines = [
        "# Everyday sounds as drum kits",
        "",
        f"Written by `python -m loopnet_cli.evaluation.everyday DATA`: each sound plays `{arguments.rhythm}`, as",
        "`loopnet transfer --rhythm PATTERN --timbre SOUND --seed 1 -o out.wav` does. None of these sounds was",
        "trained on. Distances are those of long-term spectra (128 mel bands, 50 dB deep, root mean square in dB): of",
        "the sound and the loop made of it, beside the loops of the default kit and of whichever of the bank's 32 kits",
        "comes nearest.",
        "",
        "| sound | strokes heard | made of it | default kit | nearest kit of the bank |",
        "|---|---|---|---|---|",
    ]
    pictures = []
    for name, (file, words) in SOUNDS.items():
        distances, hits, picture = everyday(model, ears, arguments.data / file, arguments.rhythm)
        cells = " | ".join(f"{distances[key]:.1f} dB" for key in ("made", "default", "nearest"))
        lines.append(f"| {name} | {hits} | {cells} |")
        (arguments.out / "img").mkdir(parents=True, exist_ok=True)
        (arguments.out / "img" / f"everyday_{name}.png").write_bytes(lighter(picture))
        pictures += [
            "",
            f"## {name.capitalize()}",
            "",
            f"{words[0].upper()}{words[1:]}.",
            "",
            f"![{words}](img/everyday_{name}.png)",
        ]
    lines += [
        "",
        "What was not heard (a stapler has no kick) is made of what was: an octave down for a kick, an octave up for a",
        "hat. The prior knowledge of what kicks and hats are pulls every sound towards a drum, which is what makes a",
        "kit of it, and tones of noise-like voices become narrow bands of noise: a bell's snare rings in its colour,",
        "not in its two pitches.",
    ]
    (arguments.out / "EVERYDAY.md").write_text("\n".join(lines + pictures) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
