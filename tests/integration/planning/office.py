"""An office: operators of a service over its HTTP, ada who plans and bob who approves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from goodfunds.clock import FixedClock
from goodfunds.lanes import LaneLoop, LaneSettings
from goodfunds.operating import http
from goodfunds.operating.operated import operated_by
from goodfunds.operating.scopes import SCOPES
from goodfunds.postgres import create_pool
from tests.integration.lanes.stage import PROVE_EVERY, SESSION_TIMEOUT
from tests.integration.replay.scene import CODE, Depositor, Scene
from tests.tokens import app_behind_a_door, bearer, token_of


@dataclass
class Office:
    """Where operators sit. `clock` is that of their HTTP; `loops`: the lanes at work in this process."""

    scene: Scene
    handler: Depositor
    clock: FixedClock
    pool: Any
    ada: httpx.AsyncClient
    bob: httpx.AsyncClient
    loops: list[LaneLoop]

    async def ask(self, status: int = 202, path: str = "/v1/replays", **body: Any) -> Any:
        """What ada is answered when she plans something."""
        answer = await self.ada.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str, **asked: Any) -> Any:
        answer = await self.ada.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def step(self, plan: Any, step: str, by: httpx.AsyncClient | None = None, status: int = 200) -> Any:
        """Take a step of a plan, ada unless somebody else."""
        answer = await (by or self.ada).post(f"/v1/replays/{plan['plan_id']}/{step}")
        assert answer.status_code == status, answer.text
        return answer.json()

    async def until(self, plan: Any, state: str) -> Any:
        """The plan, once it is in that state."""
        found: list[Any] = []

        async def there() -> bool:
            found[:] = [await self.get(f"/v1/replays/{plan['plan_id']}")]
            assert found[0]["state"] in (state, "rehearsing", "running"), found[0]["fault"]
            return bool(found[0]["state"] == state)

        # Some seconds for a few hundred records; the rest is for a machine that others use too.
        await self.scene.until(f"plan {state}", there, 60)
        return found[0]

    async def rehearsed(self, **body: Any) -> Any:
        """Plan, and wait for the rehearsal."""
        return await self.until(await self.ask(**{"kind": "replay", **body}), "rehearsed")

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[LaneLoop]:
        """While the lanes are worked in this process, all read when it begins."""
        async with self.scene.instance(self.handler) as loop:
            self.loops.append(loop)
            await self.scene.until_read()
            yield loop
            self.loops.remove(loop)

    async def worked(self) -> None:
        """Have the lanes handle all that was sent, and rest."""
        async with self.at_work():
            pass

    async def trim(self, lane: int, before: int) -> None:
        """Remove the first records of a lane's input."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.scene.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({
                TopicPartition(self.scene.source, lane): RecordsToDelete(before_offset=before)
            })  # fmt: skip
        finally:
            await admin.close()

    async def send_at(self, times: dict[int, list[datetime]]) -> None:
        """A record of account n at each time of lane n, numbered from 0."""
        scene = self.scene
        producer = AIOKafkaProducer(bootstrap_servers=scene.bootstrap)
        await producer.start()
        try:
            for lane, of_lane in times.items():
                for number, at in enumerate(of_lane):
                    scene.seqs[lane] = number + 1
                    headers = [("producer", b"test.1"), ("lane", b"%d" % lane), ("seq", b"%d" % (number + 1))]
                    await producer.send_and_wait(
                        scene.source, b"%d" % number, b"account-%d" % lane, lane,
                        timestamp_ms=int(at.timestamp() * 1000), headers=headers,
                    )  # fmt: skip
        finally:
            await producer.stop()


@contextlib.asynccontextmanager
async def office_on(scene: Scene, code: str = CODE) -> AsyncIterator[Office]:
    """An office with its rehearsals at work; `code`: the version of what decides."""
    handler, clock = scene.depositor(), FixedClock(datetime.now(UTC))
    pool = await create_pool(scene.dsn)
    settings = LaneSettings(
        scene.dsn, scene.bootstrap, scene.partitions, "office", session_timeout=SESSION_TIMEOUT,
        prove_every=PROVE_EVERY,
    )  # fmt: skip
    loops: list[LaneLoop] = []
    operated = operated_by(
        pool, clock, handler, settings, lambda: sum(each.transactions() for each in loops), code=code
    )
    app = app_behind_a_door(pool, clock)
    http.add_routes(app, operated)
    stop = asyncio.Event()
    rehearsing = asyncio.create_task(operated.rehearsals.run(stop))
    try:
        async with _client(app, scene, "ada") as ada, _client(app, scene, "bob") as bob:
            yield Office(scene, handler, clock, pool, ada, bob, loops)
    finally:
        stop.set()
        await rehearsing
        await pool.close()


@contextlib.asynccontextmanager
async def another_office(office: Office, code: str) -> AsyncIterator[Office]:
    """One of the same service, where other code is installed; its lanes rest."""
    async with office_on(office.scene, code) as found:
        yield replace(found, handler=office.handler)


@contextlib.asynccontextmanager
async def _client(app: Any, scene: Scene, name: str) -> AsyncIterator[httpx.AsyncClient]:
    token = await token_of(scene.dsn, name, *SCOPES)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=bearer(token)) as client:
        yield client
