"""``python -m node`` is the command ``zongheng``."""

from node.cli.app import main

if __name__ == "__main__":
    main()
