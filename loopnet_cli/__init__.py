"""loopnet: turn a rhythm into a drum loop that repeats without a seam.

Importing the package is cheap: heavy libraries (torch, essentia, scipy) are
imported by the functions that need them.
"""

from loopnet_cli.version import __version__

__all__ = ["__version__"]
