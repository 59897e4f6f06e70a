"""Publishing on a real broker: receipts, lanes, order, refusals, bounds, and a broker that goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from goodfunds import (
    DeliveryFailed,
    Misconfigured,
    PaymentInstruction,
    Publisher,
    Receipt,
    RequestRefused,
    Unavailable,
)
from goodfunds.lanes import lane_of
from services.ingestion.incoming import Asked, read_request
from tests.integration.client.stand import PARTITIONS, Stand
from tests.integration.client.transfers import transfer


async def test_a_receipt_says_where_the_request_lies_and_ingestion_reads_it_there(stand: Stand) -> None:
    async with stand.publisher() as publisher:
        receipts = [
            await publisher.submit(transfer(number, f"customer-{number}"), traceparent="00-0-0-01")
            for number in range(6)
        ]
    records = {(record.partition, record.offset): record for record in await stand.records()}
    assert len(records) == 6
    for number, receipt in enumerate(receipts):
        assert receipt.offset is not None
        record = records[receipt.partition, receipt.offset]
        asked = read_request(record)
        assert isinstance(asked, Asked)
        assert asked.request.idempotency_key == receipt.idempotency_key == f"{number}"
        assert asked.request.client == "shop"
        assert record.partition == lane_of(asked.account, PARTITIONS)
        assert record.key == asked.account.encode()
        assert dict(record.headers)["traceparent"] == b"00-0-0-01"


async def test_many_are_published_in_order_with_a_receipt_each(stand: Stand) -> None:
    sent = [transfer(number, f"customer-{number % 7}") for number in range(3_000)]
    async with stand.publisher() as publisher:
        receipts = [receipt async for receipt in publisher.submit_many(sent)]
    assert [receipt.idempotency_key for receipt in receipts] == [each.idempotency_key for each in sent]
    by_account: dict[bytes, list[int]] = {}
    for record in await stand.records():
        by_account.setdefault(record.key, []).append(int(read_key(record)))
    assert by_account == {
        f"customer-{account}".encode(): list(range(account, 3_000, 7)) for account in range(7)
    }


def read_key(record: Any) -> str:
    asked = read_request(record)
    assert isinstance(asked, Asked)
    return asked.request.idempotency_key


async def test_an_iterable_is_read_no_further_than_is_under_way(stand: Stand) -> None:
    read = 0

    def source() -> Iterator[PaymentInstruction]:
        nonlocal read
        for number in range(400):
            read += 1
            yield transfer(number)

    had = 0
    async with stand.publisher() as publisher:
        async for _ in publisher.submit_many(source(), in_flight=10):
            had += 1
            assert read - had <= 10
    assert had == 400


async def test_an_asynchronous_iterable_will_do(stand: Stand) -> None:
    async def source() -> AsyncIterator[PaymentInstruction]:
        for number in range(3):
            await asyncio.sleep(0)
            yield transfer(number)

    async with stand.publisher() as publisher:
        assert len([receipt async for receipt in publisher.submit_many(source())]) == 3


async def gather(had: list[Receipt], receipts: AsyncIterator[Receipt]) -> None:
    async for receipt in receipts:
        had.append(receipt)


async def test_what_is_refused_is_not_sent_and_nothing_behind_it_is_read(stand: Stand) -> None:
    sent = iter([transfer(0), transfer(1), transfer(2, amount=0), transfer(3)])
    had: list[Receipt] = []
    async with stand.publisher() as publisher:
        with pytest.raises(RequestRefused) as refused:
            await gather(had, publisher.submit_many(sent))
        assert (refused.value.code, refused.value.idempotency_key) == ("AM01", "2")
        assert [receipt.idempotency_key for receipt in had] == ["0", "1"]
        had += [receipt async for receipt in publisher.submit_many(sent)]
    assert await stand.keys() == ["0", "1", "3"]


async def test_many_tasks_may_use_one_publisher(stand: Stand) -> None:
    async with stand.publisher() as publisher:
        receipts = await asyncio.gather(*(publisher.submit(transfer(number)) for number in range(200)))
    assert sorted(await stand.keys(), key=int) == [f"{number}" for number in range(200)]
    assert len({(receipt.partition, receipt.offset) for receipt in receipts}) == 200


async def test_outside_of_its_block_nothing_is_sent(stand: Stand) -> None:
    publisher = stand.publisher()
    with pytest.raises(Misconfigured, match="async with"):
        await publisher.submit(transfer(0))
    assert await stand.keys() == []


async def test_a_broker_that_is_not_there_is_a_fault_that_may_pass(stand: Stand) -> None:
    with pytest.raises(Unavailable) as fault:
        async with Publisher("127.0.0.1:1", client="shop"):
            pass
    assert fault.value.retriable


@pytest.mark.long  # A broker is away until a time-out of the client's is over.
async def test_what_a_broker_does_not_acknowledge_has_failed_and_goes_out_later_under_its_key(
    kafka: Any, stand: Stand
) -> None:
    async with stand.publisher(answer_timeout=3.0) as publisher:
        await publisher.submit(transfer(0))
        kafka.stop()
        try:
            with pytest.raises(DeliveryFailed) as fault:
                await publisher.submit(transfer(1))
            assert fault.value.retriable
        finally:
            kafka.start()
        async with asyncio.timeout(60):
            for number in (1, 2):
                await until_submitted(publisher, transfer(number))
    keys = await stand.keys()
    assert list(dict.fromkeys(keys)) == ["0", "1", "2"]


async def until_submitted(publisher: Publisher, request: PaymentInstruction) -> Receipt:
    while True:
        try:
            return await publisher.submit(request)
        except (DeliveryFailed, Unavailable):
            await asyncio.sleep(0.2)
