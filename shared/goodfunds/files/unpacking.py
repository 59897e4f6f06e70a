"""Files that gzip has compressed, unpacked as they are read: what makes too much of too little is refused."""

import gzip
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from goodfunds.files.decoding import refusal

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC: Final = b"\x1f\x8b"
"""RFC 1952 section 2.3.1."""
FREE_BYTES: Final = 1 << 24
"""Unpacked bytes that any file may have."""
MOST_TIMES: Final = 200
"""How many times its own size a larger one may have: entries of a bank take a tenth to a hundredth."""


def unpacked(source: BinaryIO) -> BinaryIO:
    """The file, or what is compressed in it; it can be sought in as `source` can.

    Reading raises InvalidFile for a file that is far larger than it should be, and for what gzip has not made
    EOFError, gzip.BadGzipFile or zlib.error.
    """
    magic = source.read(len(MAGIC))
    source.seek(0)
    return cast(BinaryIO, BufferedReader(_Unpacked(source))) if magic == MAGIC else source


class _Unpacked(RawIOBase):
    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._file = gzip.GzipFile(fileobj=source)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        count = self._file.readinto(buffer)
        made, read = self._file.tell(), self._source.tell()
        if made > FREE_BYTES and made > MOST_TIMES * read:
            raise refusal(0, f"{read} compressed bytes make over {MOST_TIMES} times as many: no bank file")
        return count
