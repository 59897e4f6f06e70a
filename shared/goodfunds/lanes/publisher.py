"""Publishing after the commit, from memory: a partition's next batch only after the last one's answer."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from aiokafka import AIOKafkaProducer

from goodfunds.errors import DeliveryFailed, InvariantBroken
from goodfunds.lanes import metrics
from goodfunds.lanes.frame import NumberedEvent, OutboxRow, unpack
from goodfunds.lanes.headers import Stamp
from goodfunds.lanes.state import LaneState

_BATCH_BYTES = 900_000
_MOST_BYTES = 64 * 1024 * 1024
"""Of frames in memory: events may have a megabyte each."""
_STOP_SECONDS = 5.0


@dataclass(slots=True)
class _Delivery:
    """An outbox row on its way; `open` partitions have not acknowledged all of it yet."""

    row: OutboxRow
    state: LaneState
    committed: float
    open: int = 0


@dataclass(slots=True)
class _Queue:
    """What waits for one partition, in the order of its seq."""

    topic: str
    partition: int
    waiting: deque[tuple[_Delivery, list[NumberedEvent]]] = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None


class Publisher:
    """One idempotent producer for the lanes of one session. Any failed delivery ends it for all.

    After a failure `fault` is set and nothing newer is handed over: the session ends, its lanes are taken
    over anew, and the tail is published before anything else.
    """

    def __init__(self, bootstrap: str, producer: str, answer_timeout: float) -> None:
        self.fault: BaseException | None = None
        self.in_flight = 0
        self._bytes = 0
        self._answer_timeout = answer_timeout
        self._stamp = Stamp(producer)
        self._queues: dict[tuple[str, int], _Queue] = {}
        self._unfinished: dict[int, deque[_Delivery]] = {}
        self._progress = asyncio.Event()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            client_id=producer,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=4 * 1024 * 1024,
            request_timeout_ms=15_000,
        )

    async def start(self) -> None:
        """Connect. Raises KafkaError, OSError."""
        await self._producer.start()

    async def stop(self) -> None:
        """End the producer; what it still holds is in the outbox and is published after a takeover."""
        for queue in self._queues.values():
            if queue.task is not None:
                queue.task.cancel()
        metrics.IN_FLIGHT.dec(self.in_flight)
        self.in_flight = 0
        try:
            await asyncio.wait_for(self._producer.stop(), _STOP_SECONDS)
        except Exception:
            # Stopping waits for a broker that is away. The tail is safe in the outbox, and a sender left
            # to itself would go on sending what the lanes' next owner has published long since.
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._end_sender(), _STOP_SECONDS)

    async def _end_sender(self) -> None:
        sending = self._producer._sender.sender_task
        if sending is not None:
            sending.cancel()
            await asyncio.wait({sending})
        await self._producer.client.close()

    def publish(self, state: LaneState, rows: Sequence[OutboxRow]) -> None:
        """Queue committed rows of a lane, in order of outbox_seq; never blocks.

        Raises InvariantBroken where a row does not follow the last one: what is between would never be sent.
        """
        for row in rows:
            waiting = self._unfinished.get(row.lane)
            # What an earlier ownership left on its way is another's: the tail comes again from its beginning.
            mine = waiting and waiting[-1].state is state
            last = waiting[-1].row.outbox_seq if waiting and mine else state.published_seq
            if row.outbox_seq != last + 1:
                raise InvariantBroken(
                    f"outbox row {row.lane}/{row.outbox_seq} follows {last}: rows between are missing"
                )
            delivery = _Delivery(row, state, perf_counter())
            shares: dict[tuple[str, int], list[NumberedEvent]] = {}
            for event in unpack(row):
                shares.setdefault((event.topic, event.partition), []).append(event)
            delivery.open = len(shares)
            self._unfinished.setdefault(row.lane, deque()).append(delivery)
            self.in_flight += row.events
            self._bytes += len(row.frame)
            metrics.IN_FLIGHT.inc(row.events)
            for (topic, partition), events in shares.items():
                queue = self._queues.get((topic, partition))
                if queue is None:
                    queue = self._queues[topic, partition] = _Queue(topic, partition)
                queue.waiting.append((delivery, events))
                if queue.task is None and self.fault is None:
                    queue.task = asyncio.create_task(self._drain(queue))

    async def wait_below(self, events: int) -> None:
        """Return once fewer than `events`, and not too many bytes, are in flight. Raises DeliveryFailed."""
        while True:
            self.check()
            if self.in_flight < max(events, 1) and self._bytes < _MOST_BYTES:
                return
            self._progress.clear()
            await self._progress.wait()

    def check(self) -> None:
        """Raise DeliveryFailed where any delivery has failed."""
        if self.fault is not None:
            raise DeliveryFailed(f"an event was not delivered: {self.fault!r}") from self.fault

    def pending(self, lane: int) -> bool:
        """Whether rows of that lane are not acknowledged yet."""
        return bool(self._unfinished.get(lane))

    async def _drain(self, queue: _Queue) -> None:
        try:
            while queue.waiting and self.fault is None:
                await self._send(queue)
        except asyncio.CancelledError:
            raise
        except BaseException as fault:
            self.fault = fault
            self._progress.set()
        finally:
            queue.task = None

    async def publish_again(
        self, state: LaneState, pieces: Sequence[tuple[OutboxRow, Sequence[NumberedEvent]]]
    ) -> None:
        """Send events of rows that were published once more; returns when all are acknowledged.

        What is remembered of the lane stays as it is: consumers know such events by their numbers. Raises
        DeliveryFailed.
        """
        queues: dict[tuple[str, int], _Queue] = {}
        for row, events in pieces:
            shares: dict[tuple[str, int], list[NumberedEvent]] = {}
            for event in events:
                shares.setdefault((event.topic, event.partition), []).append(event)
            for place, of_place in shares.items():
                queue = queues.setdefault(place, _Queue(*place))
                queue.waiting.append((_Delivery(row, state, 0.0), of_place))
        try:
            for queue in queues.values():
                while queue.waiting:
                    batch, _, _ = self._packed(queue)
                    await self._answered(batch, queue)
        except Exception as fault:
            # Of one producer: what it could not deliver stands before all else.
            self.fault = self.fault or fault
            self.check()

    async def _send(self, queue: _Queue) -> None:
        """One batch: what is waiting, as far as it fits, then its acknowledgement."""
        batch, count, completed = self._packed(queue)
        answer = await self._answered(batch, queue)
        self._acknowledge(queue, answer.offset + count - 1, count, completed)

    def _packed(self, queue: _Queue) -> tuple[Any, int, list[_Delivery]]:
        """(batch, its events, what is complete with it) of what waits, as far as it fits."""
        batch = self._producer.create_batch()
        completed: list[_Delivery] = []
        count = 0
        while queue.waiting:
            delivery, events = queue.waiting[0]
            fitted = self._fill(batch, queue, delivery.row, events)
            count += fitted
            if fitted < len(events):
                queue.waiting[0] = (delivery, events[fitted:])
                break
            queue.waiting.popleft()
            completed.append(delivery)
        batch.close()
        return batch, count, completed

    async def _answered(self, batch: Any, queue: _Queue) -> Any:
        # An idempotent producer tries a batch again for ever; its lanes do not wait as long.
        async with asyncio.timeout(self._answer_timeout):
            future = await self._producer.send_batch(batch, queue.topic, partition=queue.partition)
            return await future

    def _fill(self, batch: Any, queue: _Queue, row: OutboxRow, events: list[NumberedEvent]) -> int:
        headers = self._stamp.of(row.lane, row.decided_at, queue.topic, queue.partition, row.replay_id)
        for place, event in enumerate(events):
            if batch.append(timestamp=None, key=event.key, value=event.body, headers=headers(event)) is None:
                return place
        return len(events)

    def _acknowledge(
        self, queue: _Queue, last_offset: int, count: int, completed: Sequence[_Delivery]
    ) -> None:
        self.in_flight -= count
        metrics.IN_FLIGHT.dec(count)
        metrics.PUBLISHED.inc(count)
        for delivery in completed:
            delivery.open -= 1
            # A broker that answers a repeated batch may not say where the first one lies.
            if last_offset >= count - 1:
                known = delivery.state.acknowledged.get((queue.topic, queue.partition), -1)
                delivery.state.acknowledged[queue.topic, queue.partition] = max(known, last_offset)
            waiting = self._unfinished[delivery.row.lane]
            # The contiguous prefix, never the highest acknowledgement.
            while waiting and waiting[0].open == 0:
                first = waiting.popleft()
                self._bytes -= len(first.row.frame)
                first.state.published_seq = first.row.outbox_seq
                metrics.VISIBLE_SECONDS.observe(perf_counter() - first.committed)
        self._progress.set()
