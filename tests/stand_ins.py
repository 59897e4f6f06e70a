"""What stands for a service, its records and its consumer where a test hands polls to the lanes itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goodfunds.lanes import Emission, Input, Poll
from goodfunds.lanes.records import Connection


@dataclass
class Record:
    """A record of a topic that clients may write."""

    offset: int
    value: bytes | None = b"1"
    key: bytes | None = b"account"
    topic: str = "in"
    partition: int = 0
    timestamp: int = 0
    headers: Sequence[Any] = field(default_factory=list)


class Service:
    """A handler of one topic that has nothing to do; what a test is about overrides that."""

    producer = "stand-in"
    inputs = (Input("in", client_writable=True),)
    outputs = ("out",)

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        return {}

    async def due(self, *of: Any) -> Mapping[int, list[Any]]:
        return {}

    def key_of(self, record: Any) -> bytes:
        return record.key or b""

    def payment_of(self, record: Any) -> bytes | None:
        return None

    def amount_of(self, record: Any) -> None:
        return None


class Consumer:
    """All lanes are assigned."""

    topics = ()

    def seek(self, lane: int, offsets: Mapping[str, int], topics: Sequence[str]) -> bool:
        return True

    def pause(self, lane: int) -> None:
        pass
