"""``loopnet models``: what comes with the package, and the card of each."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from loopnet_cli.synthesis.models import KNOWN, ModelInfo, bundled_model, bundled_models

app = typer.Typer(help="List the models and show their cards.", invoke_without_command=True)
_AS_JSON = typer.Option("--json", help="Print JSON.")


def _complete(incomplete: str) -> list[str]:
    return [name for name in KNOWN if name.startswith(incomplete)]


@app.callback()
def models(context: typer.Context) -> None:
    """List the models and show their cards."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
def list_models(as_json: Annotated[bool, _AS_JSON] = False) -> None:
    """List all models with size, parameters, checksum, rate, length and tempo, and a line on what they do."""
    found = bundled_models()
    if as_json:
        print(json.dumps([model.to_dict() for model in found]))
        return
    heads = ("model", "size", "parameters", "sha-256", "rate", "length", "tempo", "what it does")
    rows = [heads, *(_row(model) for model in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The model's name.", autocompletion=_complete)],
    as_json: Annotated[bool, _AS_JSON] = False,
) -> None:
    """Show a model: what the list has, and its card."""
    model = bundled_model(name)
    card = "" if model.card is None else model.card.read_text(encoding="utf-8")
    if as_json:
        print(json.dumps({**model.to_dict(), "card_text": card}))
        return
    print(f"{model.name}: {model.description}\n")
    facts = dict(zip(("size", "parameters", "sha-256", "rate", "length", "tempo"), _row(model)[1:-1], strict=True))
    facts["sha-256"] = model.sha256
    for label, value in {**facts, **{k: v for k, v in model.metadata.items() if k != "model"}}.items():
        print(f"{label:<11} {value}")
    if not card:
        return
    print()
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(card))
    else:
        print(card.rstrip("\n"))


def _row(model: ModelInfo) -> tuple[str, ...]:
    return (
        model.name,
        f"{model.bytes / 1e6:.1f} MB",
        f"{model.parameters / 1e6:.2f} M",
        model.sha256[:12],
        f"{model.sample_rate / 1000:g} kHz",
        model.length,
        model.tempo,
        model.description,
    )
