"""Temporary files: for what is large, and for the records made of it on their way to many transactions."""

from array import array
from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

IN_MEMORY: Final = 1 << 20
"""Bytes that are kept in memory: most files are smaller, and need none on a disk."""
_AT_ONCE: Final = 1 << 18
_STRIDE: Final = 500
"""Where each so many-eth record begins is remembered: eight bytes for as many records."""
_LENGTH: Final = Struct(">I")


def temporary() -> BinaryIO:
    """A file without a name that is gone when it is closed; in memory while it is small, else in TMPDIR."""
    return cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY))


def digest_of(file: BinaryIO) -> bytes:
    """The SHA-256 of a file's content."""
    file.seek(0)
    digest = sha256()
    while piece := file.read(_AT_ONCE):
        digest.update(piece)
    return digest.digest()


class Spool:
    """Records that are bytes, in the order in which they were written, read from any of them on."""

    def __init__(self) -> None:
        self._file = temporary()
        self._marks = array("Q")
        self._count = self._end = 0

    def __len__(self) -> int:
        return self._count

    def write(self, records: Iterable[bytes]) -> None:
        """Put them behind those that are there: all, or none where `records` raises."""
        self._file.seek(self._end)
        marks, count, end = array("Q"), self._count, self._end
        waiting: list[bytes] = []
        size = 0
        for record in records:
            if not count % _STRIDE:
                marks.append(end + size)
            count += 1
            size += _LENGTH.size + len(record)
            waiting += (_LENGTH.pack(len(record)), record)
            if size >= _AT_ONCE:
                self._file.write(b"".join(waiting))
                end, size = end + size, 0
                waiting.clear()
        self._file.write(b"".join(waiting))
        self._marks += marks
        self._count, self._end = count, end + size

    def read(self, first: int, count: int) -> list[bytes]:
        """At most `count` of them, from number `first` on, which counts from 0."""
        last = min(first + count, self._count)
        if first >= last:
            return []
        mark, skipped = divmod(first, _STRIDE)
        begin, behind = self._marks[mark], -(-last // _STRIDE)
        end = self._marks[behind] if behind < len(self._marks) else self._end
        self._file.seek(begin)
        data = self._file.read(end - begin)
        found, at = [], 0
        for _ in range(skipped + last - first):
            size = _LENGTH.unpack_from(data, at)[0]
            at += _LENGTH.size
            found.append(data[at : at + size])
            at += size
        return found[skipped:]

    def close(self) -> None:
        """Free what it takes; nothing can be read any more."""
        self._file.close()
