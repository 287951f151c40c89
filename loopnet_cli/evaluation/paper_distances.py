"""The paper's Table 1: Fréchet distances, from what `paper_tasks` measured; the paper's own figures stand beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.evaluation.contenders import ORIGINALS, TRAINING, title_of
from loopnet_cli.evaluation.embeddings import LOG_MEL, Embedding
from loopnet_cli.evaluation.frechet import Axes, Gaussian, frechet_interval
from loopnet_cli.evaluation.paper_published import EXPECTED_ORDER, HALVES, NOT_IN_PAPER, PUBLISHED_DISTANCE, ordered
from loopnet_cli.evaluation.report import Cell, Section, Table
from loopnet_cli.evaluation.statistics import Estimate

UNPAIRED = (HALVES, TRAINING)

DISTANCE_METHOD = """\
Fréchet distance of each row's bars to the test bars of the data set (`loopnet_cli/evaluation/frechet.py`); 0 is the
same. A model is given the controls of each test bar and makes a bar: a paper model its activations, envelope, chroma
and 21 timbre features; the studio model its pattern, the 21 features, the chroma, and the kit of the bank whose
features are nearest. The sampler plays the pattern with one-shots, as recorded, of a held-out kit that the bar is not
played with. The paper's models and Griffin-Lim (STFT 1024/512, 50 iterations, 16 kHz) keep the level that they give;
the studio model and the sampler choose their own peak, and are brought to the RMS of the test bar. The log-mel
distance hears 30 Hz to 20 kHz: what is made at 16 kHz has nothing above 8 kHz there, and "originals at 16 kHz" is the
best it can come to. Brackets: 95 %, bootstrap over loops, the spread at this N (the distance itself is too large at
small N, for all rows alike; "two halves of the originals", at half of the N, shows by how much, and more). The last
column is the paper's own data: other bars, other training, VGGish: its order may be compared, its numbers not."""


def distance_section(
    found: Mapping[str, Mapping[str, NDArray[np.float32]]],
    embeddings: Mapping[str, Embedding],
    loops: NDArray[np.integer[Any]],
    *,
    seed: int,
    missing: Sequence[str] = (),
) -> Section:
    """Make Table 1.

    Parameters
    ----------
    found : Mapping of contender to Mapping of embedding to ndarray, shape (bars, patches, dimension)
        ``originals`` included.
    embeddings : Mapping of name to Embedding
    loops : ndarray of int, shape (bars,)
        The loop that each of the originals is from.
    seed : int
        Of the halves and of the bootstrap.
    missing : sequence of str
        Sentences on rows and columns that could not be had.
    """
    originals = found[ORIGINALS]
    names = [name for name in embeddings if name in originals]
    rows = ordered([HALVES, *(name for name in found if name != ORIGINALS)])
    estimates: dict[str, dict[str, Estimate]] = {name: {} for name in rows}
    facts = []
    for name in names:
        reference, axes, text = _projected(embeddings[name], originals[name])
        facts.append([embeddings[name].title, f"{reference.shape[1]}", *text])
        for row in rows:
            if row == HALVES:
                first = _half(loops, seed)
                mine, theirs, groups = reference[~first], reference[first], loops[first]
            else:
                mine, theirs, groups = found[row][name], reference, loops
                mine = mine if axes is None else axes.project(mine)
            paired = row not in UNPAIRED
            estimates[row][name] = frechet_interval(mine, theirs, seed=seed, paired=paired, groups=groups)
    table: list[list[str | Cell]] = [
        [
            _row_title(row),
            str(next(iter(estimates[row].values())).loops),
            *(Cell.of(estimates[row][name], ".2f" if name != LOG_MEL else ".1f") for name in names),
            f"{PUBLISHED_DISTANCE[row]:.2f}" if row in PUBLISHED_DISTANCE else NOT_IN_PAPER,
        ]
        for row in rows
    ]
    columns = ["bars made by", "N", *(embeddings[name].title for name in names), "the paper's data: FAD, VGGish"]
    tables = [
        Table(f"Table 1: distance to {len(loops)} test bars", columns, table),
        Table(
            "The embeddings: each bar gives so many vectors; distances are taken in so many dimensions",
            ["embedding", "vectors a bar", "dimension", "share of the variance kept"],
            facts,
        ),
    ]
    order = _order_table(estimates, names, embeddings)
    tables += [order] if order.rows else []
    figures = {"values": {row: {n: each._asdict() for n, each in cells.items()} for row, cells in estimates.items()}}
    method = "\n".join([DISTANCE_METHOD, *missing])
    return Section("The paper's Table 1: Fréchet distances", method, tables, (), figures)


def _row_title(row: str) -> str:
    return "two halves of the originals (floor)" if row == HALVES else title_of(row)


def _half(loops: NDArray[np.integer[Any]], seed: int) -> NDArray[np.bool_]:
    """Choose half of the loops at random; say for each bar whether its loop is chosen."""
    names = np.unique(loops)
    chosen = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
    return np.isin(loops, chosen)


def _projected(
    embedding: Embedding, originals: NDArray[np.float32]
) -> tuple[NDArray[np.floating], Axes | None, tuple[str, str]]:
    count = originals.shape[0] * originals.shape[1]
    size = embedding.axes_for(count)
    if size is None:
        return originals, None, (str(embedding.dimension), "all")
    axes = Axes.of(Gaussian.of(originals.reshape(count, -1)), size)
    text = f"{size}, principal axes of the originals (of {embedding.dimension})"
    return axes.project(originals), axes, (text, f"{100 * axes.share:.1f} %")


def _order_table(
    estimates: Mapping[str, Mapping[str, Estimate]], names: Sequence[str], embeddings: Mapping[str, Embedding]
) -> Table:
    """Compare our order of the paper's models with the paper's."""
    rows: list[list[str | Cell]] = []
    for better, worse in EXPECTED_ORDER:
        if better not in estimates or worse not in estimates:
            continue
        cells = [f"{PUBLISHED_DISTANCE[better]:.2f} < {PUBLISHED_DISTANCE[worse]:.2f}"]
        for name in names:
            one, two = estimates[better][name], estimates[worse][name]
            apart = one.high < two.low or two.high < one.low
            verdict = "yes" if one.value < two.value else "**no**"
            cells.append(f"{verdict}: {one.value:.2f}, {two.value:.2f}" + ("" if apart else " (intervals overlap)"))
        rows.append([f"{title_of(better)} before {title_of(worse)}", *cells])
    columns = ["expected", "the paper's data", *(embeddings[name].title for name in names)]
    return Table("The order of the paper's models", columns, rows)
