"""Bad input on every topic: a clear answer, nothing lost, nothing half-done, and the good goes on."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from goodfunds.events import types
from goodfunds.events.topics import (
    BANK_NOTIFICATIONS,
    BANK_STATEMENTS,
    CONTROL_TOTALS,
    PAYMENT_INSTRUCTIONS,
    PAYMENTS,
    SETTLEMENT_NOTIFICATIONS,
)
from goodfunds.ids import NO_ID
from tests.conftest import Kafka, Postgres
from tests.e2e.house import Headers, House, account_of, house
from tests.unit.ingestion.requests import funding, instruction, opening

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENTS, MANNERS, TOTALS, RESTARTED = 14, 15, 14, 15
"""Lanes that no test stops."""
TWO_MEGABYTES = b"\x00" * 2_000_000
UNKNOWN_SCHEMA = b"\x00\x00\x00\x27\x0fbody"
UNREADABLE: dict[str, bytes | None] = {
    "null": None,
    "zero bytes": b"",
    "2 MB": TWO_MEGABYTES,
    "unknown schema id": UNKNOWN_SCHEMA,
    "no Avro": b"{}",
}
MALFORMED: tuple[Headers, ...] = (
    (("content-type", None),),
    (("ce_type", None), ("content-type", b"\xff")),
    (("traceparent", b"x" * 300), ("producer", None), ("lane", b"x"), ("seq", b"-1")),
    (("producer", b"ingestion.1"), ("first_time", b"9" * 5_000)),
    (("first_time", None), ("\0", b"\0"), ("", b"")),
)
NOT_OURS: dict[str, Headers] = {
    "no headers": (),
    "no seq": (("producer", b"neighbour.1"), ("lane", b"0")),
    "a seq that is no number": (("producer", b"neighbour.1"), ("lane", b"0"), ("seq", b"one")),
    "a null producer": (("producer", None), ("lane", b"0"), ("seq", b"1")),
    "a producer that is no text": (("producer", b"\xff\xfe"), ("lane", b"0"), ("seq", b"1")),
}


@pytest.fixture(scope="module")
def broker(servers: Path) -> Iterator[Kafka]:
    """A broker of this module alone: the services' topics have names for life."""
    found = Kafka(servers / "kafka-of-bad-input")
    yield found
    found.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def services(broker: Kafka, postgres: Postgres) -> AsyncIterator[House]:
    async with house(broker.bootstrap, postgres) as services:
        yield services


async def fund(services: House, lane: int, amount_minor: int = 1_000_00) -> str:
    """An account of a lane with money in it."""
    account = account_of(lane)
    for wish in (opening(account, f"open-{account}"), funding(amount_minor, account, f"fund-{account}")):
        await services.send(PAYMENT_INSTRUCTIONS, lane, wish.encode())
    return account


async def test_bad_records_of_clients_are_refused_one_by_one_and_a_good_payment_still_goes_through(
    services: House,
) -> None:
    account = await fund(services, CLIENTS)
    good = instruction(debtor_account=account)
    refused = []
    for value in UNREADABLE.values():
        refused.append(await services.send(PAYMENT_INSTRUCTIONS, CLIENTS, value))
        refused.append(await services.send(PAYMENT_INSTRUCTIONS, CLIENTS, value, MALFORMED[2]))
    for place, headers in enumerate(MALFORMED):
        named = replace(good, idempotency_key=f"malformed-{place}", amount_minor=1)
        await services.send(PAYMENT_INSTRUCTIONS, CLIENTS, named.encode(), headers)
    await services.send(PAYMENT_INSTRUCTIONS, CLIENTS, good.encode())
    accepted = await services.told(CLIENTS, types.PaymentAccepted, len(MALFORMED) + 1)
    assert accepted[-1].instruction == good
    rows = await services.fetch(
        "ingestion", "SELECT source_offset FROM refused_records WHERE lane = $1 ORDER BY 1", CLIENTS
    )
    assert [row[0] for row in rows] == refused
    assert await services.fetch("ingestion", "SELECT * FROM parked") == []
    waiting = "SELECT 1 FROM payments WHERE payment_id = $1"
    await services.until("it reached settlement", "settlement", waiting, accepted[-1].payment_id)


async def test_each_bad_payment_has_a_clear_answer(services: House) -> None:
    account = await fund(services, MANNERS)
    fine = instruction(debtor_account=account, client="manners")
    cases: dict[str, dict[str, Any]] = {
        "AM11": {"currency": "EUX"},
        "AM03": {"currency": "JPY"},
        "AM01": {"amount_minor": 0},
        "AM12": {"amount_minor": -1},
        "AC03": {"creditor_account": "FR1420041010050500013M02607"},
        "AC03 ": {"creditor_account": "AE070331234567890123456"},
        "BE20": {"creditor_name": "x" * 71},
        "BE19": {"charge_bearer": "DEBT"},
        "AM04": {"amount_minor": 999_999_00},
    }
    for code, changes in cases.items():
        bad = replace(fine, idempotency_key=code, **changes)
        await services.send(PAYMENT_INSTRUCTIONS, MANNERS, bad.encode())
    rejected = await services.told(MANNERS, types.PaymentRejected, len(cases))
    assert [(each.instruction.idempotency_key, each.reason_code) for each in rejected] == [
        (code, code.strip()) for code in cases
    ]
    assert all(each.reason for each in rejected)
    await services.send(PAYMENT_INSTRUCTIONS, MANNERS, fine.encode())
    await services.send(PAYMENT_INSTRUCTIONS, MANNERS, replace(fine, amount_minor=1).encode())
    (refused,) = await services.told(MANNERS, types.InstructionRefused)
    assert (refused.client, refused.idempotency_key, refused.reason_code) == ("manners", "key", "AM05")
    (accepted,) = await services.told(MANNERS, types.PaymentAccepted)
    assert accepted.instruction == fine


