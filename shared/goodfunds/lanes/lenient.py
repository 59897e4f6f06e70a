"""Records as any client may write them: a header's name that is no UTF-8 stops nobody.

The protocol asks for UTF-8 and the broker does not look. aiokafka takes header names apart strictly and then
raises for everything fetched, so that one such record would hold up its partition for ever, and with it
whoever looks for his own events there. Here the name's odd bytes become U+FFFD; the record is read.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = Struct(">8xi")
"""After its base offset a batch says how many bytes follow, in every version of the format."""


def read_leniently() -> None:
    """Have this process' consumers read like this. May be called often."""
    # The client has no setting for it, and makes its fetcher itself.
    fetcher.MemoryRecords = LenientRecords


class LenientRecords:
    """A fetched partition's batches, as the client's own class gives them."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._records = MemoryRecords(data)
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes

    def next_batch(self) -> "_Batch":
        """The next batch, whole."""
        (length,) = _LENGTH.unpack_from(self._data)
        raw, self._data = self._data[: _LENGTH.size + length], self._data[_LENGTH.size + length :]
        return _Batch(self._records.next_batch(), raw)


class _Batch:
    """The client's fast batch, and the slow one where that gives up."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except (UnicodeDecodeError, CorruptRecordException):
            # From its beginning: the client passes over the offsets that it has.
            yield from _LenientBatch(self._raw)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """The client's own reader in Python, over bytes that decode whatever they are."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer: bytearray = _Buffer(self._buffer)


class _Buffer(bytearray):
    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Slice(found) if isinstance(place, slice) else found


class _Slice(bytearray):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
