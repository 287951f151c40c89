"""``loopnet evaluate``: the paper's tables, and distances between folders of audio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from loopnet_cli.cli import evaluate_options as options
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.errors import UsageError

if TYPE_CHECKING:
    from loopnet_cli.evaluation.embeddings import Embedding
    from loopnet_cli.evaluation.folders import Distance, Pair
    from loopnet_cli.evaluation.frechet import Gaussian
    from loopnet_cli.evaluation.statistics import Estimate

app = typer.Typer(help="Measure models and folders of audio.", no_args_is_help=True)
NPZ = ".npz"


@app.command("tables")
def tables(
    dataset: options.Dataset,
    *,
    models: options.Models = None,
    tables: options.Tables = "1,2,speed",
    bars: options.Bars = 300,
    loops: options.Loops = 100,
    full_loops: options.FullLoops = 16,
    material: options.Material = None,
    embedding_weights: options.YamnetWeights = None,
    vggish_weights: options.VggishWeights = None,
    seed: options.Seed = 0,
    workers: options.Workers = 1,
    out: options.Out = Path("results"),
    state: options.State = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure the paper's tables on a data set: distances, coherence, speed.

    Writes RESULTS.md, results.json and a picture of each table. A run that
    was interrupted goes on where it stopped. See docs/EVALUATION.md.
    """
    from loopnet_cli.evaluation.paper_run import Plan, run
    from loopnet_cli.evaluation.paper_tasks import Setup
    from loopnet_cli.evaluation.report import MARKDOWN_NAME, plain, tables_as_text

    console = Console(quiet)
    setup = Setup(dataset, seed, material, embedding_weights, vggish_weights, state or out / ".rows")
    chosen = None if models is None else tuple(_words(models))
    plan = Plan(setup, chosen, bars, loops, full_loops, tuple(_words(tables)), workers, out)
    sections = run(plan, _Steps(console))
    if as_json:
        from dataclasses import asdict

        tell_json({name: plain(asdict(section)) for name, section in sections.items()})
        return
    for section in sections.values():
        print(f"{tables_as_text(section)}\n")
    console.info(f"written: {out / MARKDOWN_NAME}")


