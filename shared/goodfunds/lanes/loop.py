"""The loop of a service's lanes: a session after another, with a pause that grows while faults follow."""

import asyncio
import contextlib
import random

import structlog
from aiokafka.errors import KafkaError

from goodfunds.clock import Clock, SystemClock
from goodfunds.errors import Misconfigured, is_retriable
from goodfunds.lanes import metrics
from goodfunds.lanes.beside import Beside
from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.destinations import follow_ends
from goodfunds.lanes.fence import SQL
from goodfunds.lanes.guard import check_replication, create_lanes
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Adopt, Connection, Handler
from goodfunds.lanes.session import Session
from goodfunds.lanes.tuning import LaneSettings
from goodfunds.postgres import connect

log = structlog.get_logger(__name__)

_SHORTEST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0
_CLOSE_SECONDS = 2.0
_LEAVE_SECONDS = 5.0
_OUTBOX_EVERY_SECONDS = 3600.0

__all__ = ["LaneLoop", "LaneSettings", "close", "leave"]


class LaneLoop:
    """Works the lanes that the group gives this instance, until told to stop.

    Retriable faults (a neighbour away, a commit unanswered, a failed delivery) end the session; the next
    one takes its lanes over anew, which reads what is true. Any other fault is raised.
    """

    def __init__(
        self,
        handler: Handler,
        settings: LaneSettings,
        clock: Clock | None = None,
        adopt: Adopt | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.session: Session | None = None
        self._adopt = adopt
        self._beside = beside
        self._handler = handler
        self._settings = settings
        self._clock = clock or SystemClock()
        self._group = f"goodfunds-{handler.producer}"

    def unready(self) -> list[str]:
        """Why this instance is not ready; empty when its session runs."""
        if self.session is None:
            return ["no session with Kafka and Postgres"]
        stopped = self.session.held.stopped
        return [
            f"lane {lane} is stopped: {reason} (evidence: lane_stops in its database)"
            for lane, reason in sorted(stopped.items())
        ]

    def transactions(self) -> int:
        """How many its session has committed: whoever works beside it sees by them whether it has work."""
        return 0 if self.session is None else self.session.handling.transactions

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; the batch under way is finished, published and handed over."""
        topics = tuple(each.topic for each in self._handler.inputs)
        pause = _SHORTEST_PAUSE
        consumer: LaneConsumer | None = None
        try:
            while not stop.is_set():
                try:
                    if consumer is None:
                        await self._create_lanes(topics)
                        started = LaneConsumer(
                            self._settings.bootstrap, self._group, topics, self._settings.session_timeout
                        )
                        try:
                            await started.start()
                        except BaseException:
                            await leave(started)
                            raise
                        consumer = started
                    await self._one_session(consumer, stop)
                except Exception as fault:
                    if not is_retriable(fault):
                        raise
                    metrics.SESSIONS.labels(type(fault).__name__).inc()
                    log.warning("session ended by a fault", fault=repr(fault), pause=pause)
                    if self.session is not None and self.session.handling.transactions:
                        pause = _SHORTEST_PAUSE
                    # Jittered, so that many instances do not come back in step.
                    jittered = pause * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
                    self.session = None
                    if isinstance(fault, KafkaError) and consumer is not None:
                        # Some of its faults are for good: its tasks end, and it says the same for ever.
                        await leave(consumer)
                        consumer = None
                    await _wait(stop, jittered)
                    pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            self.session = None
            if consumer is not None:
                await leave(consumer)

    async def _create_lanes(self, topics: tuple[str, ...]) -> None:
        settings = self._settings
        if settings.replicated:
            await check_replication(settings.bootstrap, {*topics, *self._handler.outputs})
        await create_lanes(
            settings.dsn,
            settings.bootstrap,
            settings.partitions,
            topics,
            self._handler.outputs,
            range(settings.partitions),
        )

    async def _one_session(self, consumer: LaneConsumer, stop: asyncio.Event) -> None:
        settings, producer = self._settings, self._handler.producer
        connection = await connect(settings.dsn, f"goodfunds {producer} lanes", settings.statement_timeout)
        try:
            cluster = await connection.fetchrow(SQL["read_cluster"])
            if cluster is None:
                raise Misconfigured("this database has no cluster row: were the lanes created?")
            publisher = Publisher(
                settings.bootstrap, f"{producer}.{cluster['incarnation']}", settings.answer_timeout
            )
            try:
                await publisher.start()
                self.session = Session(
                    self._handler, settings, self._clock, consumer, connection, publisher,
                    cluster["incarnation"], self._adopt, self._beside,
                )  # fmt: skip
                held = self.session.held
                keeping = asyncio.create_task(self._keep_outbox(settings))
                following = asyncio.create_task(
                    follow_ends(settings.bootstrap, self._handler.outputs, held.states.values, consumer)
                )
                try:
                    await self.session.run(stop)
                finally:
                    if self._beside is not None:
                        await self._beside.end()
                    keeping.cancel()
                    following.cancel()
                    await asyncio.gather(keeping, following, return_exceptions=True)
            finally:
                await publisher.stop()
        finally:
            await close(connection)

    async def _keep_outbox(self, settings: LaneSettings) -> None:
        """Make the coming days' partitions of the outbox, drop those that are published and old."""
        while True:
            try:
                keeper = await connect(settings.dsn, f"goodfunds {self._handler.producer} outbox")
                try:
                    await keeper.execute(SQL["wait_briefly"])
                    await keeper.execute(SQL["keep_outbox"], self._clock.now().date(), settings.keep_days)
                finally:
                    await close(keeper)
            except Exception as fault:
                # Rows of a day without a partition go to the default one, so this can wait an hour.
                log.warning("outbox partitions not kept", fault=repr(fault))
            await asyncio.sleep(_OUTBOX_EVERY_SECONDS)


async def close(connection: Connection) -> None:
    """Close a connection that may be broken: politely at first, then at once."""
    try:
        await connection.close(timeout=_CLOSE_SECONDS)
    except Exception:
        connection.terminate()


async def leave(consumer: LaneConsumer) -> None:
    """Leave the group, within a bound: where the broker is away, it learns by the session's end."""
    try:
        await asyncio.wait_for(consumer.stop(), _LEAVE_SECONDS)
    except Exception as fault:
        log.warning("the group was not left", fault=repr(fault))
        with contextlib.suppress(Exception):
            await asyncio.wait_for(consumer.abandon(), _LEAVE_SECONDS)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
