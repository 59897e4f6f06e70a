"""What reading a file comes to: for tests that hold two ways of reading to each other."""

from collections.abc import Callable, Iterator
from io import BytesIO

from goodfunds.files.records import InvalidFile

Read = Callable[[BytesIO], Iterator[object]]


def outcome(read: Read, content: bytes) -> tuple[list[str], str]:
    """All that is read, line numbers too, and what is wrong with the rest."""
    found = []
    try:
        for record in read(BytesIO(content)):
            found.append(repr(record))
    except InvalidFile as fault:
        return found, f"{fault.message_id}: {fault.errors}"
    return found, ""
