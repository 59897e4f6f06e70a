"""The transactions of one entry: where they are very many, most lie on disk, so that reading is flat."""

import marshal
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Final, overload

from goodfunds.files.reports import EntryTransaction
from goodfunds.spool import Spool

_BLOCK: Final = 10_000
"""Transactions that memory holds, some 0.8 kB each: an entry of fewer never touches the disk."""

_values = attrgetter(*(each.name for each in fields(EntryTransaction)))


class KeptTransactions(Sequence[EntryTransaction]):
    """Transactions, appended, then read in order as often as wanted. Raises OSError where the disk is full.

    What is on disk is gone with the last who holds them.
    """

    def __init__(self, block: int = _BLOCK) -> None:
        self._block = block
        self._last: list[EntryTransaction] = []
        self._blocks: Spool | None = None

    def append(self, transaction: EntryTransaction) -> None:
        """The next one."""
        if len(self._last) == self._block:
            self._write()
        self._last.append(transaction)

    def whole(self) -> Sequence[EntryTransaction]:
        """A tuple, where they are few."""
        return tuple(self._last) if self._blocks is None else self

    def __len__(self) -> int:
        return self._written() * self._block + len(self._last)

    def __iter__(self) -> Iterator[EntryTransaction]:
        for number in range(self._written()):
            yield from self._read(number)
        yield from self._last

    @overload
    def __getitem__(self, at: int) -> EntryTransaction: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[EntryTransaction]: ...
    def __getitem__(self, at: int | slice) -> EntryTransaction | Sequence[EntryTransaction]:
        if isinstance(at, slice):
            return [self[each] for each in range(len(self))[at]]
        block, within = divmod(range(len(self))[at], self._block)
        return (self._last if block == self._written() else self._read(block))[within]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(EntryTransaction.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]  # what is appended to has none

    def _write(self) -> None:
        if self._blocks is None:
            self._blocks = Spool()
            weakref.finalize(self, self._blocks.close)
        self._blocks.write([marshal.dumps([_values(each) for each in self._last])])
        self._last = []

    def _written(self) -> int:
        return 0 if self._blocks is None else len(self._blocks)

    def _read(self, number: int) -> list[EntryTransaction]:
        assert self._blocks is not None
        (block,) = self._blocks.read(number, 1)
        found = marshal.loads(block)  # noqa: S302 - what this process wrote, in a file without a name
        return [EntryTransaction(*each) for each in found]
