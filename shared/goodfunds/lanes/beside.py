"""What people ask of a lane's owner, done between its polls, inside its own loop: so there is one writer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from goodfunds.clock import Clock
from goodfunds.errors import Fenced
from goodfunds.lanes.fence import unchanged
from goodfunds.lanes.held import HeldLanes, publish
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Connection, Emission, Handler, Sequences
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.transact import Numbering, transact

WriteBeside: TypeAlias = Callable[
    [Connection, Sequences, datetime], Awaitable[Mapping[int, Sequence[Emission]]]
]
"""Reads, decides and writes in a fenced transaction at `now`; the emissions of each lane, in order."""


class Owner:
    """A session, as work beside its polls sees it: the lanes held, their connection, one way to write."""

    def __init__(
        self,
        handler: Handler,
        held: HeldLanes,
        connection: Connection,
        publisher: Publisher,
        incarnation: str,
        partitions: int,
        bootstrap: str,
        clock: Clock,
    ) -> None:
        self.handler = handler
        self.connection = connection
        self.publisher = publisher
        self.partitions = partitions
        self.bootstrap = bootstrap
        self.clock = clock
        self._held = held
        self._incarnation = incarnation

    @property
    def states(self) -> Mapping[int, LaneState]:
        """The lanes that are held now, as last committed."""
        return self._held.states

    async def write(self, lanes: Sequence[int], write: WriteBeside, replay_id: bytes | None = None) -> bool:
        """A transaction of held lanes that reads no input of theirs; what it emits is published.

        False where another instance has taken one of them: nothing was written, and those are forgotten.
        Raises OutcomeUnknown, and whatever `write` raises (rolled back).
        """
        shares = [unchanged(self._held.states[lane]) for lane in lanes]
        now, sequences = self.clock.now(), Numbering(shares)

        async def inside(connection: Connection) -> Mapping[int, Sequence[Emission]]:
            return await write(connection, sequences, now)

        try:
            rows = await transact(
                self.connection, self._incarnation, shares, now, inside, replay_id=replay_id
            )
        except Fenced as fenced:
            self._held.fenced(fenced.lanes)
            return False
        await publish(self._held, self.publisher, self.connection, rows)
        return True


class Beside(Protocol):
    """Work of another room that the loop of the lanes gives its turns to."""

    async def turn(self, owner: Owner) -> bool:
        """Do one piece, no longer than a poll's; whether more can be done at once.

        Raises retriable faults, which end the session, and no others: none of it may stop a lane.
        """

    async def end(self) -> None:
        """The session is over; what was begun goes on in the next one, of whatever instance."""
