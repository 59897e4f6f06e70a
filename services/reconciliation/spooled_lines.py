"""A statement's encoded lines in a spool: memory holds a thousand of them, however many there are."""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple, Protocol

from goodfunds.spool import Spool

_AT_ONCE: Final = 1_000
_BYTES_AT_ONCE: Final = 1 << 20
"""The first of both: a bank's texts may be long."""
_LANE: Final = Struct(">I")


class LaneLine(NamedTuple):
    """A line as the lane that its reference names is told of it; its statement's id stands for now at none.

    Encoded at once and once: a statement's lines are many, and its id is made of them.
    """

    lane: int
    event: bytes


class Digest(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes, /) -> None:
        """Go on with these bytes."""


class SpooledLines:
    """The lines of one statement, put one after another, then read from any of them on.

    They stand in the spool behind what is there already: it may have those of several statements.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._first = len(spool)
        self._count = 0
        self._waiting: list[bytes] = []
        self._bytes = 0

    def __len__(self) -> int:
        return self._count

    def put(self, lane: int, event: bytes) -> None:
        """The next line. Raises OSError where the disk takes no more."""
        self._waiting.append(_LANE.pack(lane) + event)
        self._bytes += len(event)
        if len(self._waiting) == _AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self._write()

    def end(self, digest: Digest) -> None:
        """No line follows: `digest` goes on with the lines, one after another."""
        self._write()
        for start in range(0, self._count, _AT_ONCE):
            for line in self.read(start, start + _AT_ONCE):
                digest.update(line.event)

    def read(self, start: int, stop: int) -> Iterator[LaneLine]:
        """The lines from position `start` up to `stop`, counted from 0."""
        count = min(stop, self._count) - start
        for record in self._spool.read(self._first + start, max(count, 0)):
            yield LaneLine(_LANE.unpack_from(record)[0], record[_LANE.size :])

    def _write(self) -> None:
        self._spool.write(self._waiting)
        self._count += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0
