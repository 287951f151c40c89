"""``python -m loopnet_cli`` is the same as ``loopnet``."""

from loopnet_cli.cli.app import main

if __name__ == "__main__":
    main()
