"""Every rhythm in every sound: all files planned first, then one loop after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from loopnet_cli.cli import loops, produce
from loopnet_cli.cli.outputs import Output, fields_in
from loopnet_cli.cli.sources import Kind, Source
from loopnet_cli.cli.transfer_options import FIELDS, MUSICAL
from loopnet_cli.cli.workshop import Rhythm, Timbre, Workshop, counts
from loopnet_cli.controls import Kit, Knob, Loop
from loopnet_cli.errors import named
from loopnet_cli.pattern.model import VOICES, Hit, Pattern
from loopnet_cli.synthesis import kit_store
from loopnet_cli.synthesis.bank import DEFAULT_KIT

if TYPE_CHECKING:
    from loopnet_cli.cli.report import Book

_KIT_SHOWN = Pattern(tuple(Hit(index / 2, voice, 1.0) for index, voice in enumerate(VOICES)), 1, (5, 4), 100.0)


def kit_shown(model: Any) -> Pattern:
    """Return what a kit plays to be seen in a picture: each voice once, at a tempo that any model has by itself."""
    return _KIT_SHOWN.with_tempo(getattr(model, "tempo", _KIT_SHOWN.tempo))


@dataclass(frozen=True)
class Order:
    """How the sounds are to be taken over.

    Attributes
    ----------
    amount : float
        0 for the rhythm's own sound, 1 for the other one.
    own_kit : Kit or None
        In the place of the rhythm's own sound.
    knobs : Mapping from feature name to Knob
        Turned on top.
    chroma : tuple of 12 float, or None
        Pitches to impose.
    chroma_from : Source or None
        Where they come from instead.
    only : tuple of str
        Voices and stems that sound alone; empty for all.
    seed : int
        What chance is drawn from.
    """

    amount: float
    own_kit: Kit | None
    knobs: Mapping[str, Knob]
    chroma: tuple[float, ...] | None
    chroma_from: Source | None
    only: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Job:
    """One loop to make."""

    rhythm: Source
    timbre: Source
    output: Output

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.rhythm.label} in the sound of {self.timbre.label}"


@dataclass(frozen=True)
class Made:
    """A loop as it was rendered.

    Attributes
    ----------
    loop : Loop
        What was asked for.
    whole : Loop
        With all voices, if only some were asked for.
    pattern : Pattern
        What sounds in `loop`.
    kit : Kit
        What it sounds with.
    """

    loop: Loop
    whole: Loop
    pattern: Pattern
    kit: Kit


def plan(
    rhythms: Sequence[Source],
    timbres: Sequence[Source],
    naming: loops.Naming,
    order: Order,
    workshop: Workshop,
    tally: loops.Tally,
    *,
    model: str,
) -> list[Job]:
    """Return one job for each pair; rhythms are heard now only if the names of the files tell of it.

    Raises
    ------
    UsageError
        If a template is wrong.
    """
    naming.output(dict.fromkeys(FIELDS, 0))  # says what is wrong, before anything is heard
    musical = {*MUSICAL} & (fields_in(naming.template) | fields_in(naming.plot or ""))
    jobs: list[Job] = []
    for rhythm in rhythms:
        values: dict[str, object] = dict.fromkeys(FIELDS, 0)
        failed = tally.failed
        if musical and naming.path is None:
            with loops.one_of_many(tally, rhythm.label):
                pattern = workshop.rhythm(rhythm).pattern
                values["bpm"], values["bars"] = f"{pattern.tempo:.5g}", pattern.bars
                values["meter"] = f"{pattern.meter[0]}-{pattern.meter[1]}"
        if tally.failed > failed:
            tally.failed += len(timbres) - 1
            continue
        for timbre in timbres:
            values["rhythm"] = values["stem"] = rhythm.input.stem
            values["timbre"] = values["kit"] = timbre.input.stem
            values["seed"], values["amount"], values["model"] = order.seed, f"{order.amount:g}", model
            jobs.append(Job(rhythm, timbre, naming.output(values)))
    return jobs


def run(
    jobs: Sequence[Job],
    order: Order,
    workshop: Workshop,
    finish: produce.Finish,
    tally: loops.Tally,
    *,
    as_json: bool = False,
    book: Book | None = None,
) -> None:
    """Make all loops; failures are counted in `tally`, reports printed as they come, loops put in the `book`."""
    chroma = order.chroma if order.chroma_from is None else pitches(order.chroma_from)
    with tally.console.progress(len(jobs), "loops") as advance:
        for rhythm, group in groupby(jobs, key=lambda job: job.rhythm):
            for job in group:
                with loops.one_of_many(tally, job.label, job.rhythm.label, job.timbre.label):
                    _one(job, order, chroma, workshop, finish, tally, as_json=as_json, book=book)
                    tally.written += 1
                advance(job.label)
            workshop.forget(rhythm)
            if book is not None:
                book.forget(rhythm)


def pitches(source: Source) -> tuple[float, ...]:
    """Return the chroma of a kit, or of the whole of a recording.

    Raises
    ------
    AudioError
        If the recording cannot be read, is silent or too long, or no pitch is heard in it.
    KitError
        If the kit cannot be used.
    """
    if source.kind is Kind.KIT:
        return source.kit.chroma
    from loopnet_cli.analysis.chroma import chroma
    from loopnet_cli.audio.read import read_part
    from loopnet_cli.audio.resample import resample_circular
    from loopnet_cli.audio.survey import survey
    from loopnet_cli.errors import AudioError

    with named(source.label):
        content = source.input.source if source.content is None else source.content
        facts = survey(content, name=source.label)
        audio = read_part(content, facts.start, facts.stop, name=source.label)
        # the measure is defined at this rate
        audio = resample_circular(audio, max(1, round(facts.seconds * 44100)))
        found = tuple(float(value) for value in chroma(audio, circular=False))
        if max(found) <= 0:
            raise AudioError("no pitch is heard in it")
    return found


def _one(
    job: Job,
    order: Order,
    chroma: tuple[float, ...] | None,
    workshop: Workshop,
    finish: produce.Finish,
    tally: loops.Tally,
    *,
    as_json: bool,
    book: Book | None,
) -> None:
    """Make one loop, write its files, report."""
    from loopnet_cli.cli import transfer_report

    rhythm, timbre = workshop.rhythm(job.rhythm), workshop.timbre(job.timbre)
    with named(job.rhythm.label):
        made = render(rhythm, timbre, order, chroma, workshop)
    sound = produce.Sound(made.kit, order.knobs, chroma)
    told = {"transfer": transfer_report.settings(rhythm, timbre, order, workshop.wishes)}
    settings = {**produce.stored_settings(made.pattern, sound, finish), **told}
    measured = made.whole if as_json or book is not None else None
    product = produce.finished(workshop.model, made.loop, settings, finish, measured)
    told_before = produce.warnings_of(workshop.model, made.pattern)
    product = replace(product, warnings=(*told_before, *product.warnings))
    picture = partial(transfer_report.picture, rhythm, timbre, made, workshop.model)
    produce.write(product, job.output, finish, picture)
    if book is not None:
        inputs = (book.rhythm(rhythm, workshop), book.timbre(timbre, workshop))
        book.add(product, made.pattern, sound, job.output, inputs)
    name = "standard output" if job.output.path is None else str(job.output.path)
    for warning in product.warnings:
        tally.console.warn(f"{name}: {warning}")
    tally.console.info(produce.summary(product, name, sound))
    if as_json:
        report = produce.report(product, job.output, sound, finish, (*rhythm.warnings, *timbre.warnings))
        heard = transfer_report.heard(rhythm, timbre, order, workshop.wishes)
        tally.tell({**heard, "hits": counts(made.pattern), **report})


def render(rhythm: Rhythm, timbre: Timbre, order: Order, chroma: tuple[float, ...] | None, workshop: Workshop) -> Made:
    """Play a rhythm in a sound.

    Raises
    ------
    PatternError
        If none of the voices that were asked for is played.
    AudioError
        If the rhythm's own sound is needed and cannot be found.
    """
    from loopnet_cli.synthesis.isolate import isolated, to_render, voices_alone
    from loopnet_cli.synthesis.transfer import Sound, blended_kit, transfer

    pattern = rhythm.pattern
    chosen = voices_alone(pattern, order.only) if order.only else pattern
    own: Any = None
    if order.amount < 1:
        default = order.own_kit or kit_store.find_kit(DEFAULT_KIT)
        own = Sound(default) if order.own_kit else workshop.own_sound(rhythm, default)
    if workshop.is_paper:
        return _by_paper(rhythm, timbre.sound.kit, None if own is None else own.kit, order, chroma, workshop, chosen)
    whole = transfer(
        workshop.model, to_render(pattern, chosen) if order.only else pattern, timbre.sound,
        own=own, amount=order.amount, knobs=order.knobs, chroma=chroma, seed=order.seed,
        ears=None if timbre.sound.timbre is None else workshop.ears,
    )  # fmt: skip
    kit = timbre.sound.kit if own is None else blended_kit(own.kit, timbre.sound.kit, order.amount)
    return Made(isolated(whole, chosen) if order.only else whole, whole, chosen, kit)


def _by_paper(
    rhythm: Rhythm,
    kit: Kit,
    own: Kit | None,
    order: Order,
    chroma: tuple[float, ...] | None,
    workshop: Workshop,
    chosen: Pattern,
) -> Made:
    """Play a rhythm by one of the paper's models: as it was heard, if it was and is not to be moved to a grid."""
    from loopnet_cli.synthesis.papertransfer import blended_features, heard_curves

    pattern, curves = rhythm.pattern, None
    if rhythm.heard is not None and workshop.wishes.quantize is None:
        curves = heard_curves(rhythm.heard, pattern.bars)
    kit = kit if own is None else blended_features(own, kit, order.amount)
    how: dict[str, Any] = {"kit": kit, "timbre": order.knobs, "chroma": chroma, "seed": order.seed, "curves": curves}
    if not order.only:
        loop = workshop.model.render(pattern, **how)
        return Made(loop, loop, pattern, kit)
    loop, whole = workshop.model.render_alone(pattern, chosen, **how)
    return Made(loop, whole, chosen, kit)
