"""``python -m loopnet_cli.evaluation``."""

import sys

from loopnet_cli.evaluation.command import main

if __name__ == "__main__":
    sys.exit(main())
