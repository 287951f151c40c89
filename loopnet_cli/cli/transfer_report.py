"""What ``loopnet transfer`` tells of a loop: what is stored in the file, the JSON, the picture."""

from __future__ import annotations

from typing import Any

from loopnet_cli.cli.pairs import Made, Order, kit_shown
from loopnet_cli.cli.sources import Kind
from loopnet_cli.cli.workshop import Rhythm, Timbre, Wishes, counts
from loopnet_cli.pattern.model import Pattern
from loopnet_cli.synthesis.bank import DEFAULT_KIT


def settings(rhythm: Rhythm, timbre: Timbre, order: Order, wishes: Wishes) -> dict[str, Any]:
    """Return what was done, as plain values to be stored with the loop: names without folders."""
    return {"rhythm": rhythm.source.name, "timbre": timbre.source.name, **_order(rhythm, order, wishes)}


def heard(rhythm: Rhythm, timbre: Timbre, order: Order, wishes: Wishes) -> dict[str, Any]:
    """Return what was done and what was heard, as plain values for ``--json``."""
    is_kit = timbre.source.kind is Kind.KIT
    return {
        "rhythm": {
            "file": rhythm.source.label,
            "kind": rhythm.source.kind.value,
            "method": rhythm.method,
            **_facts(rhythm.original, rhythm.heard),
        },
        "timbre": {
            "file": None if is_kit else timbre.source.label,
            "kind": timbre.source.kind.value,
            "kit": timbre.sound.kit.name,
            "method": None if timbre.heard is None else timbre.heard.section.method,
            **_facts(None if timbre.heard is None else timbre.heard.pattern, timbre.heard),
        },
        **_order(rhythm, order, wishes),
    }


def picture(rhythm: Rhythm, timbre: Timbre, made: Made, model: Any) -> bytes:
    """Draw rhythm, sound and result one above another."""
    from loopnet_cli.plotting_transfer import Part, plot_transfer

    parts = []
    for what, source, found, pattern in (
        ("rhythm", rhythm.source, rhythm.heard, rhythm.original),
        ("sound", timbre.source, timbre.heard, kit_shown(model)),
    ):
        if found is not None:
            title = f"{what}: {source.name}, {_told(found.pattern)}, heard"
            curves = found.transcription.activations
            parts.append(Part(title, found.pattern, found.audio, found.sample_rate, curves))
        elif source.kind is Kind.KIT:
            shown = model.render(pattern, kit=source.kit)
            parts.append(Part(f"{what}: kit {source.name}, each voice once", pattern, shown.audio, shown.sample_rate))
        else:
            parts.append(Part(f"{what}: {source.name}, {_told(pattern)}, as written", pattern))
    loop = made.loop
    both = f"{rhythm.source.name} in the sound of {timbre.source.name}"
    title = f"result: {both}, {_told(made.pattern)}, seed {loop.seed}"
    parts.append(Part(title, made.pattern, loop.audio, loop.sample_rate))
    return plot_transfer(parts)


def _order(rhythm: Rhythm, order: Order, wishes: Wishes) -> dict[str, Any]:
    own = None
    if order.amount < 1:
        default = DEFAULT_KIT if rhythm.heard is None else rhythm.source.name
        own = default if order.own_kit is None else order.own_kit.name
    grid = None if wishes.quantize is None else dict(zip(("steps", "strength", "swing"), wishes.quantize, strict=True))
    return {
        "amount": order.amount,
        "own": own,
        "only": list(order.only) or None,
        "quantize": grid,
        "chroma_from": None if order.chroma_from is None else order.chroma_from.name,
    }


def _facts(pattern: Pattern | None, found: Any) -> dict[str, Any]:
    """Return what was found in a source: nothing in a kit, no place in what is no recording."""
    section = None if found is None else found.section
    return {
        "bpm": None if pattern is None else round(pattern.tempo, 4),
        "bars": None if pattern is None else pattern.bars,
        "meter": None if pattern is None else f"{pattern.meter[0]}/{pattern.meter[1]}",
        "confidence": None if section is None else round(section.confidence, 3),
        "start": None if section is None else round(section.start, 6),
        "end": None if section is None else round(section.end, 6),
        "hits": None if pattern is None else counts(pattern),
    }


def _told(pattern: Pattern) -> str:
    bars = "1 bar" if pattern.bars == 1 else f"{pattern.bars} bars"
    return f"{bars} of {pattern.meter[0]}/{pattern.meter[1]} at {pattern.tempo:.2f} BPM, {len(pattern.hits)} hits"
