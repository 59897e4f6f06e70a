"""A statement's encoded lines on disk: memory holds a block of them, however many there are."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, Final, NamedTuple, Protocol

_BLOCK_LINES: Final = 1_000
_BLOCK_BYTES: Final = 1 << 20
"""A block ends with the first of both: a bank's texts may be long."""


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

    They lie in `file` from its present end on, which is its owner's to close; several statements' may lie in
    one. A block is the lanes of its lines, their lengths, and the lines themselves.
    """

    def __init__(self, file: BinaryIO, block: int = _BLOCK_LINES) -> None:
        self._file = file
        self._block = block
        self._firsts = array("Q")
        self._offsets = array("Q")
        self._count = 0
        self._begin()

    def __len__(self) -> int:
        return self._count

    def put(self, lane: int, event: bytes) -> None:
        """The next line. Raises OSError where the disk takes no more."""
        self._lanes.append(lane)
        self._events.append(event)
        self._bytes += len(event)
        if len(self._events) == self._block or self._bytes >= _BLOCK_BYTES:
            self._write()

    def end(self, digest: Digest) -> None:
        """No line follows: `digest` goes on with the lines, one after another."""
        self._write()
        for block in range(len(self._offsets)):
            digest.update(self._read(block)[2])

    def read(self, start: int, stop: int) -> Iterator[LaneLine]:
        """The lines from position `start` up to `stop`, counted from 0."""
        if start >= min(stop, self._count):
            return
        block = bisect_right(self._firsts, start) - 1
        wanted = stop - start
        skip = start - self._firsts[block]
        while wanted > 0 and block < len(self._offsets):
            for line in islice(self._lines(block), skip, skip + wanted):
                yield line
                wanted -= 1
            block, skip = block + 1, 0

    def _begin(self) -> None:
        self._lanes = array("I")
        self._events: list[bytes] = []
        self._bytes = 0

    def _write(self) -> None:
        if self._events:
            self._firsts.append(self._count)
            self._offsets.append(self._file.seek(0, 2))
            self._count += len(self._events)
            lengths = array("I", map(len, self._events))
            self._file.write(b"".join((self._lanes.tobytes(), lengths.tobytes(), *self._events)))
            self._begin()

    def _read(self, block: int) -> tuple["array[int]", "array[int]", bytes]:
        """Lanes, lengths, lines."""
        following = self._firsts[block + 1] if block + 1 < len(self._firsts) else self._count
        lines = following - self._firsts[block]
        lanes, lengths = array("I"), array("I")
        self._file.seek(self._offsets[block])
        lanes.frombytes(self._file.read(lines * lanes.itemsize))
        lengths.frombytes(self._file.read(lines * lengths.itemsize))
        return lanes, lengths, self._file.read(sum(lengths))

    def _lines(self, block: int) -> Iterator[LaneLine]:
        lanes, lengths, events = self._read(block)
        at = 0
        for lane, length in zip(lanes, lengths, strict=True):
            yield LaneLine(lane, events[at : at + length])
            at += length
