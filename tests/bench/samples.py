"""What a soak looks at every ten seconds: memory, tables, outbox, lags, latencies."""

import json
from collections import defaultdict
from collections.abc import Mapping
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from tests.bench.counters import counted, tables
from tests.bench.flat import Bound
from tests.bench.memory import Peaks

MEMORY = Bound(0.10, 24.0)
BYTES_A_PAYMENT = Bound(0.10, 20.0)
HOT_TABLE = Bound(0.25, 2.0)
DEAD = Bound(0.0, 0.10)
LATENCY = Bound(0.25, 50.0)
TAIL_LATENCY = Bound(0.50, 250.0)
SECONDS = Bound(0.25, 2.0)
_HOT = ("lanes", "balances", "batches")
_PROGRESS = "SELECT sum(outbox_seq - published_seq)::bigint AS waiting FROM lanes"
_OFFSETS = "SELECT lane, offsets FROM lanes WHERE lane >= 0"
_AT_THE_BANK = """
SELECT extract(epoch FROM f.submitted_at - min(b.sealed_at))::float8 AS seconds
FROM bank_files f JOIN bank_file_batches c USING (file_id) JOIN batches b USING (batch_id)
WHERE f.submitted_at IS NOT NULL GROUP BY f.file_id ORDER BY f.submitted_at DESC LIMIT 1"""
_TAKEN = """
SELECT extract(epoch FROM finished_at - taken_at)::float8 AS seconds FROM bank_messages
WHERE kind = 'camt.054' AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1"""


class Series:
    """Values over time, each with the bound of its rise."""

    def __init__(self) -> None:
        self._started = monotonic()
        self.times: dict[str, list[float]] = defaultdict(list)
        self.values: dict[str, list[float]] = defaultdict(list)
        self.bounds: dict[str, Bound] = {}

    def add(self, name: str, value: float, bound: Bound) -> None:
        """One more value, at this moment."""
        self.times[name].append(monotonic() - self._started)
        self.values[name].append(value)
        self.bounds[name] = bound


class Listener:
    """Hears one partition of the topics: how long payments take in our hands, the bank's own time apart."""

    def __init__(self, bootstrap: str, partition: int = 0) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="latest")
        topics = (PAYMENTS, SETTLEMENT_NOTIFICATIONS, BANK_NOTIFICATIONS)
        self._places = [TopicPartition(topic, partition) for topic in topics]
        self._reported: dict[bytes, int] = {}
        self.accepted_ms: list[int] = []
        self.told_ms: list[int] = []

    async def run(self) -> None:
        """Until cancelled."""
        await self._consumer.start()
        try:
            self._consumer.assign(self._places)
            await self._consumer.seek_to_end(*self._places)
            async for record in self._consumer:
                self._hear(record)
        finally:
            await self._consumer.stop()

    def _hear(self, record: Any) -> None:
        kind = next((value for name, value in record.headers if name == "ce_type"), b"")
        payment_id = record.value[5:21]
        if kind == b"PaymentAccepted":
            # A payment's id begins with the broker's time of its instruction.
            self.accepted_ms.append(record.timestamp - int.from_bytes(payment_id[:6], "big"))
        elif kind == b"BankEntryReported":
            self._reported.setdefault(payment_id, record.timestamp)
        elif kind == b"PaymentSettled":
            reported = self._reported.pop(payment_id, None)
            if reported is not None:
                self.told_ms.append(record.timestamp - reported)

    def take(self) -> tuple[list[int], list[int]]:
        """The milliseconds heard since the last call, sorted: instruction to accepted, answer to settled."""
        found = sorted(self.accepted_ms), sorted(self.told_ms)
        self.accepted_ms, self.told_ms = [], []
        # A statement reports what its notification has: nobody settles for it.
        self._reported = dict(list(self._reported.items())[-200_000:])
        return found


async def sample(
    peaks: Peaks,
    connections: Mapping[str, Any],
    ends: Any,
    listener: Listener,
    series: Series,
    rate: float,
) -> dict[str, int]:
    """One look at everything; what was accepted, settled and shown by statements so far."""
    for name, megabytes in peaks.highest().items():
        series.add(f"memory of {name}, highest of a day, MB", megabytes, MEMORY)
    found = {service: await tables(each) for service, each in connections.items()}
    accepted = counted(found["settlement"], "payments")
    settled = counted(found["settlement"], "settlements")
    lines = counted(found["reconciliation"], "statement_lines")
    waiting = 0
    # Of what each has handled: payments reach the later ones by files and statements.
    handled = {
        "ingestion": (accepted, accepted),
        "settlement": (accepted, settled),
        "reconciliation": ((settled + lines) // 2, lines),
    }
    for service, rows in found.items():
        _tables(service, rows, *handled[service], series)
        waiting += await connections[service].fetchval(_PROGRESS)
    series.add("outbox: rows not published", waiting, Bound(0.5, 200.0))
    for service, lag in (await _lags(connections, ends)).items():
        series.add(f"lag of {service}, records", lag, Bound(0.5, rate * 2))
    series.add("accepted and not settled", accepted - settled, Bound(0.25, rate * 30))
    series.add("settled and on no statement", settled - lines, Bound(0.25, rate * 60))
    own, told = listener.take()
    for name, values in (("instruction to accepted", own), ("bank's answer to settled", told)):
        if values:
            series.add(f"{name}, p50 ms", values[len(values) // 2], LATENCY)
            series.add(f"{name}, p99 ms", values[len(values) * 99 // 100], TAIL_LATENCY)
    for name, statement in (("cut-off to the bank, s", _AT_THE_BANK), ("a bank's file read, s", _TAKEN)):
        seconds = await connections["settlement"].fetchval(statement)
        if seconds is not None:
            series.add(name, seconds, SECONDS)
    return {"accepted": accepted, "settled": settled, "lines": lines}


def _tables(service: str, rows: Mapping[str, Any], kept_for: int, told: int, series: Series) -> None:
    kept = [row for name, row in rows.items() if not name.startswith("outbox")]
    outbox = [row for name, row in rows.items() if name.startswith("outbox")]
    each, of_told = max(kept_for, 1), max(told, 1)
    series.add(
        f"{service}: table bytes a payment", sum(row["table_bytes"] for row in kept) / each, BYTES_A_PAYMENT
    )
    series.add(
        f"{service}: index bytes a payment", sum(row["index_bytes"] for row in kept) / each, BYTES_A_PAYMENT
    )
    series.add(
        f"{service}: outbox bytes a payment",
        sum(row["table_bytes"] + row["index_bytes"] for row in outbox) / of_told,
        BYTES_A_PAYMENT,
    )
    live, dead = sum(row["n_live_tup"] for row in kept), sum(row["n_dead_tup"] for row in kept)
    series.add(f"{service}: dead tuples, share", dead / max(live + dead, 1), DEAD)
    for name in _HOT:
        if name in rows:
            row = rows[name]
            series.add(f"{service}: {name}, MB", (row["table_bytes"] + row["index_bytes"]) / 1e6, HOT_TABLE)


async def _lags(connections: Mapping[str, Any], consumer: Any) -> dict[str, int]:
    found = {}
    for service, connection in connections.items():
        handled = {
            TopicPartition(topic, row["lane"]): offset
            for row in await connection.fetch(_OFFSETS)
            for topic, offset in json.loads(row["offsets"]).items()
        }
        ends = await consumer.end_offsets(list(handled))
        found[service] = sum(max(ends[place] - offset, 0) for place, offset in handled.items())
    return found
