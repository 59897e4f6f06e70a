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
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import Counter, Gauge

from services.reconciliation.totals import (
    Book,
    Schemas,
    TotalKey,
    Unreadable,
    from_total_event,
    money,
    origin,
    record_key,
    total_event,
)

log = structlog.get_logger(__name__)

READ = ("payments", "settlement-notifications")
WRITTEN = "control-totals"
GROUP = "goodfunds-control-totals"

_BATCH = 1_000
_SECONDS = 1.0
_AGAIN_SECONDS = 3600.0
# Every total is published again each hour, so the last two hours of a partition hold them all.
_RESTORE_MS = 2 * 3600 * 1000
_PAUSE = 1.0

EVENTS = Counter("goodfunds_control_totals_events_total", "Events that the second reader counted", ["topic"])
REPEATS = Counter("goodfunds_control_totals_repeats_total", "Events that it had counted before", ["topic"])
UNREADABLE = Counter("goodfunds_control_totals_unreadable_total", "Events that it could not read", ["topic"])
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
            broker_max_poll_records=_BATCH,
            producer_acks=-1,
            # Totals are small; faust's default of a session of 60 s would leave a partition unread for long.
            broker_session_timeout=15.0,
            broker_heartbeat_interval=3.0,
        )
        source = app.topic(*READ, key_type=bytes, value_type=bytes, internal=True)
        target = app.topic(WRITTEN, key_type=bytes, value_type=bytes, internal=True)

        async def count(stream: Any) -> None:
            async for events in self._batches(stream.noack()):
                await self._take(events, target)
                for event in events:
                    await stream.ack(event)

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

    async def _batches(self, stream: Any) -> AsyncIterator[Sequence[Any]]:
        async for events in stream.noack_take(_BATCH, within=_SECONDS):
            yield events

    async def _take(self, events: Sequence[Any], target: Any) -> None:
        # A rebalance while one partition is restored may take another away again: all or none are counted on.
        while lacking := {event.message.partition for event in events} - self._ready:
            for partition in lacking:
                await self._restore(partition)
        for event in events:
            message = event.message
            try:
                producer, lane, seq = origin(dict(message.headers or ()))
                event_type, fields = self._schemas.decode(bytes(message.value or b""))
                amount, currency = money(fields)
            except Unreadable as fault:
                UNREADABLE.labels(message.topic).inc()
                log.warning(
                    "event not counted", topic=message.topic, partition=message.partition,
                    offset=message.offset, fault=str(fault),
                )  # fmt: skip
                continue
            key = TotalKey(message.topic, message.partition, producer, lane, event_type, currency)
            new = self._book.add(key, seq, message.offset, amount)
            (EVENTS if new else REPEATS).labels(message.topic).inc()
        await self._publish(target)

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
            place = TopicPartition(WRITTEN, partition)
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
            )
            await consumer.start()
            try:
                consumer.assign([place])
                end = (await consumer.end_offsets([place]))[place]
                await _seek_to_last_hours(consumer, place, end)
                while await consumer.position(place) < end:
                    for record in (await consumer.getmany(place, timeout_ms=500)).get(place, ()):
                        self._restore_record(record)
            finally:
                await consumer.stop()
            # Each restart publishes anew what it went on from, so that restarts within the hour lose nothing.
            self._book.touch(partition)
            self._ready.add(partition)

    def _restore_record(self, record: Any) -> None:
        try:
            event_type, fields = self._schemas.decode(bytes(record.value or b""))
        except Unreadable:
            return
        if event_type == "ControlTotal" and fields["total_partition"] == record.partition:
            self._book.restore(*from_total_event(fields))


async def _seek_to_last_hours(consumer: Any, place: Any, end: int) -> None:
    begin = (await consumer.beginning_offsets([place]))[place]
    if begin >= end:
        consumer.seek(place, end)
        return
    consumer.seek(place, end - 1)
    newest: Sequence[Any] = ()
    while not newest and await consumer.position(place) < end:
        newest = (await consumer.getmany(place, timeout_ms=500)).get(place, ())
    if not newest:
        consumer.seek(place, begin)
        return
    found = await consumer.offsets_for_times({place: max(newest[-1].timestamp - _RESTORE_MS, 0)})
    consumer.seek(place, found[place].offset if found[place] else begin)
