"""Payments over HTTP on a real broker and database: decided once, and told to their client alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from fastapi import FastAPI

from goodfunds.clock import FixedClock
from goodfunds.events import types
from goodfunds.lanes import lane_of
from goodfunds.local.processes import free_port
from goodfunds.observability.http import PROBLEM
from goodfunds.postgres import create_pool
from services.ingestion import PAYMENTS_READ, PAYMENTS_WRITE, http
from services.ingestion.http_shapes import PaymentRequest
from services.ingestion.instructing import Instructing
from tests.conftest import Kafka, MakeTopics
from tests.integration.ingestion.desk import NOW, PARTITIONS, Desk, desk_on
from tests.tokens import app_behind_a_door, bearer, token_of
from tests.unit.ingestion.requests import ACCOUNT, PRESENT

PATH = "/v1/payments"
BODY = {
    name: value for name, value in PRESENT.items() if name not in ("client", "idempotency_key")
} | {"requested_execution_date": "2026-03-03", "creditor_address_lines": []}  # fmt: skip


@dataclass
class Counter:
    """Ingestion's HTTP beside a broker, and a desk that decides what comes over it."""

    desk: Desk
    pool: Any
    database: str
    bootstrap: str
    topic: str

    @asynccontextmanager
    async def client(
        self,
        name: str = "shop",
        away: Callable[[], bool] = lambda: False,
        bootstrap: str = "",
        patience: float = 5.0,
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A program of a client."""
        instructing = Instructing(bootstrap or self.bootstrap, PARTITIONS, away, self.topic, patience)
        app: FastAPI = app_behind_a_door(self.pool, FixedClock(NOW))
        http.add_routes(app, self.pool, FixedClock(NOW), instructing, 100_000)
        token = await token_of(self.database, name, PAYMENTS_READ, PAYMENTS_WRITE, made=NOW)
        transport, headers = httpx.ASGITransport(app), bearer(token)
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
            yield client
        await instructing.close()

    async def published(self) -> list[tuple[int, Any, Any]]:
        """All that stands on the topic: (partition, key, event)."""
        async with self._consumer() as (consumer, places):
            found = []
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    found += [(place.partition, each.key, types.decode(each.value)) for each in records]
            return found

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """Meanwhile what comes over the topic is decided, as the lanes would."""
        async with self._consumer() as (consumer, _):

            async def decide() -> None:
                while True:
                    for place, records in (await consumer.getmany(timeout_ms=100)).items():
                        for each in records:
                            lane = place.partition
                            await self.desk.poll({lane: [self.desk.record(each.value, lane, each.headers)]})

            deciding = asyncio.create_task(decide())
            try:
                yield
            finally:
                deciding.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await deciding

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            places = [TopicPartition(self.topic, lane) for lane in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            yield consumer, places
        finally:
            await consumer.stop()


@pytest.fixture
async def counter(database: str, kafka: Kafka, make_topics: MakeTopics) -> AsyncIterator[Counter]:
    topic = f"over-http-{uuid4().hex[:8]}"
    await make_topics([topic], PARTITIONS)
    async with desk_on(database) as desk:
        pool = await create_pool(database)
        yield Counter(desk, pool, database, kafka.bootstrap, topic)
        await pool.close()


def keyed(key: str, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": key, **more}


def test_the_body_is_the_event_without_client_and_key() -> None:
    fields = set(types.PaymentInstruction.__annotations__) - {"SCHEMA_ID"}
    assert set(PaymentRequest.model_fields) == fields - {"client", "idempotency_key"}


async def test_a_payment_is_on_its_accounts_lane_when_it_is_answered(counter: Counter) -> None:
    async with counter.client() as client:
        answer = await client.post(PATH, json=BODY, headers=keyed("order-1"))
    assert answer.status_code == 202
    assert answer.headers["Location"] == "/v1/payments/by-key/order-1"
    ((lane, key, event),) = await counter.published()
    assert (lane, key) == (lane_of(ACCOUNT, PARTITIONS), ACCOUNT.encode())
    assert event == types.PaymentInstruction(**{**PRESENT, "idempotency_key": "order-1"})


async def test_who_waits_is_answered_with_the_decision(counter: Counter) -> None:
    await counter.desk.open(100_00)
    async with counter.client() as client, counter.deciding():
        accepted = await client.post(PATH, json=BODY, headers=keyed("one", Prefer="wait=30"))
        rejected = await client.post(PATH, json=BODY, headers=keyed("two", Prefer="wait=30"))
        found = await client.get(accepted.headers["Location"])
    assert (accepted.status_code, rejected.status_code) == (200, 200)
    assert accepted.headers["Preference-Applied"] == "wait=30"
    assert accepted.json() == found.json()
    told = [(each.json()["state"], each.json()["reason_code"]) for each in (accepted, rejected)]
    assert told == [("accepted", ""), ("rejected", "AM04")]


async def test_who_waits_in_vain_is_told_where_to_ask(counter: Counter) -> None:
    async with counter.client() as client:
        answer = await client.post(PATH, json=BODY, headers=keyed("one", Prefer="wait=1"))
        assert (answer.status_code, answer.headers["Location"]) == (202, "/v1/payments/by-key/one")
        assert (await client.get(answer.headers["Location"])).status_code == 404


async def test_the_same_key_again_gives_the_first_answer_and_asks_for_nothing(counter: Counter) -> None:
    await counter.desk.open(100_00)
    async with counter.client() as client, counter.deciding():
        first = await client.post(PATH, json=BODY, headers=keyed("one", Prefer="wait=30"))
        again = await client.post(PATH, json=BODY, headers=keyed('"one"'))
        other = await client.post(PATH, json={**BODY, "amount_minor": 1}, headers=keyed("one"))
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.headers["content-type"]) == (422, PROBLEM)
    assert other.json()["type"] == "urn:goodfunds:idempotency-key-reused"
    assert len(await counter.published()) == 1


async def test_of_two_bodies_at_once_with_one_key_one_is_decided_and_the_other_is_told_so(
    counter: Counter,
) -> None:
    await counter.desk.open(100_00)
    async with counter.client() as client, counter.deciding():
        answers = await asyncio.gather(
            *(
                client.post(
                    PATH, json={**BODY, "amount_minor": minor}, headers=keyed("one", Prefer="wait=30")
                )
                for minor in (1, 2)
            )
        )
    assert sorted(each.status_code for each in answers) == [200, 422]
    assert await counter.desk.count("payments") == 1


async def test_a_key_is_the_clients_own(counter: Counter) -> None:
    await counter.desk.open(100_00)
    async with counter.client() as shop, counter.client("another") as another, counter.deciding():
        first = await shop.post(PATH, json=BODY, headers=keyed("one", Prefer="wait=30"))
        assert (await another.get(first.headers["Location"])).status_code == 404
        second = await another.post(PATH, json=BODY, headers=keyed("one", Prefer="wait=30"))
        assert (await another.get(PATH)).json()["items"] == [second.json()]
    assert first.json()["payment_id"] != second.json()["payment_id"]


@pytest.mark.parametrize(
    "key", ["a/b?c=d#e", "a%2F..%2Fb", "A..", "a%0d%0aSet-Cookie:x=1", "a&b;c", "x" * 200]
)
async def test_a_location_leads_to_its_payment_whatever_the_key_is_made_of(
    counter: Counter, key: str
) -> None:
    await counter.desk.open(100_00)
    async with counter.client() as client, counter.deciding():
        answer = await client.post(PATH, json=BODY, headers=keyed(key, Prefer="wait=30"))
        location = answer.headers["Location"]
        found = await client.get(location)
    assert (found.status_code, found.json()["idempotency_key"]) == (200, key)
    last = location.removeprefix("/v1/payments/by-key/")
    assert unquote(last) == key
    assert not set(last) & set("/?#&;:\r\n")


async def test_what_is_no_request_is_refused_at_the_door_and_nothing_is_published(counter: Counter) -> None:
    async with counter.client() as client:
        for key in ("", "..", ".", " ", "a b", "é", "x" * 201, "a\tb", '"a', '"'):
            headers = {b"Idempotency-Key": key.encode()}
            answer = await client.post(PATH, json=BODY, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), key
        assert (await client.post(PATH, json=BODY)).status_code == 422
        for change in (
            {"amount_minor": 0}, {"amount_minor": -1}, {"amount_minor": 10**18}, {"amount_minor": 1.5},
            {"amount_minor": "1"}, {"amount_minor": True}, {"currency": "eur"}, {"currency": ""},
            {"debtor_account": ""}, {"debtor_account": "transit-out:x"}, {"debtor_account": "x" * 65},
            {"debtor_name": "a\0b"}, {"client": "another"}, {"idempotency_key": "other"},
            {"requested_execution_date": "tomorrow"}, {"requested_execution_date": "0000-01-01"},
            {"creditor_address_lines": "one"}, {"remittance_unstructured": "x" * 9_001},
        ):  # fmt: skip
            answer = await client.post(PATH, json={**BODY, **change}, headers=keyed("one"))
            assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), change
            (error,) = answer.json()["errors"]
            assert error["pointer"] == f"/{next(iter(change))}"
        missing = {name: value for name, value in BODY.items() if name != "rail"}
        answer = await client.post(PATH, json=missing, headers=keyed("one"))
        assert answer.json()["errors"][0]["pointer"] == "/rail"
        large = await client.post(PATH, json={**BODY, "rail": "x" * 70_000}, headers=keyed("one"))
        form = await client.post(PATH, data={"amount_minor": "1"}, headers=keyed("one"))
        assert (large.status_code, form.status_code) == (413, 415)
    assert await counter.published() == []


async def test_while_the_broker_is_away_the_answer_is_to_try_again(counter: Counter) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    for away, bootstrap in ((lambda: True, ""), (lambda: False, nowhere)):
        async with counter.client(away=away, bootstrap=bootstrap, patience=0.5) as client:
            answer = await client.post(PATH, json=BODY, headers=keyed("one"))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            assert answer.headers["content-type"] == PROBLEM


async def test_what_was_decided_is_told_while_the_broker_is_away(counter: Counter) -> None:
    await counter.desk.open(100_00)
    async with counter.client() as client, counter.deciding():
        first = await client.post(PATH, json=BODY, headers=keyed("one", Prefer="wait=30"))
    async with counter.client(away=lambda: True) as client:
        assert (await client.post(PATH, json=BODY, headers=keyed("one"))).json() == first.json()
        assert (await client.get(first.headers["Location"])).json() == first.json()


@pytest.mark.long  # A broker stops and starts.
async def test_a_broker_that_comes_back_is_found_again(counter: Counter, kafka: Kafka) -> None:
    async with counter.client(patience=2.0) as client:
        assert (await client.post(PATH, json=BODY, headers=keyed("one"))).status_code == 202
        await asyncio.to_thread(kafka.stop)
        try:
            assert (await client.post(PATH, json=BODY, headers=keyed("two"))).status_code == 503
        finally:
            await asyncio.to_thread(kafka.start)
        async with asyncio.timeout(60):
            # What the client does: it comes again, with the same key.
            while True:
                answer = await client.post(PATH, json=BODY, headers=keyed("two"))
                if answer.status_code == 202:
                    break
                await asyncio.sleep(0.1)
    assert {event.idempotency_key for _, _, event in await counter.published()} == {"one", "two"}


async def test_the_trace_of_a_request_is_its_instructions(counter: Counter) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with counter.client() as client:
        for key, told in (("one", trace), ("two", 'x"y')):
            await client.post(PATH, json=BODY, headers=keyed(key, traceparent=told))
    async with counter._consumer() as (consumer, _):
        found: list[dict[str, bytes]] = []
        async with asyncio.timeout(20):
            while len(found) < 2:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [dict(each.headers) for each in records]
    assert sorted(each.get("traceparent", b"") for each in found) == [b"", trace.encode()]
