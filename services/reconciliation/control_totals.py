"""Control totals: a faust-streaming reader of the topics that shares no code with the lanes.

Its state is what it published: `control-totals` holds the latest of every total, written with acks before the
events behind it are acknowledged, so a crash between the two repeats events that the totals' own last seq
drops. A faust table would keep the same twice, in a changelog of its own that need not agree with what others
were told, and writes an entry an event where this writes one a second.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import faust
import structlog
from aiokafka import AIOKafkaConsumer
from prometheus_client import Counter, Gauge

from services.reconciliation.counted_polls import CountedPoll, PollReader, events
from services.reconciliation.last_published import last_published
from services.reconciliation.totals import (
    Book,
    Schemas,
    TotalKey,
    Unreadable,
    from_total_event,
    record_key,
    total_event,
)
from services.reconciliation.whole_polls import of_whole_polls

log = structlog.get_logger(__name__)

READ = ("payments", "settlement-notifications")
WRITTEN = "control-totals"
GROUP = "goodfunds-control-totals"

_RECORDS = 5_000
_FETCHED = 1 << 18
"""Bytes of a partition that are fetched at once; a larger record comes all the same (KIP-74)."""
_POLLS = 100
_SECONDS = 1.0
_AGAIN_SECONDS = 3600.0
_PAUSE = 1.0

EVENTS = Counter("goodfunds_control_totals_events_total", "Events that the second reader counted", ["topic"])
REPEATS = Counter("goodfunds_control_totals_repeats_total", "Events that it had counted before", ["topic"])
TOTALS = Gauge("goodfunds_control_totals_kept", "Totals kept in memory")


class ControlTotals:
    """The second reader as a part of a process: `run` until stopped."""

    def __init__(self, bootstrap: str, schemas: Schemas, service: str = "reconciliation") -> None:
        self.faults: list[str] = ["not started"]
        self._bootstrap = bootstrap
        self._schemas = schemas
        self._service = service
        self._book = Book()
        self._restored: dict[int, asyncio.Lock] = {}
        self._ready: set[int] = set()
        self._published_all = time.monotonic()

    def unready(self) -> list[str]:
        """Why the reader is not counting; empty when it is."""
        return self.faults

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set. Raises what the faust application crashed with."""
        await self._topics_exist(stop)
        if stop.is_set():
            return
        app = self._application()
        await app.start()
        self.faults = []
        crashed = asyncio.ensure_future(app.wait_until_stopped())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({crashed, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if app.crash_reason is not None:
                raise app.crash_reason
        finally:
            self.faults = ["stopped"]
            stopping.cancel()
            await app.stop()
            crashed.cancel()

    async def _topics_exist(self, stop: asyncio.Event) -> None:
        """Wait for the topics: faust ignores those that appear after it started."""
        while not stop.is_set():
            consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
            try:
                await consumer.start()
                missing = {*READ, WRITTEN} - await consumer.topics()
                if not missing:
                    return
                self.faults = [f"topics are missing: {', '.join(sorted(missing))}"]
            except OSError as fault:
                self.faults = [f"Kafka is away: {fault}"]
            finally:
                await consumer.stop()
            await asyncio.wait({asyncio.ensure_future(stop.wait())}, timeout=_PAUSE)

    def _application(self) -> Any:
        app = faust.App(
            GROUP,
            broker="kafka://" + self._bootstrap.replace(",", ";kafka://"),
            value_serializer="raw",
            key_serializer="raw",
            web_enabled=False,
            # Nothing of worth is kept in it: the state stands in the control-totals topic.
            datadir=str(Path(gettempdir()) / GROUP),
            topic_allow_declare=False,
            topic_disable_leader=True,
            consumer_auto_offset_reset="earliest",
            broker_max_poll_records=_RECORDS,
            consumer_max_fetch_size=_FETCHED,
            producer_acks=-1,
            # Totals are small; faust's default of a session of 60 s would leave a partition unread for long.
            broker_session_timeout=15.0,
            broker_heartbeat_interval=3.0,
        )
        source = of_whole_polls(app, PollReader(self._schemas), *READ)
        target = app.topic(WRITTEN, key_type=bytes, value_type=bytes, internal=True)

        async def count(stream: Any) -> None:
            async for polls in self._polls(stream.noack()):
                await self._take(polls, target)
                for poll in polls:
                    await stream.ack(poll)

        app.agent(source)(count)

        @app.timer(interval=60.0)  # type: ignore[untyped-decorator]
        async def again() -> None:
            if time.monotonic() - self._published_all >= _AGAIN_SECONDS:
                self._book.touch_all()
                await self._publish(target)
                self._published_all = time.monotonic()

        async def rebalanced(_app: Any, partitions: Any, **_named: Any) -> None:
            # What was taken away may come back after another counted on: it is restored anew then.
            self._forget({each.partition for each in partitions})

        # The protocol names a keyword that a receiver may take among others.
        app.on_partitions_revoked.connect(rebalanced, weak=False)  # type: ignore[arg-type]
        app.on_partitions_assigned.connect(rebalanced, weak=False)  # type: ignore[arg-type]
        return app

    def _forget(self, partitions: set[int]) -> None:
        self._ready -= partitions
        self._book.forget(partitions)

    async def _polls(self, stream: Any) -> AsyncIterator[Sequence[Any]]:
        async for polls in stream.noack_take(_POLLS, within=_SECONDS):
            yield polls

    async def _take(self, polls: Sequence[Any], target: Any) -> None:
        # A rebalance while one partition is restored may take another away again: all or none are counted on.
        while lacking := {poll.message.partition for poll in polls} - self._ready:
            for partition in lacking:
                await self._restore(partition)
        for poll in polls:
            self._count(poll.message.topic, poll.message.partition, poll.value)
        await self._publish(target)

    def _count(self, topic: str, partition: int, poll: CountedPoll) -> None:
        new = repeats = 0
        for kind, numbers in poll.items():
            key = TotalKey(topic, partition, *kind)
            for seq, offset, amount in events(numbers):
                if self._book.add(key, seq, offset, amount):
                    new += 1
                else:
                    repeats += 1
        EVENTS.labels(topic).inc(new)
        REPEATS.labels(topic).inc(repeats)

    async def _publish(self, target: Any) -> None:
        """Publish what moved and wait until the broker has it; tried again until it does."""
        TOTALS.set(len(self._book.totals))
        # As they are now: a rebalance during the sending may take them away.
        now = int(time.time() * 1_000_000)
        keys = self._book.moved()
        records = [
            (key, self._schemas.encode("ControlTotal", total_event(key, total, self._service, now)))
            for key, total in ((key, self._book.totals[key]) for key in keys)
        ]
        while keys:
            try:
                sent = [
                    await target.send(key=record_key(key), value=value, partition=key.partition)
                    for key, value in records
                ]
                await asyncio.gather(*sent)
            except (TimeoutError, OSError, faust.exceptions.ProducerSendError) as fault:
                log.warning("control totals not published", fault=repr(fault))
                await asyncio.sleep(_PAUSE)
                continue
            self._book.published(keys)
            return

    async def _restore(self, partition: int) -> None:
        """Read the last published totals of a partition, once while it is ours."""
        async with self._restored.setdefault(partition, asyncio.Lock()):
            if partition in self._ready:
                return
            for value in await last_published(self._bootstrap, WRITTEN, partition):
                self._restore_total(partition, value)
            # Each restart publishes anew what it went on from, so that restarts within the hour lose nothing.
            self._book.touch(partition)
            self._ready.add(partition)

    def _restore_total(self, partition: int, value: bytes) -> None:
        try:
            event_type, fields = self._schemas.decode(value)
        except Unreadable:
            return
        if event_type == "ControlTotal" and fields["total_partition"] == partition:
            self._book.restore(*from_total_event(fields))
