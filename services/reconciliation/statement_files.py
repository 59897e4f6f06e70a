"""A statement file on disk while it is read, and in parts in the database, from where it is read again."""

from collections.abc import Awaitable, Callable, Iterator
from typing import BinaryIO, Final

from goodfunds.spool import Spool, digest_of, temporary
from services.reconciliation.statement_lines import UNREADABLE, ReadStatement, read_file

PART_BYTES: Final = 4 * 1024 * 1024
"""What is held of a file in memory on its way into the database and out of it."""


class StatementFile:
    """A file's content and its statements' lines, on disk until `close` or the end of the process.

    Its content is written to `content`, then `read`. The files have no names: no other process sees them,
    and none is left behind by one that is killed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.content = temporary()
        self._spool = Spool()
        self.digest = b""
        self.statements: tuple[ReadStatement, ...] = ()
        self.problem = ""
        self._by_id: dict[bytes, ReadStatement] = {}

    def read(self, partitions: int) -> None:
        """Know its digest, and its statements or its `problem`: why nothing can be taken from it."""
        self.digest = digest_of(self.content)
        try:
            self.statements = read_file(self.content, partitions, self._spool)
        except UNREADABLE as fault:
            self.problem = str(fault)
        self._by_id = {each.statement_id: each for each in self.statements}

    def statement(self, statement_id: bytes) -> ReadStatement | None:
        """The statement of that id, once the file is read."""
        return self._by_id.get(statement_id)

    def parts(self) -> Iterator[bytes]:
        """Its content, a part at a time."""
        self.content.seek(0)
        while part := self.content.read(PART_BYTES):
            yield part

    def close(self) -> None:
        """Give back the disk."""
        self.content.close()
        self._spool.close()


async def write_parts(part_of: Callable[[int, int], Awaitable[bytes | None]], into: BinaryIO) -> None:
    """Write the parts that the database has of a file. `part_of`: by number and size."""
    number = 0
    while part := await part_of(number, PART_BYTES):
        into.write(part)
        number += 1
