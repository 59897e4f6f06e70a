"""The program `goodfunds`: what it is made of is imported here, so that Ctrl-C meanwhile is told, too."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from goodfunds.cli.root import root

        root()
    except KeyboardInterrupt:
        sys.exit(130)
