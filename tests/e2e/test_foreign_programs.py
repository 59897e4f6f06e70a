"""Programs that know nothing of goodfunds publish and consume with confluent-kafka, on a real broker.

They use what `schemas/README.md` tells them: the schema files, a registry's address, and Kafka's partitioner.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENT_INSTRUCTIONS, SETTLEMENT_NOTIFICATIONS
from goodfunds.lanes import lane_of
from goodfunds.observability.http import listen, serve
from goodfunds.registry import find_schemas, read_catalogue
from goodfunds.registry.http import registry_app
from tests.conftest import Kafka, Postgres
from tests.e2e.house import LONGEST_WAIT, NOSTRO, PARTITIONS, House, house
from tests.integration.settlement.desk import booked

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMAS = find_schemas() / "events"
ACCEPTED = """SELECT payment_id, debtor_account, lane FROM payments
WHERE client = $1 AND state = 'accepted' AND (SELECT count(*) FROM payments WHERE client = $1) >= $2"""
CREDITOR = "FR1420041010050500013M02606"


@pytest.fixture(scope="module")
def broker(servers: Path) -> Iterator[Kafka]:
    """A broker of this module alone: the services' topics have names for life."""
    found = Kafka(servers / "kafka-of-foreign-programs")
    yield found
    found.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def services(broker: Kafka, postgres: Postgres) -> AsyncIterator[House]:
    async with house(broker.bootstrap, postgres) as services:
        yield services


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def registry() -> AsyncIterator[str]:
    """The address of `goodfunds registry`."""
    listening, stop = listen("127.0.0.1", 0), asyncio.Event()
    port = listening.getsockname()[1]
    app = registry_app(read_catalogue(find_schemas()))
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, stop, listening))
    yield f"http://127.0.0.1:{port}"
    stop.set()
    await serving


Value = tuple[bytes, list[tuple[str, str | bytes | None]]]
"""A record's bytes and headers."""
Encode = Callable[[str, Mapping[str, Any]], Value]


def avro(registry: str) -> Encode:
    """By Confluent's own serializer, which asks the registry for the id of a schema file."""
    client = SchemaRegistryClient({"url": registry})
    conf = {"auto.register.schemas": False, "subject.name.strategy": record_subject_name_strategy}
    context = SerializationContext(PAYMENT_INSTRUCTIONS, MessageField.VALUE)

    def encode(name: str, fields: Mapping[str, Any]) -> Value:
        serializer = AvroSerializer(client, (SCHEMAS / f"{name}.avsc").read_text(), conf=conf)
        value = serializer({**fields, "amount_minor": Decimal(fields.get("amount_minor", 0))}, context)
        assert value is not None
        return value, []

    return encode


def plain(_registry: str) -> Encode:
    """As JSON, which says so in its headers."""

    def encode(name: str, fields: Mapping[str, Any]) -> Value:
        headers: list[tuple[str, str | bytes | None]] = [
            ("content-type", b"application/json"), ("ce_type", name.encode()),
        ]  # fmt: skip
        return json.dumps(fields, default=date.isoformat).encode(), headers

    return encode


def publish(
    bootstrap: str, records: Sequence[tuple[str, Value]], **more: str
) -> list[tuple[int, int]]:  # fmt: skip
    """Acknowledged by all replicas; (partition, offset) of each record, keyed by its account."""
    placed: list[tuple[int, int]] = []

    def delivered(fault: Any, message: Any) -> None:
        assert fault is None, fault
        placed.append((message.partition(), message.offset()))

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, **more})
    for account, (value, headers) in records:
        producer.produce(
            PAYMENT_INSTRUCTIONS, value, account.encode(), headers=headers, on_delivery=delivered
        )
    assert producer.flush(LONGEST_WAIT) == 0
    return placed


def wishes(client: str, accounts: Sequence[str], encode: Encode) -> list[tuple[str, Value]]:
    """Open, fund and pay from each account."""
    found = []
    for number, account in enumerate(accounts):
        own = {"client": client, "account": account, "currency": "EUR"}
        payment = {
            "amount_minor": 12_34, "requested_execution_date": date.today(), "currency": "EUR",  # noqa: DTZ011
            "rail": "sepa-credit", "client": client, "idempotency_key": f"{account}/pay",
            "end_to_end_id": f"E2E-{number}", "uetr": "", "debtor_account": account, "debtor_name": "Ada",
            "creditor_account": CREDITOR, "creditor_name": "Créditeur", "creditor_agent": "",
            "charge_bearer": "", "remittance_unstructured": "Rechnung 7 €", "remittance_reference": "",
            "creditor_street": "", "creditor_building": "", "creditor_postcode": "", "creditor_town": "",
            "creditor_country": "", "creditor_address_lines": [],
        }  # fmt: skip
        found += [
            (account, encode("AccountOpenRequested", {**own, "idempotency_key": f"{account}/open",
                                                      "name": "Ada"})),
            (account, encode("AccountFundRequested", {**own, "idempotency_key": f"{account}/fund",
                                                      "source": "test", "amount_minor": 100_00})),
            (account, encode("PaymentInstruction", payment)),
        ]  # fmt: skip
    return found


def accounts(client: str) -> list[str]:
    return [f"{client} {number}, Zürich" for number in range(12)]


