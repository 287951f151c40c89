"""Reconstruction: how near the model comes to a held-out original, against samplers that play the same pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loopnet_cli.data.renderer import SAMPLE_RATE, render_voices
from loopnet_cli.evaluation.bench import Bench, mix_of, untreated, with_levels
from loopnet_cli.evaluation.distances import all_distances
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import mean_of, ratio_of_means

REQUIRED_RATIO = 0.70
ROWS = {
    "model": "model: pattern, kit code and 21 features (with a bass or chord: and chroma)",
    "no_chroma": "model: the same without the chroma",
    "kit": "model: pattern and kit code",
    "features": "model: pattern and 21 features, a bank kit drawn at random",
    "sampler": "sampler, another held-out kit, as recorded",
    "treated": "sampler, another held-out kit, treated as the originals are",
    "levelled": "sampler, another held-out kit, treated, at the original's voice levels",
    "own": "sampler, the original's very drums without its bus (ceiling)",
}
SAMPLERS = ("sampler", "treated", "levelled")
DISTANCES = {
    "mel60": "log-mel, floor -60 dB",
    "mel40": "log-mel, floor -40 dB",
    "mel20": "log-mel, floor -20 dB",
    "stft": "multi-size STFT",
}

METHOD = """\
One-bar originals from held-out grooves and held-out one-shots (treated and mixed by the renderer of training
bars). The model is given the pattern, the kit (codes that its encoder computes from the one-shots of the
original, and the level of each voice) and the original's 21 timbre features, normalised. The sampler rows play
the same pattern with the drums of another held-out kit. Distances as defined in
`loopnet_cli/evaluation/distances.py`: both loops at the same RMS, log-mel of 64 bands from 30 Hz to 20 kHz, FFT
2048, hop 512, circular, floored at so many dB under the original's maximum. Ratios divide the means of model and
row over the same loops. An original cannot be compared with itself under fresh noise: the originals are
recordings, there is no second take. The second table has a bass or chord under the drums of the original, which
the pattern does not contain and a drum kit does not play; there the model is also given the original's chroma.
The row at -60 dB hears the hats that lie under loud kicks; the one at -20 dB hears little but the loudest drum."""


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Return the distances of every row for one case, without and with a tonal layer."""
    from loopnet_cli.analysis.chroma import chroma

    case = bench.case(number)
    pattern, drums = case.bar.pattern, case.bar.drums
    other = bench.other_drums(case)
    any_kit = bench.bank_kit(bench.rng(number, 4))
    played = {
        "sampler": untreated(other),
        "treated": other,
        "levelled": with_levels(other, drums),
        "own": drums,
    }
    samplers = {name: mix_of(render_voices(pattern, kit)) for name, kit in played.items()}
    with_tonal = bench.case(number, tonal=True)
    result: dict[str, Any] = {}
    for key, one in (("dry", case), ("tonal", with_tonal)):
        render = bench.model.render
        told = bench.resynthesis(one).audio
        loops = {
            "model": told,
            "kit": render(pattern, kit=one.kit, seed=one.seed).audio,
            "features": render(pattern, kit=any_kit, timbre=one.timbre, seed=one.seed).audio,
            **samplers,
        }
        if key == "tonal":
            tones = [float(value) for value in chroma(one.bar.audio, SAMPLE_RATE)]
            loops["no_chroma"] = told
            loops["model"] = render(pattern, kit=one.kit, timbre=one.timbre, chroma=tones, seed=one.seed).audio
        result[key] = {name: all_distances(audio, one.bar.audio) for name, audio in loops.items()}
    return result


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    tables, checks = [], []
    captions = {"dry": "Drums only", "tonal": "Originals with a bass or chord under the drums"}
    for key, caption in captions.items():
        table = []
        for name, label in ROWS.items():
            if name not in rows[0][key]:
                continue
            cells: list[str | Cell] = [label]
            cells += [Cell.of(mean_of([row[key][name][d] for row in rows], seed=seed)) for d in DISTANCES]
            cells.append("" if name == "model" else _ratio(rows, key, name, seed))
            table.append(cells)
        columns = ["row", *DISTANCES.values(), "model / row, log-mel -40 dB"]
        tables.append(Table(f"{caption}: distance to the original, mean over {len(rows)} loops", columns, table))
    for name in SAMPLERS:
        ratio = _ratio(rows, "dry", name, seed)
        text = f"reconstruction: log-mel distance (-40 dB), model / {ROWS[name]}, at most {REQUIRED_RATIO:.2f}"
        checks.append(Check(text, ratio, ratio.value <= REQUIRED_RATIO))
    return Section("Reconstruction", METHOD, tables, checks)


def _ratio(rows: Sequence[Mapping[str, Any]], key: str, name: str, seed: int) -> Cell:
    top = [row[key]["model"]["mel40"] for row in rows]
    return Cell.of(ratio_of_means(top, [row[key][name]["mel40"] for row in rows], seed=seed))
