"""The lanes that a session holds, those that are stopped, and those it leaves alone for a moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from goodfunds.errors import InvariantBroken
from goodfunds.lanes import metrics
from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.evidence import Evidence
from goodfunds.lanes.frame import OutboxRow
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Connection, Record
from goodfunds.lanes.state import LaneState, readable
from goodfunds.lanes.takeover import stop_lane

log = structlog.get_logger(__name__)

PassOver = Callable[[int, str, int], Awaitable[None]]
"""Takes a lane, a topic of it, and the offset of its next record."""

_LEAVE_SECONDS = 15.0
_WAIT_SECONDS = 1.0


class HeldLanes:
    """State by lane. A lane is held, stopped, or cooling after a fence; its partitions follow."""

    def __init__(self, consumer: LaneConsumer) -> None:
        self.states: dict[int, LaneState] = {}
        self.stopped: dict[int, str] = {}
        self._catching_up: dict[int, int] = {}
        self._consumer = consumer
        self._now = asyncio.get_running_loop().time
        self._not_before: dict[int, float] = {}

    def hold(self, state: LaneState) -> bool:
        """Hold a lane and read it from its offsets; False where the group has given it away since."""
        topics = readable(state, self._consumer.topics)
        if not self._consumer.seek(state.lane, state.offsets, topics):
            self.forget(state.lane)
            return False
        self.states[state.lane] = state
        self._catching_up.pop(state.lane, None)
        if len(topics) < len(self._consumer.topics):
            self._catching_up[state.lane] = len(topics)
        metrics.HELD.set(len(self.states))
        return True

    def forget(self, lane: int) -> None:
        """Hold a lane no longer."""
        self.states.pop(lane, None)
        self._catching_up.pop(lane, None)
        self._consumer.pause(lane)
        metrics.HELD.set(len(self.states))

    async def read_on(self, pass_over: PassOver) -> None:
        """Read the next input of lanes that have caught up with the one before, after a restore.

        `pass_over` writes how far that was read, and may lose the lane.
        """
        for lane, count in list(self._catching_up.items()):
            state, topic = self.states[lane], self._consumer.topics[count - 1]
            # Markers of clients' transactions are offsets that nobody handles.
            offset = await self._consumer.passed(lane, topic, state.offsets[topic])
            if offset >= state.catch_up.get(topic, 0):
                await pass_over(lane, topic, offset)
                if self.states.get(lane) is state:
                    state.catch_up.pop(topic, None)
                    self.hold(state)

    def fenced(self, lanes: Iterable[int]) -> None:
        """Forget lanes that another instance took; if they are still assigned, take them again later."""
        for lane in lanes:
            metrics.FENCED.inc()
            self.forget(lane)
            # Jittered, so that two that both believe in a lane do not take it from each other for ever.
            self._not_before[lane] = self._now() + random.uniform(0.2, 1.0)  # noqa: S311 - not a secret

    def leave(self, lane: int) -> None:
        """Leave a lane that cannot be taken for a while, so that the others are worked."""
        # An earlier session may have read from it: nothing is fetched for nobody.
        self.forget(lane)
        self._not_before[lane] = self._now() + _LEAVE_SECONDS

    def wait(self, lane: int) -> None:
        """Let a lane stand whose turn has not come, and take it again in a moment."""
        self.forget(lane)
        self._not_before[lane] = self._now() + _WAIT_SECONDS

    def missing(self, assigned: set[int]) -> set[int]:
        """The assigned lanes that should be taken over now."""
        cooling = {lane for lane, until in self._not_before.items() if until > self._now()}
        return assigned - self.states.keys() - self.stopped.keys() - cooling

    async def stop(
        self,
        connection: Connection,
        lane: int,
        epoch: int,
        reason: str,
        fault: BaseException | None = None,
        records: Sequence[Record] = (),
        work: Sequence[object] = (),
    ) -> None:
        """Stop a lane durably; one that is not ours is fenced: what we held against it may be untrue.

        `records` and `work` were being handled, and `fault` came of them: they are the evidence.
        """
        evidence = Evidence(fault, records, work, self.states.get(lane))
        if await stop_lane(connection, lane, epoch, reason, evidence):
            self.note_stopped(lane, reason)
        else:
            self.fenced([lane])

    def note_stopped(self, lane: int, reason: str) -> None:
        """Leave a stopped lane alone, loudly."""
        log.error("lane stopped", lane=lane, reason=reason)
        self.forget(lane)
        self.stopped[lane] = reason
        metrics.STOPPED.set(len(self.stopped))

    def resume(self, lanes: Iterable[int]) -> None:
        """A person has set stopped lanes free."""
        for lane in lanes:
            self.stopped.pop(lane, None)
        metrics.STOPPED.set(len(self.stopped))


async def publish(
    held: HeldLanes, publisher: Publisher, connection: Connection, rows: Sequence[OutboxRow]
) -> None:
    """Hand committed rows to the publisher; a lane whose rows do not follow each other stops."""
    for row in rows:
        state = held.states[row.lane]
        try:
            publisher.publish(state, [row])
        except InvariantBroken as broken:
            await held.stop(connection, row.lane, state.epoch, str(broken), broken)
