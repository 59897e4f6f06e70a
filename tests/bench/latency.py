"""Latency at a steady rate: commit to Kafka, instruction to accepted, and to settled less what is the bank's.

Less the bank's: the time from the acceptance on the topic to the bank's answer on its topic, in which the
payment waits for its cut-off and lies at the bank, is left out. What the files take is told by `make soak`.
Beside it bare aiokafka at the same rate on the same broker: what one hop and two hops cost at the least.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from time import monotonic, time
from typing import Any

import click
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from goodfunds.cli.reading import readers
from goodfunds.cli.requests import close_cut_off
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.local import stack as local
from tests.bench.counters import until_quiet
from tests.bench.load import Load
from tests.bench.system import answered

_WARM_SECONDS = 3.0
_TICK = 0.01
_LEADER_SECONDS = 30.0
_PARTS = 3
_FIRST, _SECOND = "floor.latency-first", "floor.latency-second"
_COMMITS = """
SELECT lane, outbox_seq, events, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed
FROM outbox WHERE lane >= 0 AND decided_at >= now() - interval '1 hour' ORDER BY lane, outbox_seq"""
_NUMBERS = "SELECT lane, outbox_seq, destinations FROM lanes WHERE lane >= 0"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds."""

    p50: float
    p99: float
    p999: float

    def __str__(self) -> str:
        return "" if isnan(self.p50) else f"{self.p50:.1f} / {self.p99:.1f} / {self.p999:.1f}"


@dataclass(frozen=True, slots=True)
class Latencies:
    """At a rate in instructions a second. `hop`, `two_hops`: bare aiokafka's at the same rate.

    `settled`: cut-offs were closed meanwhile, so that files, the bank and its answers were under way.
    """

    rate: float
    settled: bool
    commit_to_visible: Percentiles
    instruction_to_accepted: Percentiles
    answer_to_settled: Percentiles
    instruction_to_settled: Percentiles
    hop: Percentiles
    two_hops: Percentiles


def percentiles(values: Sequence[float]) -> Percentiles:
    """Of seconds, in milliseconds; nearest rank. Not a number where there was nothing to measure."""
    ordered = sorted(values)
    if not ordered:
        return Percentiles(nan, nan, nan)
    p50, p99, p999 = (
        ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for share in (0.5, 0.99, 0.999)
    )
    return Percentiles(p50, p99, p999)


class _Watch:
    """Sees every event as it becomes visible: when, by (partition, seq) and by payment.

    Of instructions from before `since` only the numbers are kept.
    """

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self.since = inf
        self.seen: dict[tuple[int, int], float] = {}
        self.accepted: dict[bytes, float] = {}
        self.settled: list[float] = []
        self.whole: list[float] = []
        self._answered: dict[bytes, float] = {}
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="latest")
        self._places = [
            TopicPartition(topic, partition)
            for topic in (PAYMENTS, BANK_NOTIFICATIONS, SETTLEMENT_NOTIFICATIONS)
            for partition in range(partitions)
        ]

    async def run(self, ready: asyncio.Event) -> None:
        """Until cancelled."""
        await self._consumer.start()
        try:
            self._consumer.assign(self._places)
            await self._consumer.seek_to_end(*self._places)
            ready.set()
            while True:
                found = await self._consumer.getmany(timeout_ms=1000)
                now = time()
                for place, records in found.items():
                    self._see(place, records, now)
        finally:
            await self._consumer.stop()

    def _see(self, place: TopicPartition, records: Sequence[Any], now: float) -> None:
        for record in records:
            payment_id = record.value[5:21]
            if place.topic == PAYMENTS:
                seq = next(int(value) for name, value in record.headers if name == "seq")
                self.seen[place.partition, seq] = now
                # A payment's id begins with the broker's time of its instruction.
                instructed = int.from_bytes(payment_id[:6], "big") / 1000
                if instructed >= self.since and _is(record, b"PaymentAccepted"):
                    self.accepted[payment_id] = now - instructed
            elif payment_id not in self.accepted:
                continue
            elif place.topic == BANK_NOTIFICATIONS:
                self._answered.setdefault(payment_id, now)
            elif payment_id in self._answered and _is(record, b"PaymentSettled"):
                taken = now - self._answered.pop(payment_id)
                self.settled.append(taken)
                self.whole.append(self.accepted[payment_id] + taken)


def _is(record: Any, kind: bytes) -> bool:
    return any(name == "ce_type" and value == kind for name, value in record.headers)


