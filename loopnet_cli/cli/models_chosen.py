"""``--model``: the studio, one of the paper's five models, or one's own weights; loaded when they are used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopnet_cli.cli.host import Host
from loopnet_cli.errors import PatternError, UsageError
from loopnet_cli.pattern.model import Pattern

if TYPE_CHECKING:
    from loopnet_cli.synthesis.paper import WeightsSource

STUDIO = "studio"
NAMES: tuple[str, ...] = (STUDIO, "stft", "wav", "wavspec", "multi", "multi-noenv")


def chosen_model(name: str, stems: Path | None = None) -> WeightsSource | None:
    """Find a model; None for the studio, of which nothing is looked for.

    Parameters
    ----------
    name : str
        As typed.
    stems : Path or None
        Where stems shall go; a paper model has none.

    Raises
    ------
    UsageError
        If there is no such model, or it cannot do what is asked.
    WeightsError
        If its weights are not there.
    """
    if name.strip().lower() == STUDIO:
        return None
    from loopnet_cli.synthesis.paper import find_paper

    found = find_paper(name.strip().lower() if name.strip().lower() in NAMES else name)
    if stems is not None:
        raise UsageError(f"--stems: model {name} makes no stems, it gives one signal: use --isolate kick, snare or hat")
    return found


def model_label(name: str) -> str:
    """Return what a model is called in file names: a file or a folder of weights by its own name."""
    plain = name.strip().lower()
    return plain if plain in NAMES else Path(name).name.removesuffix(".safetensors")


def loaded_model(host: Host, chosen: WeightsSource | None) -> Any:
    """Load the model, once for each host: the studio model, or a player of a paper model."""
    if chosen is None:
        from loopnet_cli.synthesis import load_studio

        return host.once(STUDIO, load_studio)

    def load() -> Any:
        from loopnet_cli.synthesis.paperloop import load_player

        return load_player(chosen.name or chosen.path)

    return host.once(f"paper {chosen.path}", load)


def check_stretching(chosen: WeightsSource | None, patterns: Iterable[Pattern]) -> None:
    """Make sure that Rubber Band is there if a paper model has to play another tempo than its own.

    Raises
    ------
    MissingProgramError
        With the command that installs it.
    """
    if chosen is None:
        return
    from loopnet_cli.audio.stretch import require_rubberband
    from loopnet_cli.synthesis.paperloop import needs_stretching

    if any(needs_stretching(pattern) for pattern in patterns):
        require_rubberband()


def chosen_voices(text: str | None, option: str) -> tuple[str, ...]:
    """Read ``kick,snare``: voices or stems; none for None.

    Raises
    ------
    UsageError
        If a name is unknown, or there is none.
    """
    if text is None:
        return ()
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError(f"{option} names no voice: write e.g. {option} kick,snare")
    try:
        Pattern(()).only(names)
    except PatternError as error:
        raise UsageError(f"{option}: {error}") from error
    return names


def complete_model(incomplete: str) -> list[str]:
    """Return the models that begin as typed, for shell completion."""
    return [name for name in NAMES if name.startswith(incomplete)]
