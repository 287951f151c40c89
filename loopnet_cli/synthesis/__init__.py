"""The studio model: controls in, loop out. Attributes load their module when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loopnet_cli.synthesis.studio import StudioModel, load_studio

__all__ = ["StudioModel", "load_studio"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from loopnet_cli.synthesis import studio

        return getattr(studio, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
