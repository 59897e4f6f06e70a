"""Rows counted: what a statement says that it wrote is what its caller sent."""

from goodfunds.errors import InvariantBroken


def all_written(status: str, sent: int, what: str) -> None:
    """Compare a statement's answer, such as `UPDATE 3`, with the rows sent. Raises InvariantBroken.

    An owner's rows are his alone: one that is not there, or not as he remembers it, is no race.
    """
    written = int(status.rsplit(" ", 1)[-1])
    if written != sent:
        raise InvariantBroken(f"{written} of {sent} {what} were written")
