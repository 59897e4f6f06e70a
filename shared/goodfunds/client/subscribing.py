"""Subscriptions: events in batches, committed as the caller finishes them, or with the caller's own data."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self

from aiokafka.errors import KafkaError

from goodfunds.client.batches import Batch, OpenBatches
from goodfunds.client.inbox import Inbox
from goodfunds.client.keepers import DatabaseKeeper, GroupKeeper, Keeper
from goodfunds.client.members import Member
from goodfunds.client.positions import Place, Position
from goodfunds.client.reading import Reader
from goodfunds.client.received import Received, receive_all
from goodfunds.client.statements import Connection, Pool
from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.events.topics import TOPICS
from goodfunds.events.types import Event
from goodfunds.lanes.loop import leave

_WAIT_SECONDS = 0.5
"""Of a poll: so long does a stop take to be noticed."""
_CLIENTS_TOPICS = frozenset(topic.name for topic in TOPICS if topic.client_writable)
_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


class Subscription:
    """Reads topics as a member of a consumer group; `async with` joins and leaves it.

    Two ways, of which one is taken:
    - `async for batch in subscription` with `await batch.commit()`: the group in Kafka keeps what was
      finished; events come at least once.
    - `async with subscription.transaction(pool) as (connection, events)`: the caller's own Postgres keeps
      it, in the transaction of what the events did there; their effects come exactly once.

    Events that a producer has published twice are dropped; where some are missing, Gap is raised, or stands
    in the batch if `gaps` is "flag". A subscription that is seen for the first time begins at the topics'
    earliest events, or behind their `latest`. `only`: the types of events wanted, all if empty. `most`:
    records of one poll; at most 16 MiB a broker are fetched ahead. `longest_idle`: seconds that a transaction
    may wait for its own code, before the server ends it so that a successor can go on. `kafka`: further
    settings of aiokafka's consumer. One task reads.
    """

    def __init__(
        self,
        topics: str | Sequence[str],
        *,
        group: str,
        bootstrap: str,
        start: Literal["earliest", "latest"] = "earliest",
        only: Collection[type[Event]] = (),
        gaps: Literal["raise", "flag"] = "raise",
        most: int = 500,
        longest_idle: float = 60.0,
        session_timeout: float = 10.0,
        kafka: Mapping[str, Any] = _NO_SETTINGS,
    ) -> None:
        self.topics = (topics,) if isinstance(topics, str) else tuple(topics)
        self.group = group
        for topic in _CLIENTS_TOPICS & set(self.topics):
            raise Misconfigured(
                f"{topic} holds what clients ask for, in any form: what became of it is on `payments`"
            )
        self._bootstrap = bootstrap
        self._latest = start == "latest"
        self._names = frozenset(event.__name__ for event in only)
        self._flag_gaps = gaps == "flag"
        self._most = most
        self._longest_idle = longest_idle
        self._session_timeout = session_timeout
        self._settings = kafka
        self._stop = asyncio.Event()
        self._member: Member | None = None
        self._reader: Reader | None = None
        self._batches = OpenBatches()
        self._inbox: Inbox | None = None

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Read nothing more: iteration ends behind the batch under way. May be a signal's handler."""
        self._stop.set()

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until `stop`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def __aenter__(self) -> Self:
        """Join the group. Raises Unavailable."""
        member = Member(self._bootstrap, self.group, self.topics, self._session_timeout, **self._settings)
        try:
            await member.start()
        except BaseException as fault:
            await leave(member)
            if isinstance(fault, (KafkaError, OSError, TimeoutError)):
                raise Unavailable(f"group {self.group} at {self._bootstrap}: {fault!r}") from fault
            raise
        self._member, self._batches = member, OpenBatches()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        member, self._member, self._reader, self._inbox = self._member, None, None, None
        if member is not None:
            await leave(member)

    async def __aiter__(self) -> AsyncIterator[Batch]:
        """Batches as they come, until `stop`.

        Raises Gap, InvariantBroken (a record that no producer of goodfunds wrote), Unreadable (an event that
        this version of the library does not know), Unavailable, KafkaError.
        """
        if self._inbox is not None:
            raise Misconfigured("this subscription's positions are in a database: go on with `transaction`")
        if self._reader is None:
            self._reader = self._reading(GroupKeeper(self._joined()))
        reader, commit = self._reader, partial(self._commit, self._reader)
        while not self.stopping:
            admitted = await reader.read(_WAIT_SECONDS)
            if not admitted:
                continue
            try:
                events = receive_all(admitted.values(), self._names)
                batch = Batch(events, admitted, self._batches, commit)
            except BaseException:
                reader.again()
                raise
            if events or batch.gaps:
                yield batch
            else:
                await batch.commit()

    async def _commit(self, reader: Reader, ready: Mapping[Place, Position]) -> None:
        if self._member is None or reader is not self._reader:
            # Of a membership that is over: the events come again.
            return
        forward = {
            place: position
            for place, position in ready.items()
            if place in reader.held and position.offset > reader.held[place].stored.offset
        }
        if forward and await self._member.commit(forward):
            for place, position in forward.items():
                if place in reader.held:
                    reader.held[place].stored = position

    @contextlib.asynccontextmanager
    async def transaction(self, pool: Pool) -> AsyncIterator[tuple[Connection, Sequence[Received]]]:
        """The next events, in a transaction that also stores that they were handled.

        Yields a connection of `pool` with that transaction open, and the events in order. Leaving the block
        commits; an exception rolls all of it back, and the events come again. `events` is empty where nothing
        came within half a second or after `stop`, or where all that came was dropped. Whoever held the
        partitions before is fenced out: of an instance that was given up for dead nothing is written.

        Raises as iteration, and OutcomeUnknown where the commit was not answered (the next transaction
        begins with what is true), PostgresError, and Gap before anything is handled: a subscription that
        flags gaps logs them here, and goes on. Needs the tables of `schema()`.
        """
        if self._inbox is None:
            if self._reader is not None:
                raise Misconfigured("this subscription's positions are in its group: go on with `async for`")
            keeper = DatabaseKeeper(pool, self.group, self._longest_idle)
            self._inbox = Inbox(self._reading(keeper), keeper)
        async with self._inbox.transaction(pool, self._names, self._stop) as found:
            yield found

    def _reading(self, keeper: Keeper) -> Reader:
        return Reader(self._joined(), keeper, self._latest, self._most, self._flag_gaps)

    def _joined(self) -> Member:
        if self._member is None:
            raise Misconfigured(
                "a Subscription joins its group by `async with`: outside of it nothing is read"
            )
        return self._member