async def measure_latencies(
    stack: local.Stack, run: str, rate: float, seconds: float, settle: bool = True
) -> Latencies:
    """Load at `rate`, with cut-offs in it; of the instructions after the first seconds all counts.

    Without `settle` they stay where they are once they are accepted, and nothing tells of settling.
    """
    hop, two_hops = await bare(stack.kafka, stack.partitions, rate, seconds)
    watch, ready, stop = _Watch(stack.kafka, stack.partitions), asyncio.Event(), asyncio.Event()
    async with readers(stack) as connections:
        ingestion = connections["ingestion"]
        before = {row["lane"]: row for row in await ingestion.fetch(_NUMBERS)}
        watching = asyncio.create_task(watch.run(ready))
        await ready.wait()
        load = Load(stack, run, rate, tick=_TICK)
        watch.since = time() + _WARM_SECONDS
        loading = asyncio.create_task(load.run(stop))
        try:
            await asyncio.sleep(_WARM_SECONDS)
            for _ in range(_PARTS - 1):
                await asyncio.sleep(seconds / _PARTS)
                if settle:
                    await close_cut_off(stack, run)
            await asyncio.sleep(seconds / _PARTS)
            stop.set()
            await loading
            if settle:
                # Large files take longer than any lane rests.
                await answered(stack)
            else:
                await until_quiet(connections, lambda: None)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        commits = await ingestion.fetch(_COMMITS)
    found = Latencies(
        rate,
        settle,
        percentiles(_visible(before, commits, watch.seen, watch.since)),
        percentiles(list(watch.accepted.values())),
        percentiles(watch.settled),
        percentiles(watch.whole),
        hop,
        two_hops,
    )
    settling = (
        f"answer to settled {found.answer_to_settled}, instruction to settled less the bank's "
        f"{found.instruction_to_settled}; "
    )
    click.echo(
        f"{rate:,.0f}/s, p50 / p99 / p99.9 ms: commit to visible {found.commit_to_visible} (bare hop {hop}), "
        f"instruction to accepted {found.instruction_to_accepted} (two bare hops {two_hops}), "
        f"{settling if settle else ''}the sender was at most {load.behind * 1000:.0f} ms late",
        err=True,
    )
    return found


def _visible(
    before: Mapping[int, Any], commits: Sequence[Any], seen: Mapping[tuple[int, int], float], since: float
) -> list[float]:
    """Seconds from each transaction's commit, from `since` on, until its last event was seen."""
    found = []
    numbers = {
        lane: json.loads(row["destinations"]).get(f"{PAYMENTS}/{lane}", 1) for lane, row in before.items()
    }
    for row in commits:
        lane = row["lane"]
        if row["outbox_seq"] <= before[lane]["outbox_seq"]:
            continue
        numbers[lane] += row["events"]
        at = seen.get((lane, numbers[lane] - 1))
        if at is not None and row["committed"] >= since:
            found.append(at - row["committed"])
    return found


async def bare(
    bootstrap: str, partitions: int, rate: float, seconds: float
) -> tuple[Percentiles, Percentiles]:
    """One hop, and two with a relay between, of bare aiokafka with the same producers' settings."""
    await _make_topics(bootstrap, partitions)
    producers = [
        AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) for _ in range(2)
    ]
    consumers = [AIOKafkaConsumer(bootstrap_servers=bootstrap) for _ in range(2)]
    hops: tuple[list[float], list[float]] = ([], [])
    for each in (*producers, *consumers):
        await each.start()
    for consumer, topic in zip(consumers, (_FIRST, _SECOND), strict=True):
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)

    async def relay() -> None:
        while True:
            found = await consumers[0].getmany(timeout_ms=1000, max_records=2_000)
            now = time()
            for place, records in found.items():
                hops[0].extend(now - float(record.value[:17]) for record in records)
                await _send(producers[1], _SECOND, place.partition, [record.value for record in records])

    async def watch() -> None:
        while True:
            for records in (await consumers[1].getmany(timeout_ms=1000)).values():
                now = time()
                hops[1].extend(now - float(record.value[:17]) for record in records)

    tasks = [asyncio.create_task(relay()), asyncio.create_task(watch())]
    try:
        started, sent = time(), 0
        while (elapsed := time() - started) < seconds:
            due = int(elapsed * rate)
            value = f"{time():017.6f}".encode().ljust(400, b".")
            for partition in range(partitions):
                share = len(range(sent + (partition - sent) % partitions, due, partitions))
                if share:
                    await _send(producers[0], _FIRST, partition, [value] * share)
            sent = due
            await asyncio.sleep(_TICK)
        await asyncio.sleep(0.5)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in (*producers, *consumers):
            await each.stop()
    # The first second has the client's and the topics' first requests in it.
    return percentiles(hops[0][int(rate) :]), percentiles(hops[1][int(rate) :])


async def _send(producer: Any, topic: str, partition: int, values: Sequence[bytes]) -> None:
    batch = producer.create_batch()
    for value in values:
        batch.append(key=None, value=value, timestamp=None)
    await producer.send_batch(batch, topic, partition=partition)


async def _make_topics(bootstrap: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        known = await admin.list_topics()
        new = [NewTopic(topic, partitions, 1) for topic in (_FIRST, _SECOND) if topic not in known]
        if new:
            await admin.create_topics(new)
        # A client that asks for a partition without a leader complains aloud.
        deadline = monotonic() + _LEADER_SECONDS
        while not _all_led(await admin.describe_topics([_FIRST, _SECOND])):
            if monotonic() > deadline:
                raise RuntimeError("the broker's new topics get no leaders")
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def _all_led(topics: Sequence[Mapping[str, Any]]) -> bool:
    return all(
        not topic["error_code"] and all(each["leader"] >= 0 for each in topic["partitions"])
        for topic in topics
    )
