"""The page of a run (``--report``): loops are taken in as they are made, the page is written when all are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopnet_cli.cli import produce
from loopnet_cli.cli.options import ReportAudioMode
from loopnet_cli.cli.outputs import Output
from loopnet_cli.cli.sources import Kind, Source
from loopnet_cli.errors import AudioError, LoopnetError
from loopnet_cli.pattern.model import Pattern
from loopnet_cli.report import Clip, Knobs, PageBuilder, ReportItem, item_from_file
from loopnet_cli.report.items import shown_settings
from loopnet_cli.synthesis.bank import DEFAULT_KIT

if TYPE_CHECKING:
    from loopnet_cli.cli.loops import Tally
    from loopnet_cli.cli.workshop import Rhythm, Timbre, Workshop


class Book:
    """Gathers the loops of a run and makes a page of them.

    Parameters
    ----------
    path : Path
        The page.
    audio : ReportAudioMode
        Whether it holds the audio.
    overwrite : bool
        Whether it may replace a file.
    keep : bool
        Whether to leave a page that exists as it is.
    """

    def __init__(self, path: Path, audio: ReportAudioMode, *, overwrite: bool, keep: bool) -> None:
        self.path, self._overwrite, self._keep = path, overwrite, keep
        self._builder = PageBuilder(path, audio=audio.value)
        self._clips: dict[tuple[str, int], Clip] = {}

    @property
    def output(self) -> Output:
        """What is written, for the check that no file is written twice."""
        return Output(None, plot=self.path)

    def add(
        self,
        product: produce.Product,
        pattern: Pattern,
        sound: produce.Sound,
        output: Output,
        inputs: tuple[Clip, ...] = (),
    ) -> None:
        """Take in a loop that was made."""
        loop, measured = product.loop, product.measured
        name = "standard output" if output.path is None else output.path.name
        clip = Clip(
            "loop" if output.path is None else name,
            loop.audio,
            loop.sample_rate,
            output.path,
            pattern,
            tempo=loop.tempo,
            bars=loop.bars,
            meter=loop.meter,
            levels=product.levels,
        )
        asked = produce.all_asked(loop, sound)
        knobs = Knobs(asked, {} if measured is None else measured.timbre, frozenset(sound.knobs))
        settings = shown_settings({"seed": loop.seed, **loop.settings})
        self._builder.add(ReportItem(name, clip, knobs, settings, inputs))

    def add_files(self, outputs: Iterable[Output], tally: Tally) -> None:
        """Take in loops that were there already."""
        for output in outputs:
            if output.path is None or not output.path.is_file():
                continue
            from loopnet_cli.synthesis.bank import read_normalisation

            try:
                self._builder.add(item_from_file(output.path, normalisation=read_normalisation()))
            except AudioError as error:
                tally.console.warn(f"the page goes without {output.path}: {error}")

    def rhythm(self, rhythm: Rhythm, workshop: Workshop) -> Clip:
        """Return what is heard of a rhythm: the recording, or what is written, played by a kit."""
        key = ("rhythm", id(rhythm.source))
        if key not in self._clips:
            name = rhythm.source.name
            if rhythm.heard is not None:
                self._clips[key] = _heard("rhythm", name, rhythm.heard)
            else:
                from loopnet_cli.synthesis.kit_store import find_kit

                self._clips[key] = _played(
                    "rhythm", f"{name}, by kit {DEFAULT_KIT}", rhythm.original, find_kit(DEFAULT_KIT), workshop
                )
        return self._clips[key]

    def timbre(self, timbre: Timbre, workshop: Workshop) -> Clip:
        """Return what is heard of a sound: the recording, or each voice of a kit once."""
        from loopnet_cli.cli.pairs import kit_shown

        key = ("timbre", id(timbre.source))
        if key not in self._clips:
            source = timbre.source
            if timbre.heard is not None:
                self._clips[key] = _heard("sound", source.name, timbre.heard)
            else:
                kit = source.kit if source.kind is Kind.KIT else timbre.sound.kit
                self._clips[key] = _played("sound", f"kit {source.name}", kit_shown(workshop.model), kit, workshop)
        return self._clips[key]

    def forget(self, source: Source) -> None:
        """Let the audio of a rhythm go that is not needed any more."""
        self._clips.pop(("rhythm", id(source)), None)

    def write(self, names: Sequence[str], rest: str, tally: Tally) -> None:
        """Write the page and say so; a failure is counted in `tally`.

        The title is made of up to three of the `names`, how many more there are, and the `rest`.
        """
        if not len(self._builder):
            return
        if self._keep and self.path.is_file():
            tally.console.info(f"{self.path} exists: left as it is")
            return
        try:
            done = self._builder.write(title=_joined(names) + rest, overwrite=self._overwrite)
        except LoopnetError as error:
            tally.fail(error, str(self.path))
            return
        for warning in done.warnings:
            tally.console.warn(f"{self.path}: {warning}")
        loops = "1 loop" if done.loops == 1 else f"{done.loops} loops"
        tally.console.info(f"{self.path}: a page of {loops}, {done.size / 1e6:.1f} MB")


def _joined(names: Sequence[str]) -> str:
    known = list(dict.fromkeys(names))
    more = f" and {len(known) - 3} more" if len(known) > 3 else ""
    return ", ".join(known[:3]) + more


def _heard(role: str, name: str, heard: Any) -> Clip:
    # not the file: it is the section that was listened to
    return Clip(name, heard.audio, heard.sample_rate, None, heard.pattern, role=role)


def _played(role: str, name: str, pattern: Pattern, kit: Any, workshop: Workshop) -> Clip:
    loop = workshop.model.render(pattern, kit=kit)
    return Clip(name, loop.audio, loop.sample_rate, None, pattern, role=role)