async def test_bad_records_among_control_totals_are_stored_and_a_good_total_still_counts(
    services: House,
) -> None:
    for value in UNREADABLE.values():
        await services.send(CONTROL_TOTALS, TOTALS, value)
        await services.send(CONTROL_TOTALS, TOTALS, value, MALFORMED[2])
    total = types.ControlTotal(
        amount_minor=7, computed_at=1_772_524_800_000_000, service="control-totals", topic=PAYMENTS,
        total_partition=TOTALS,
        producer="ingestion.1", producer_lane=TOTALS, last_seq=1, last_offset=0, currency="EUR",
        event_type="PaymentAccepted", count=1,
    )  # fmt: skip
    for impossible in (replace(total, topic="a\0b"), replace(total, computed_at=2**62)):
        await services.send(CONTROL_TOTALS, TOTALS, impossible.encode())
    await services.send(CONTROL_TOTALS, TOTALS, total.encode(), MALFORMED[0])
    await services.until("the total", "reconciliation", "SELECT 1 FROM control_totals WHERE amount_minor = 7")
    (row,) = await services.fetch("reconciliation", "SELECT count(*) FROM refused_records")
    assert row[0] == 2 * len(UNREADABLE) + 2


READ_BY = {
    PAYMENTS: ("settlement",),
    BANK_NOTIFICATIONS: ("settlement",),
    SETTLEMENT_NOTIFICATIONS: ("ingestion", "reconciliation"),
    BANK_STATEMENTS: ("reconciliation",),
}
TRUNCATED = {
    PAYMENTS: types.PaymentAccepted(NO_ID, instruction(), 0).encode()[:-20],
    SETTLEMENT_NOTIFICATIONS: types.PaymentRejectedByBank(
        NO_ID, NO_ID, 1, 0, "a", "EUR", "sepa-credit", "", "", "AC04", ""
    ).encode()[:-3],
}


def not_of_a_service() -> Iterator[tuple[str, int, bytes | None, Headers | None]]:
    """(topic, lane, value, headers; None: those of a producer of ours), a lane each in every service."""
    for first, topics in (
        (0, (PAYMENTS, SETTLEMENT_NOTIFICATIONS)),
        (5, (BANK_NOTIFICATIONS, BANK_STATEMENTS)),
    ):
        for topic in topics:
            values = [UNREADABLE[name] for name in ("null", "zero bytes", "2 MB", "unknown schema id")]
            values += [TRUNCATED[topic]] if topic in TRUNCATED else []
            for lane, value in enumerate(values, first):
                yield topic, lane, value, None
    sound = {
        PAYMENTS: types.AccountOpened("a", "EUR", "n", 0).encode(),
        SETTLEMENT_NOTIFICATIONS: types.PaymentSubmitted.SCHEMA_ID.to_bytes(5, "big") + bytes(60),
    }
    for topic, value in sound.items():
        for lane, headers in enumerate(NOT_OURS.values(), 9):
            yield topic, lane, value, headers


async def test_what_a_service_cannot_have_written_stops_its_lane_durably_and_no_other(
    services: House,
) -> None:
    expected: dict[str, dict[int, str]] = {name: {} for name in services.databases}
    for topic, lane, value, headers in not_of_a_service():
        offset = await services.send(
            topic, lane, value, services.ours(topic, lane) if headers is None else headers
        )
        assert offset == 0
        for service in READ_BY[topic]:
            expected[service][lane] = topic
    await _until_stopped(services, expected)
    await services.end()
    services.start()
    account = await fund(services, RESTARTED)
    good = instruction(debtor_account=account, client="after the restart")
    await services.send(PAYMENT_INSTRUCTIONS, RESTARTED, good.encode())
    events = await services.told(RESTARTED, types.PaymentAccepted, 2)
    assert good in [each.instruction for each in events]
    await _until_stopped(services, expected)


async def _until_stopped(services: House, expected: dict[str, dict[int, str]]) -> None:
    """The lanes are stopped for a reason that names the place, and their record is not passed over."""
    for service, lanes in expected.items():
        enough = "SELECT 1 FROM lanes HAVING count(stopped_reason) >= $1"
        await services.until(f"{service}'s lanes are stopped", service, enough, len(lanes))
        stopped = await services.stopped(service)
        assert stopped.keys() == lanes.keys()
        for lane, reason in stopped.items():
            assert f"{lanes[lane]}/{lane}" in reason, reason
        rows = await services.fetch(service, "SELECT lane, offsets FROM lanes WHERE stopped_reason <> ''")
        assert {row["lane"]: json.loads(row["offsets"])[lanes[row["lane"]]] for row in rows} == dict.fromkeys(
            lanes, 0
        )
