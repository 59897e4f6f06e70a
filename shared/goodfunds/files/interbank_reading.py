"""Reads messages between banks: those that move money strictly, those about them leniently; streamed."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from goodfunds.files.interbank import InterbankEnd
from goodfunds.files.kinds import MessageKind
from goodfunds.files.leaves import Leaves
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.told_totals import Counted, Told
from goodfunds.files.walking import Walk
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

Record = TypeVar("Record")
Mapping = Callable[[str, Leaves, str], Record | None]
"""Makes the record of a part by its name, its leaves and the message's name. Raises Unsound."""


def read_strictly(
    source: BinaryIO, kind: MessageKind, mapping: Mapping[Record], money: Callable[[Record], tuple[int, str]]
) -> Iterator[Record]:
    """The records as they come. Raises InvalidFile where the message breaks the standard, perhaps late:

    what came before stands in a message that is refused. `money`: (minor, currency) of an entry.
    """
    told: list[Told] = []

    def make(name: str, found: Leaves) -> object:
        if name == "GrpHdr":
            told.append(Told(found, kind.total))
        return mapping(name, found, walk.name)

    walk = Walk(source, kind, make)
    counted = Counted()
    for met in walk:
        if walk.definition is None:
            why = f"{walk.name} has no namespace, or one of which nothing is known"
            raise InvalidFile([FileError(INVALID_FILE_FORMAT, 1, "", why)])
        if walk.errors:
            break
        record: Record | None = met.record  # type: ignore[assignment]  # made by the mapping, above
        if record is None:
            continue
        if met.name == kind.entry:
            counted.add(money(record))
        yield record
    errors = walk.errors or [error for each in told for error in each.differences("GrpHdr", counted)]
    if errors:
        raise InvalidFile(errors, walk.message_id)


def read_leniently(
    source: BinaryIO, kind: MessageKind, mapping: Mapping[Record]
) -> Iterator[Record | InterbankEnd]:
    """The records as they come, then InterbankEnd with what breaks the standard.

    Raises InvalidFile, perhaps late, for what is no message of the kind.
    """
    walk = Walk(source, kind, lambda name, found: mapping(name, found, walk.name))
    entries = 0
    for met in walk:
        entries += met.name == kind.entry
        if met.record is not None:
            yield met.record  # type: ignore[misc]  # made by the mapping, above
    yield InterbankEnd(entries, tuple(walk.errors))