@app.command("pairs")
def pairs(
    generated: options.Generated,
    reference: options.Reference,
    *,
    embedding_weights: options.YamnetWeights = None,
    vggish_weights: options.VggishWeights = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare two folders of loops, files of one name with each other.

    Fréchet distances of all; for each pair the log-mel distance, and how well
    the hits that are heard agree.
    """
    from loopnet_cli.evaluation.embeddings import all_embeddings
    from loopnet_cli.evaluation.folders import compare_folders, paired_files, summary

    console = Console(quiet)
    known = all_embeddings(embedding_weights, vggish_weights)
    with console.progress(len(paired_files(generated, reference)[0]), "pairs") as advance:
        found, distances, alone = compare_folders(generated, reference, known, seed=seed, step=advance)
    if alone:
        console.warn(f"{len(alone)} files without a partner were left out: {', '.join(alone[:3])}")
    for pair in found:
        if pair.warning:
            console.warn(pair.warning)
    means = summary(found, seed=seed)
    if as_json:
        tell_json(_pairs_as_json(found, distances, means, alone, seed))
        return
    _print_pairs(found, distances, means, known)


@app.command("frechet")
def frechet(
    one: options.One,
    two: options.Two,
    *,
    embedding: options.Embedding = options.EmbeddingName.logmel,
    embedding_weights: options.YamnetWeights = None,
    vggish_weights: options.VggishWeights = None,
    axes: options.Axes = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Print the Fréchet distance of two sets of statistics or folders.

    Statistics are .npz files with arrays mu and sigma. Two folders get a 95 %
    interval over their files.
    """
    from loopnet_cli.evaluation.folders import distance, embed_folder, folder_statistics
    from loopnet_cli.evaluation.frechet import Axes, frechet_distance, read_statistics

    stored = [path.suffix.lower() == NPZ for path in (one, two)]
    known = None if all(stored) else _embedding(embedding, embedding_weights, vggish_weights)
    interval: Estimate | None = None
    count: int | None
    if known is not None and not any(stored):
        sides = [_evenly(embed_folder(path, known)) for path in (one, two)]
        size = None if axes is None else _checked_axes(axes, known.dimension)
        found = distance(sides[0], sides[1], (lambda _: size) if size else known.axes_for, seed=seed, paired=False)
        interval, value = found.estimate, found.estimate.value
        count, dimension = found.vectors, found.dimension
    else:
        gaussians: list[Gaussian] = [
            read_statistics(path) if is_stored or known is None else folder_statistics(path, known)
            for path, is_stored in zip((one, two), stored, strict=True)
        ]
        if axes is not None and gaussians[0].dimension == gaussians[1].dimension:
            along = Axes.of(gaussians[1], _checked_axes(axes, gaussians[1].dimension))
            gaussians = [along.along(gaussian) for gaussian in gaussians]
        value, dimension, count = frechet_distance(*gaussians), gaussians[1].dimension, gaussians[1].count
    if as_json:
        result = {"distance": value, "low": None, "high": None, "dimension": dimension, "reference_vectors": count}
        tell_json(result if interval is None else {**result, "low": interval.low, "high": interval.high})
        return
    spread = "" if interval is None else f" [{interval.low:.3f}, {interval.high:.3f}]"
    vectors = "an unknown number of" if count is None else str(count)
    print(f"{value:.3f}{spread}  ({dimension} dimensions, reference of {vectors} vectors)")


@app.command("statistics")
def statistics(
    folder: options.Folder,
    *,
    output: options.StatisticsFile,
    embedding: options.Embedding = options.EmbeddingName.logmel,
    embedding_weights: options.YamnetWeights = None,
    vggish_weights: options.VggishWeights = None,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the statistics of a folder's embeddings, to compare others with.

    The .npz file holds mu, sigma and count; frechet reads it.
    """
    from loopnet_cli.evaluation.folders import audio_files, folder_statistics
    from loopnet_cli.evaluation.frechet import StatisticsError, write_statistics

    if output.suffix.lower() != NPZ:
        raise UsageError(f"--output {output}: statistics are stored as .npz, call it so")
    if output.exists() and not overwrite:
        raise StatisticsError(f"{output} exists: use --overwrite")
    known = _embedding(embedding, embedding_weights, vggish_weights)
    console = Console(quiet)
    with console.progress(len(audio_files(folder)), "files") as advance:
        found = folder_statistics(folder, known, advance)
    write_statistics(output, found)
    if as_json:
        tell_json({"path": str(output), "vectors": found.count, "dimension": found.dimension})
    else:
        console.info(f"{output}: {found.count} vectors of {found.dimension} numbers")


class _Steps:
    """Tells on stderr how far a long run is: where a new part begins, and every tenth of it."""

    def __init__(self, console: Console) -> None:
        self._console, self._told = console, ("", -1)

    def __call__(self, what: str, done: int, total: int) -> None:
        now = (what, 10 * done // max(total, 1))
        if now != self._told:
            self._told = now
            self._console.info(f"{what} ({done} of {total})")


def _words(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError("an empty list of names: leave the option out, or name something")
    return words


def _embedding(name: options.EmbeddingName, yamnet: Path | None, vggish: Path | None) -> Embedding:
    from loopnet_cli.evaluation import embeddings

    if name is options.EmbeddingName.logmel:
        return embeddings.log_mel()
    if name is options.EmbeddingName.yamnet:
        if yamnet is None:
            raise UsageError("--embedding yamnet needs its weights: --embedding-weights FILE")
        return embeddings.yamnet_embedding(yamnet)
    if vggish is None:
        raise UsageError("--embedding vggish needs its weights: --vggish-weights FILE")
    return embeddings.vggish_embedding(vggish)


def _evenly(parts: list[Any]) -> Any:
    from loopnet_cli.evaluation.embeddings import same_patches

    return same_patches(parts)


def _checked_axes(axes: int, dimension: int) -> int:
    if axes > dimension:
        raise UsageError(f"--axes {axes}: there are only {dimension} dimensions")
    return axes


def _print_pairs(
    found: list[Pair], distances: Mapping[str, Distance], means: Mapping[str, Estimate], known: Mapping[str, Embedding]
) -> None:
    from loopnet_cli.evaluation.folders import GROUPS, f_measure

    width = max(len("mean"), *(len(pair.name) for pair in found))
    print(f"{'pair':<{width}}  log-mel, dB   kick F  snare F    hat F")
    for pair in found:
        hits = "".join(f"{_figure(f_measure(pair.hits[group])):>9}" for group in GROUPS)
        print(f"{pair.name:<{width}}  {pair.log_mel:>11.2f}{hits}")
    print(
        f"{'mean':<{width}}  {means['log_mel'].value:>11.2f}" + "".join(f"{_figure(means[g].value):>9}" for g in GROUPS)
    )
    print(f"\nlog-mel   {_interval(means['log_mel'], 'dB')}\noffset    {_interval(means['late'], 'ms')}")
    for name, each in distances.items():
        of = "" if each.axes_of is None else f" of {each.axes_of}"
        size = f"N {len(found)}, {each.vectors} vectors, {each.dimension}{of} dimensions"
        print(f"{known[name].title}: {_interval(each.estimate)} ({size})")


def _figure(value: float) -> str:
    return f"{value:.2f}" if value == value else "-"


def _interval(estimate: Estimate, unit: str = "") -> str:
    if estimate.value != estimate.value:
        return "not measured"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}] {unit}".rstrip()


def _pairs_as_json(
    found: list[Pair], distances: Mapping[str, Distance], means: Mapping[str, Estimate], alone: list[str], seed: int
) -> dict[str, Any]:
    from loopnet_cli.evaluation.report import plain

    entries = [
        {
            "name": pair.name,
            "log_mel_db": pair.log_mel,
            "hits": {
                group: dict(zip(("agree", "heard", "expected"), counts, strict=True))
                for group, counts in pair.hits.items()
            },
            "offset_ms": 1000 * sum(pair.late) / len(pair.late) if pair.late else None,
        }
        for pair in found
    ]
    taken = {
        name: {**each.estimate._asdict(), "vectors": each.vectors, "dimension": each.dimension, "of": each.axes_of}
        for name, each in distances.items()
    }
    result = {
        "pairs": entries,
        "frechet": taken,
        "means": {name: each._asdict() for name, each in means.items()},
        "left_out": alone,
        "seed": seed,
    }
    return dict(plain(result))
