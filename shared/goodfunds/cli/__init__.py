"""The command line `goodfunds`: one module a subject, each with its commands."""

from goodfunds.cli.root import main

__all__ = ["main"]
