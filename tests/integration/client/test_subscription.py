"""Subscriptions on a real broker: what was finished is committed, the rest comes again; repeats and gaps."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from goodfunds import (
    Batch,
    Gap,
    Misconfigured,
    PaymentSettled,
    PaymentSubmitted,
    Received,
    Subscription,
    Unavailable,
    Unreadable,
    run,
)
from tests.integration.client.stand import Stand

PATIENCE = 30


async def first_batch(subscription: Subscription) -> Batch:
    async with asyncio.timeout(PATIENCE):
        async for batch in subscription:
            return batch
    raise AssertionError("stopped")


async def hear(subscription: Subscription, count: int, commit: bool = True) -> list[int]:
    """The amounts of the next so many events."""
    heard: list[int] = []
    async with asyncio.timeout(PATIENCE):
        async for batch in subscription:
            heard += [amount(received) for received in batch]
            if commit:
                await batch.commit()
            if len(heard) >= count:
                return heard
    raise AssertionError("stopped")


def amount(received: Received) -> int:
    return int(received.event.amount_minor)  # type: ignore[union-attr]


async def test_events_come_typed_and_say_where_they_lay(stand: Stand) -> None:
    await stand.tell([5], "customer-9")
    async with stand.subscription() as subscription:
        [received] = await first_batch(subscription)
    assert type(received.event).__name__ == "PaymentSettled"
    assert (received.key, received.seq, received.offset) == ("customer-9", 1, 0)
    assert received.event_id == f"settlement/{received.lane}/1"
    assert (received.producer, received.topic) == ("settlement.test", stand.topic)


async def test_what_was_committed_does_not_come_again_and_what_was_not_does(stand: Stand) -> None:
    await stand.tell([1, 2, 3])
    async with stand.subscription() as subscription:
        assert await hear(subscription, 3) == [1, 2, 3]
        await stand.tell([4, 5])
        assert await hear(subscription, 2, commit=False) == [4, 5]
    async with stand.subscription() as subscription:
        assert await hear(subscription, 2) == [4, 5]


async def test_a_batch_that_is_finished_in_part_is_committed_in_part(stand: Stand) -> None:
    await stand.tell([1, 2, 3, 4])
    async with stand.subscription() as subscription:
        batch = await first_batch(subscription)
        assert len(batch) == 4
        await batch.commit(through=batch.events[1])
    async with stand.subscription() as subscription:
        assert await hear(subscription, 2) == [3, 4]


async def test_an_event_that_was_published_again_is_dropped_even_after_a_restart(stand: Stand) -> None:
    await stand.tell([1, 2])
    await stand.repeat(1, 1)
    async with stand.subscription() as subscription:
        assert await hear(subscription, 2) == [1, 2]
    await stand.repeat(2, 2)
    await stand.tell([3])
    async with stand.subscription() as subscription:
        assert await hear(subscription, 1) == [3]


async def test_a_gap_stops_the_subscription_even_one_that_fell_into_its_pause(stand: Stand) -> None:
    await stand.tell([1])
    async with stand.subscription() as subscription:
        assert await hear(subscription, 1) == [1]
    await stand.tell([3], skip=1)
    async with stand.subscription() as subscription:
        for _ in range(2):
            with pytest.raises(Gap, match="seq 3 follows 1"):
                await hear(subscription, 1)


async def test_a_gap_may_be_flagged_and_passed(stand: Stand) -> None:
    await stand.tell([1])
    await stand.tell([3], skip=1)
    async with stand.subscription(gaps="flag") as subscription:
        batch = await first_batch(subscription)
        assert [amount(received) for received in batch] == [1, 3]
        assert len(batch.gaps) == 1
        await batch.commit()
    await stand.tell([4])
    async with stand.subscription() as subscription:
        assert await hear(subscription, 1) == [4]


async def test_an_event_that_the_library_does_not_know_stops_it_and_is_not_passed_by(stand: Stand) -> None:
    await stand.tell([1])
    await stand.novelty()
    async with stand.subscription() as subscription:
        for _ in range(2):
            with pytest.raises(Unreadable, match="schema id 9999"):
                await hear(subscription, 2)
    async with stand.subscription(only=(PaymentSettled,)) as subscription:
        assert await hear(subscription, 1) == [1]


async def test_a_subscription_may_begin_behind_the_latest_event_and_keeps_to_it(stand: Stand) -> None:
    await stand.tell([1, 2])
    async with stand.subscription(start="latest") as subscription:
        reading = asyncio.create_task(first_batch(subscription))

        async def begun() -> bool:
            return subscription._reader is not None and bool(subscription._reader.held)

        await stand.until("the partitions are held", begun)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await stand.tell([3])
    async with stand.subscription(start="latest") as subscription:
        assert await hear(subscription, 1) == [3], "not behind what came while nobody read"


async def test_of_types_that_are_not_wanted_nothing_comes_and_the_group_moves_on(stand: Stand) -> None:
    await stand.tell([1, 2])
    async with stand.subscription(only=(PaymentSubmitted,)) as subscription:
        reading = asyncio.create_task(first_batch(subscription))

        async def passed() -> bool:
            held = subscription._reader.held if subscription._reader else {}
            return any(each.stored.offset == 2 for each in held.values())

        await stand.until("both are passed by", passed)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    await stand.tell([3])
    async with stand.subscription() as subscription:
        assert await hear(subscription, 1) == [3]


async def test_two_members_share_the_partitions_and_nothing_is_lost_when_one_leaves(stand: Stand) -> None:
    accounts = [f"customer-{number}" for number in range(9)]
    heard: list[int] = []

    async def follow(subscription: Subscription) -> None:
        async with subscription:
            async for batch in subscription:
                heard.extend(amount(received) for received in batch)
                await batch.commit()

    first, second = stand.subscription(), stand.subscription()
    works = [asyncio.create_task(follow(each)) for each in (first, second)]
    for place, account in enumerate(accounts):
        await stand.tell([place], account)

    async def all_heard(count: int) -> bool:
        return len(set(heard)) >= count

    await stand.until("nine events", lambda: all_heard(9))
    first.stop()
    await works[0]
    for place, account in enumerate(accounts):
        await stand.tell([100 + place], account)
    await stand.until("eighteen events", lambda: all_heard(18))
    second.stop()
    await works[1]


async def test_a_stop_ends_the_iteration_behind_the_batch_under_way(stand: Stand) -> None:
    await stand.tell([1])
    async with stand.subscription() as subscription:
        async with asyncio.timeout(PATIENCE):
            async for batch in subscription:
                subscription.stop()
                await batch.commit()
        assert subscription.stopping


async def test_a_handler_is_called_with_each_event_and_what_it_finished_is_committed(stand: Stand) -> None:
    await stand.tell([1, 2, 3, 4])
    handled: list[int] = []

    async def handle(received: Received) -> None:
        if amount(received) == 3 and handled == [1, 2]:
            handled.append(-3)
            raise ValueError("not this one")
        handled.append(amount(received))
        if handled[-1] == 4:
            subscription.stop()

    subscription = stand.subscription()
    with pytest.raises(ValueError, match="not this one"):
        async with asyncio.timeout(PATIENCE):
            await run(subscription, handle)
    subscription = stand.subscription()
    async with asyncio.timeout(PATIENCE):
        await run(subscription, handle)
    assert handled == [1, 2, -3, 3, 4]


async def test_a_handlers_fault_that_may_pass_is_tried_again(stand: Stand) -> None:
    await stand.tell([1])
    calls = 0

    async def handle(received: Received) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionResetError
        subscription.stop()

    subscription = stand.subscription()
    async with asyncio.timeout(PATIENCE):
        await run(subscription, handle)
    assert calls == 2


async def test_a_broker_that_is_not_there_is_a_fault_that_may_pass() -> None:
    with pytest.raises(Unavailable):
        async with Subscription("settlement-notifications", group="books", bootstrap="127.0.0.1:1"):
            pass


def test_what_clients_write_is_no_topic_of_events() -> None:
    with pytest.raises(Misconfigured, match="payment-instructions"):
        Subscription("payment-instructions", group="books", bootstrap="127.0.0.1:1")


async def test_one_subscription_keeps_its_positions_in_one_place(stand: Stand) -> None:
    await stand.tell([1])
    async with stand.pool() as pool, stand.subscription() as subscription:
        await first_batch(subscription)
        with pytest.raises(Misconfigured):
            async with subscription.transaction(pool):
                pass
    with pytest.raises(Misconfigured, match="async with"):
        await first_batch(stand.subscription())


async def test_an_offset_that_the_topic_no_longer_has_is_a_gap(kafka: Any, stand: Stand) -> None:
    await stand.tell([1, 2, 3])
    async with stand.subscription() as subscription:
        batch = await first_batch(subscription)
        await batch.commit(through=batch.events[0])
    await forget_records(kafka.bootstrap, stand.topic, batch.events[0].partition, 2)
    async with stand.subscription() as subscription:
        with pytest.raises(Gap, match="does not have offset 1"):
            await hear(subscription, 1)
    async with stand.subscription(gaps="flag") as subscription:
        batch = await first_batch(subscription)
        assert [amount(received) for received in batch] == [3]
        assert len(batch.gaps) == 1


async def forget_records(bootstrap: str, topic: str, partition: int, before: int) -> None:
    """As retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()
