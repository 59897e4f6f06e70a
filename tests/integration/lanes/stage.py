"""The stage of the lane tests: topics, a database, copiers as processes, and what must hold at the end."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds.lanes import lane_of
from goodfunds.postgres import connect
from tests.integration.tampering import unguarded

SESSION_TIMEOUT = 2.5
"""Seconds; the broker of the tests takes it (see conftest), and a busy machine still beats in time."""
PROVE_EVERY = 0.5
"""Seconds; what was acknowledged is written then, and tests wait for it."""


@dataclass
class Stage:
    """Two topics and a database for one test; `sent` holds what was published, by key, in order."""

    bootstrap: str
    dsn: str
    source: str
    target: str
    partitions: int
    sent: dict[str, list[int]] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def publish(self, keys: int, each: int, values: Callable[[int], bytes] | None = None) -> None:
        """`each` more numbers for each of `keys` accounts, numbered like one of our own producers."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            waiting = []
            for _ in range(each):
                for place in range(keys):
                    key = f"account-{place}"
                    number = len(self.sent.setdefault(key, []))
                    self.sent[key].append(number)
                    value = values(number) if values else b"%d" % number
                    waiting.append(await self._send(producer, key, value))
            await asyncio.gather(*waiting)
        finally:
            await producer.stop()

    async def _send(self, producer: Any, key: str, value: bytes) -> Any:
        lane = lane_of(key, self.partitions)
        self.seqs[lane] = self.seqs.get(lane, 0) + 1
        headers = [("producer", b"test.1"), ("lane", b"%d" % lane), ("seq", b"%d" % self.seqs[lane])]
        return await producer.send(self.source, value, key.encode(), lane, headers=headers)

    def start(
        self,
        name: str,
        point: str = "",
        what: str = "kill",
        nth: int = 0,
        batch: int = 200,
        answer_timeout: float = 15.0,
    ) -> "subprocess.Popen[bytes]":
        """Start a copier that strikes itself at the nth passing of a point."""
        arguments = {
            "name": name, "point": point, "what": what, "nth": nth, "batch": batch, "dsn": self.dsn,
            "bootstrap": self.bootstrap, "source": self.source, "target": self.target,
            "partitions": self.partitions, "session_timeout": SESSION_TIMEOUT,
            "prove_every": PROVE_EVERY, "answer_timeout": answer_timeout,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "copier.py"), json.dumps(arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.processes.append(process)
        return process

    async def until(self, what: str, holds: Callable[[], Any], seconds: float = 60.0) -> None:
        """Wait until something holds; fails with its name. `holds` may be async."""
        deadline = monotonic() + seconds
        while True:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            assert monotonic() < deadline, f"not within {seconds} s: {what}"
            await asyncio.sleep(0.05)

    async def until_frozen(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until a process has stopped itself."""
        await self.until("frozen", lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)

    async def until_handled(self, count: int | None = None, seconds: float = 60.0) -> None:
        """Wait until that many rows (default: all that was sent) stand in the database."""
        wanted = sum(map(len, self.sent.values())) if count is None else count

        async def enough() -> bool:
            with contextlib.suppress(OSError, ConnectionError):
                return int(await self.fetchval("SELECT count(*) FROM handled")) >= wanted
            return False

        await self.until(f"{wanted} handled", enough, seconds)

    async def until_published(self, seconds: float = 30.0) -> None:
        """Wait until every lane's outbox is acknowledged, as its row says."""

        async def all_published() -> bool:
            return bool(await self.fetchval("SELECT bool_and(published_seq = outbox_seq) FROM lanes"))

        await self.until("all published", all_published, seconds)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        connection = await connect(self.dsn)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        connection = await connect(self.dsn)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    async def tamper(self, statement: str, *arguments: Any) -> None:
        """Change what no trigger would let pass: a backup brought back does."""
        connection = await connect(self.dsn)
        try:
            async with unguarded(connection):
                await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    async def events(self) -> list[tuple[int, str, int, dict[str, bytes]]]:
        """Everything on the target topic in order: (partition, key, number, headers)."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        found = []
        try:
            places = [TopicPartition(self.target, lane) for lane in range(self.partitions)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    found += [
                        (place.partition, r.key.decode(), int(r.value), dict(r.headers)) for r in records
                    ]
        finally:
            await consumer.stop()
        return sorted(found, key=lambda event: event[0])

    async def assert_nothing_lost_doubled_or_reordered(self) -> int:
        """Rows once each in order, events gapless and, repeats dropped, the same; returns the repeats."""
        rows = await self.fetch("SELECT key, number FROM handled ORDER BY lane, source_offset")
        by_key: dict[str, list[int]] = {}
        for row in rows:
            by_key.setdefault(row["key"], []).append(row["number"])
        assert by_key == self.sent
        last: dict[tuple[int, bytes, bytes], int] = {}
        heard: dict[str, list[int]] = {}
        repeats = 0
        for partition, key, number, headers in await self.events():
            of, seq = (partition, headers["producer"], headers["lane"]), int(headers["seq"])
            if seq <= last.get(of, 0):
                repeats += 1
                continue
            assert seq == last.get(of, 0) + 1, f"a gap before seq {seq} of {of}"
            last[of] = seq
            heard.setdefault(key, []).append(number)
        assert heard == self.sent
        offsets = await self.fetch("SELECT lane, offsets FROM lanes")
        for row in offsets:
            assert json.loads(row["offsets"]) == {self.source: self.seqs.get(row["lane"], 0)}
        return repeats

    def end(self) -> None:
        """End every copier that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(10)
