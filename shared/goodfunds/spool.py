"""Temporary files: for what is large, and for the records made of it on their way to many transactions."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

IN_MEMORY: Final = 1 << 20
"""Bytes that are kept in memory: most files are smaller, and need none on a disk."""
_BLOCK: Final = 1_000
_BLOCK_BYTES: Final = 1 << 18
"""A block ends with the first of both: a bank's texts may be long."""


def temporary() -> BinaryIO:
    """A file without a name that is gone when it is closed; in memory while it is small, else in TMPDIR."""
    return cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))


def digest_of(file: BinaryIO) -> bytes:
    """The SHA-256 of a file's content."""
    file.seek(0)
    digest = sha256()
    while piece := file.read(_BLOCK_BYTES):
        digest.update(piece)
    return digest.digest()


class Spool:
    """Records that are bytes, in the order in which they were written, read from any of them on.

    They lie in blocks: the lengths of its records, then the records. Memory holds where each block begins.
    """

    def __init__(self) -> None:
        self._file = temporary()
        self._firsts, self._offsets = array("Q"), array("Q")
        self._count = self._end = 0

    def __len__(self) -> int:
        return self._count

    def write(self, records: Iterable[bytes]) -> None:
        """Put them behind those that are there: all, or none where `records` or the disk raises."""
        self._file.seek(self._end)
        firsts, offsets = array("Q"), array("Q")
        count, end = self._count, self._end
        block: list[bytes] = []
        size = 0

        def write_block() -> None:
            nonlocal count, end
            firsts.append(count)
            offsets.append(end)
            end += self._file.write(b"".join((array("I", map(len, block)).tobytes(), *block)))
            count += len(block)

        for record in records:
            block.append(record)
            size += len(record)
            if len(block) == _BLOCK or size >= _BLOCK_BYTES:
                write_block()
                block, size = [], 0
        if block:
            write_block()
        self._firsts += firsts
        self._offsets += offsets
        self._count, self._end = count, end

    def read(self, first: int, count: int) -> list[bytes]:
        """At most `count` of them, from number `first` on, which counts from 0."""
        last = min(first + count, self._count)
        if first >= last:
            return []
        found: list[bytes] = []
        block = skipped = bisect_right(self._firsts, first) - 1
        while block < len(self._firsts) and self._firsts[block] < last:
            found += self._block(block)
            block += 1
        begin = first - self._firsts[skipped]
        return found[begin : begin + last - first]

    def clear(self) -> None:
        """Forget all records."""
        self._file.truncate(0)
        self._firsts, self._offsets = array("Q"), array("Q")
        self._count = self._end = 0

    def close(self) -> None:
        """Free what it takes; nothing can be read any more."""
        self._file.close()

    def _block(self, number: int) -> list[bytes]:
        following = self._firsts[number + 1] if number + 1 < len(self._firsts) else self._count
        lengths = array("I")
        self._file.seek(self._offsets[number])
        lengths.frombytes(self._file.read((following - self._firsts[number]) * lengths.itemsize))
        data, at, found = self._file.read(sum(lengths)), 0, []
        for length in lengths:
            found.append(data[at : at + length])
            at += length
        return found