@pytest.mark.parametrize("form", [avro, plain])
async def test_payments_of_confluent_kafka_are_accepted_on_the_lanes_that_it_chose(
    services: House, registry: str, form: Callable[[str], Encode]
) -> None:
    client = f"foreign-{form.__name__}"
    records = await asyncio.to_thread(lambda: wishes(client, accounts(client), form(registry)))
    placed = await asyncio.to_thread(publish, services.bootstrap, records, partitioner="murmur2_random")
    assert sorted(partition for partition, _ in placed) == sorted(
        lane_of(account, PARTITIONS) for account, _ in records
    )
    rows = await services.until("accepted", "ingestion", ACCEPTED, client, 12)
    assert {row["debtor_account"]: row["lane"] for row in rows} == {
        account: lane_of(account, PARTITIONS) for account in accounts(client)
    }
    assert await services.fetch("ingestion", "SELECT * FROM refused_records") == []


async def test_what_librdkafkas_own_partitioner_puts_elsewhere_is_forwarded_to_its_lane(
    services: House, registry: str
) -> None:
    records = await asyncio.to_thread(lambda: wishes("crc32", accounts("crc32"), plain(registry)))
    placed = await asyncio.to_thread(publish, services.bootstrap, records)
    assert sorted(partition for partition, _ in placed) != sorted(
        lane_of(account, PARTITIONS) for account, _ in records
    )
    rows = await services.until("accepted", "ingestion", ACCEPTED, "crc32", 12)
    assert {row["lane"] for row in rows} == {lane_of(account, PARTITIONS) for account in accounts("crc32")}


def consume(
    bootstrap: str, registry: str, enough: Callable[[list[Any]], bool]
) -> list[tuple[Any, dict[str, str], dict[str, Any]]]:
    """Settlement notifications by a stock consumer and deserializer: (message, headers, fields)."""
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "foreign",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([SETTLEMENT_NOTIFICATIONS])
    found: list[Any] = []
    try:
        for _ in range(int(LONGEST_WAIT * 5)):
            message: Any = consumer.poll(0.2)
            if message is not None:
                assert message.error() is None
                context = SerializationContext(message.topic(), MessageField.VALUE)
                headers = {name: value.decode() for name, value in message.headers()}
                found.append((message, headers, deserialize(message.value(), context)))
                consumer.commit(message=message, asynchronous=False)
            if enough(found):
                return found
        raise AssertionError(f"not within {LONGEST_WAIT:.0f} s: {found}")
    finally:
        consumer.close()


async def test_settlement_notifications_are_decoded_by_a_stock_deserializer(
    services: House, registry: str
) -> None:
    [account] = accounts("listener")[:1]
    lane = lane_of(account, PARTITIONS)
    records = await asyncio.to_thread(lambda: wishes("listener", [account], avro(registry)))
    await asyncio.to_thread(publish, services.bootstrap, records, partitioner="murmur2_random")
    [row] = await services.until("accepted", "ingestion", ACCEPTED, "listener", 1)
    payment_id = row["payment_id"]
    waiting = "SELECT batch_id FROM payments WHERE payment_id = $1"
    [batch] = await services.until("it is in a batch", "settlement", waiting, payment_id)
    await services.fetch(
        "settlement",
        "INSERT INTO requests (lane, kind, requested_by) VALUES ($1, 'close_cut_off', 'test')",
        lane,
    )
    sealed = "SELECT 1 FROM batches WHERE batch_id = $1 AND sealed_at IS NOT NULL"
    await services.until("it is sealed", "settlement", sealed, batch["batch_id"])
    answers: list[Any] = [
        types.BatchSubmitted(batch["batch_id"], 1_772_524_800_000_000, "GF-1", "GF-1", NOSTRO),
        booked(12_34, payment_id=payment_id, batch_id=batch["batch_id"], nostro=NOSTRO,
               end_to_end_id="E2E-0"),
    ]  # fmt: skip
    for answer in answers:
        stamped = services.ours(BANK_NOTIFICATIONS, lane, b"gateway.1")
        await services.send(BANK_NOTIFICATIONS, lane, answer.encode(), stamped)

    def of_payment(found: list[Any]) -> list[Any]:
        return [each for each in found if each[2].get("payment_id") == payment_id]

    told = await asyncio.to_thread(
        consume, services.bootstrap, registry, lambda found: len(of_payment(found)) >= 2
    )
    (first, submitted_headers, submitted), (second, settled_headers, settled) = of_payment(told)
    assert submitted_headers["ce_type"] == "PaymentSubmitted"
    assert settled_headers["ce_type"] == "PaymentSettled"
    assert submitted["message_id"] == "GF-1"
    assert UUID(bytes=settled["payment_id"]).version == 7
    assert settled["amount_minor"] == Decimal(12_34)
    assert settled["booking_date"] == answers[1].booking_date
    assert settled["settled_at"].utcoffset().total_seconds() == 0
    assert (settled["account"], settled["currency"], settled["finality"]) == (account, "EUR", "booked")
    assert {first.key(), second.key()} == {account.encode()}
    assert {first.partition(), second.partition()} == {lane}
    for message, headers, _ in told:
        assert headers["producer"].startswith("settlement.")
        assert headers["lane"] == str(message.partition())
        assert headers["ce_source"] == "/goodfunds/settlement"
    of_lane = [int(headers["seq"]) for message, headers, _ in told if message.partition() == lane]
    assert of_lane == list(range(1, len(of_lane) + 1))
