"""A bug that a story plants in a service: it faults on all that an account is sent, until it is mended."""

from collections.abc import Collection, Mapping
from typing import Any

from goodfunds.lanes import Emission, Handler, Poll
from goodfunds.lanes.records import Connection


class PlantedBug(Exception):
    """What the bug raises: no neighbour's fault, and no broken invariant."""


class Buggy:
    """A service's handler; `accounts` are those it faults on now, of both of its instances."""

    def __init__(self, handler: Handler, accounts: Collection[bytes]) -> None:
        self._handler = handler
        self._accounts = accounts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        """As the service does, unless a record is of such an account."""
        if self._accounts:
            for record in (each for records in poll.records.values() for each in records):
                if self._handler.key_of(record) in self._accounts:
                    raise PlantedBug(f"{record.topic}/{record.partition} offset {record.offset}")
        return await self._handler.handle(connection, poll)
