"""The evidence read from three real databases: what differs is named, what is parked is not missing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.events import types
from goodfunds.ids import NO_ID, derived_id, text
from goodfunds.postgres import connect
from goodfunds.proof import Proof, judge, read_evidence
from goodfunds.service import migrations_of, services
from tests.bench.lay import lay
from tests.integration.settlement.desk import instruction

LANE = 1
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
YESTERDAY, TODAY = date(2026, 11, 26), date(2026, 11, 27)
BATCH = derived_id(0, b"batch")
NOSTRO = "DE89370400440532013000"
FUNDING = derived_id(0, b"funding")
ONE, TWO, THREE = (derived_id(number, b"payment") for number in (1, 2, 3))
AMOUNTS = {ONE: 100, TWO: 250, THREE: 70}
"""ONE and TWO are settled, THREE is rejected by the bank and refunded."""


@pytest.fixture(scope="module")
def sound(postgres: Any) -> Iterator[dict[str, str]]:
    """Three databases, by service, in which three payments of one lane have their end; to be copied."""
    names = {service: f"proof_{service}_{uuid4().hex[:8]}" for service in services()}

    async def make() -> None:
        house = {}
        for name, database in names.items():
            like = await postgres.template(migrations_of(services()[name]))
            house[name] = await connect(await postgres.create(database, like))
        await _fill(house)
        for connection in house.values():
            await connection.close()

    asyncio.run(make())
    yield names
    for database in names.values():
        asyncio.run(postgres.drop(database))


@pytest.fixture
async def house(postgres: Any, sound: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
    """A connection to a copy of each service's database."""
    found = {}
    for name, database in sound.items():
        found[name] = await connect(await postgres.create(f"{database}_copy", like=database))
        # What the tests do to these rows no trigger and no foreign key would let pass.
        await found[name].execute("SET session_replication_role = replica")
    yield found
    for name, database in sound.items():
        await found[name].close()
        await postgres.drop(f"{database}_copy")


async def _fill(house: dict[str, Any]) -> None:
    for name, connection in house.items():
        await connection.execute(f"INSERT INTO cluster (incarnation, partitions) VALUES ('{name[0]}', 2)")
        marks = {
            "ingestion": f'{{"settlement-notifications|settlement.s|{LANE}": 3}}',
            "settlement": f'{{"payments|ingestion.i|{LANE}": 3}}',
            "reconciliation": f'{{"settlement-notifications|settlement.s|{LANE}": 3}}',
        }
        await connection.execute(
            "INSERT INTO lanes (lane, incarnation, offsets, watermarks) VALUES ($1, 'x', '{}', $2::jsonb)",
            LANE, marks[name],
        )  # fmt: skip
    ingestion, settlement, reconciliation = (house[n] for n in ("ingestion", "settlement", "reconciliation"))
    await settlement.execute(
        "INSERT INTO batches (batch_id, lane, rail, nostro, currency, requested_date, sequence, cut_off_at,"
        " opened_at) VALUES ($1, $2, 'sepa-credit', $3, 'EUR', $4, 1, $5, $5)",
        BATCH, LANE, NOSTRO, TODAY, NOW,
    )  # fmt: skip
    await _post(ingestion, FUNDING, "funding:demo", "A", sum(AMOUNTS.values()), "funded")
    for seq, (payment_id, minor) in enumerate(AMOUNTS.items(), 1):
        await ingestion.execute(
            "INSERT INTO payments VALUES ($1, $2, 'c', $3, '', 'A', $4, 'EUR', 'sepa-credit', 'accepted', '',"
            " '', '', '', 0, $5, $6)", payment_id, LANE, str(seq), minor, seq, NOW,
        )  # fmt: skip
        await _post(ingestion, payment_id, "A", "transit-out:sepa-credit", minor, "accepted")
        await settlement.execute(
            "INSERT INTO payments VALUES ($1, $2, $3, $4, 'A', '', $5, $5, $6, '', '')",
            payment_id, LANE, BATCH, minor, seq, NOW,
        )  # fmt: skip
    for seq, payment_id in enumerate((ONE, TWO), 1):
        minor = AMOUNTS[payment_id]
        await settlement.execute(
            "INSERT INTO settlements VALUES ($1, $2, $3, 'camt.054', '', $4, $5, $6)",
            payment_id, LANE, minor, TODAY, NOW, seq,
        )  # fmt: skip
        await _post(settlement, payment_id, "transit-out:sepa-credit", f"nostro:{NOSTRO}", minor, "settled")
        await reconciliation.execute(
            "INSERT INTO expected_items VALUES ($1, $2, -1, $3, $4, 'EUR', $5, 'A', '', $6, $7, 0, $8, NULL,"
            " 0, '')", LANE, payment_id, BATCH, -minor, NOSTRO, NOW, seq, TODAY,
        )  # fmt: skip
    await reconciliation.execute(
        "INSERT INTO batches VALUES ($1, $2, $3, 'EUR', $4, 2, $5, 0, 0, 0)",
        LANE, BATCH, NOSTRO, NOW, -AMOUNTS[ONE] - AMOUNTS[TWO],
    )  # fmt: skip
    await settlement.execute(
        "INSERT INTO rejections VALUES ($1, $2, $3, 'AC04', '', $4, 3)", THREE, LANE, AMOUNTS[THREE], NOW
    )
    await ingestion.execute(
        "INSERT INTO refunds VALUES ($1, $2, $3, 'EUR', 'rejected', 'A', 'AC04', 3, 3, 4, $4)",
        THREE, LANE, AMOUNTS[THREE], NOW,
    )  # fmt: skip
    await _post(ingestion, THREE, "transit-out:sepa-credit", "A", AMOUNTS[THREE], "refunded")


async def _post(connection: Any, payment_id: bytes, debit: str, credit: str, minor: int, kind: str) -> None:
    await connection.execute(
        "INSERT INTO postings VALUES ($1, $2, $3, $4, $5, 'EUR', $6, $7)",
        LANE, payment_id, debit, credit, minor, kind, NOW,
    )  # fmt: skip
    for account, moved in ((debit, -minor), (credit, minor)):
        await connection.execute(
            "WITH kept AS (UPDATE balances SET balance_minor = balance_minor + $3"
            " WHERE lane = $1 AND account = $2 RETURNING 1)"
            " INSERT INTO balances SELECT $1, $2, 'EUR', $3 WHERE NOT EXISTS (SELECT FROM kept)",
            LANE, account, moved,
        )  # fmt: skip


async def proof_of(house: dict[str, Any]) -> Proof:
    """The proof, but for the second reader, which has no part in these databases."""
    return judge(replace(await read_evidence(house), control_totals=()))


def broken(proof: Proof) -> dict[str, str]:
    return {check.name: " ".join(check.lines) for check in proof.checks if not check.holds}


async def test_three_databases_that_agree_prove_every_cent(house: dict[str, Any]) -> None:
    proof = await proof_of(house)
    assert broken(proof) == {}
    assert proof.unaccounted == {"EUR": 0}


@pytest.mark.parametrize(
    ("service", "table", "rule"),
    [
        ("ingestion", "payments", "what ingestion accepted, settlement received"),
        ("settlement", "payments", "what ingestion accepted, settlement received"),
        ("settlement", "settlements", "what settlement moved, reconciliation knows"),
        ("reconciliation", "expected_items", "what settlement moved, reconciliation knows"),
    ],
)
@pytest.mark.parametrize("sabotage", ["exchanged", "a cent"])
async def test_payments_of_one_lane_that_differ_are_named_even_where_the_sums_agree(
    house: dict[str, Any], service: str, table: str, rule: str, sabotage: str
) -> None:
    change = {
        "exchanged": f"UPDATE {table} a SET amount_minor = b.amount_minor FROM {table} b"
        " WHERE a.payment_id IN ($1, $2) AND b.payment_id IN ($1, $2) AND a.payment_id <> b.payment_id",
        "a cent": f"UPDATE {table} SET amount_minor = amount_minor + 1 WHERE payment_id IN ($1, $2)",
    }
    await house[service].execute(change[sabotage], ONE, TWO)
    found = broken(await proof_of(house))
    assert text(ONE) in found[rule]
    assert text(TWO) in found[rule]


async def test_a_batch_that_counts_as_open_what_has_its_end_is_named(house: dict[str, Any]) -> None:
    await house["settlement"].execute("UPDATE batches SET open_payments = 1, open_minor = $1", AMOUNTS[ONE])
    found = broken(await proof_of(house))
    assert list(found) == ["each database agrees with itself"]
    (line,) = found.values()
    assert f"open payments against outcomes: lane {LANE}, batch_id {text(BATCH)}" in line
    assert f"counted 1, counted_minor {AMOUNTS[ONE]}, open 0, open_minor 0" in line


@pytest.mark.parametrize(("service", "table"), [("settlement", "rejections"), ("ingestion", "refunds")])
async def test_a_payment_given_back_by_one_side_alone_is_named(
    house: dict[str, Any], service: str, table: str
) -> None:
    await house[service].execute(f"DELETE FROM {table}")
    proof = await proof_of(house)
    assert text(THREE) in broken(proof)["what settlement gave back, ingestion refunded"]
    assert proof.unaccounted == {"EUR": AMOUNTS[THREE]}


async def test_a_payment_whose_event_is_parked_is_not_missing_and_is_listed(house: dict[str, Any]) -> None:
    await house["settlement"].execute("DELETE FROM settlements WHERE payment_id = $1", ONE)
    await house["settlement"].execute("ALTER TABLE postings DISABLE TRIGGER append_only")
    await house["settlement"].execute("DELETE FROM postings WHERE entry_id = $1", ONE)
    await house["settlement"].execute(
        "UPDATE balances SET balance_minor = balance_minor - sign(balance_minor) * $1", AMOUNTS[ONE]
    )
    await house["settlement"].execute("DELETE FROM payments WHERE payment_id = $1", ONE)
    await house["reconciliation"].execute("DELETE FROM expected_items WHERE payment_id = $1", ONE)
    await house["reconciliation"].execute(
        "UPDATE batches SET open_debits = 1, open_debit_minor = $1", -AMOUNTS[TWO]
    )
    assert text(ONE) in broken(await proof_of(house))["what ingestion accepted, settlement received"]
    event = types.PaymentAccepted(ONE, instruction(amount_minor=AMOUNTS[ONE], currency="EUR"), 0)
    await _park(house["settlement"], "payments", event, AMOUNTS[ONE])
    proof = await proof_of(house)
    assert broken(proof) == {}
    assert len(proof.open) == 1


@pytest.mark.parametrize("service", ["ingestion", "reconciliation"])
async def test_what_settlement_told_and_a_consumer_parked_is_not_missing(
    house: dict[str, Any], service: str
) -> None:
    if service == "ingestion":
        await house[service].execute("DELETE FROM refunds")
        await house[service].execute("ALTER TABLE postings DISABLE TRIGGER append_only")
        await house[service].execute("DELETE FROM postings WHERE kind = 'refunded'")
        await house[service].execute(
            "UPDATE balances SET balance_minor = balance_minor + $1::bigint"
            " * CASE account WHEN 'A' THEN -1 ELSE 1 END"
            " WHERE account <> 'funding:demo'",
            AMOUNTS[THREE],
        )
        event: Any = types.PaymentRejectedByBank(
            THREE, BATCH, AMOUNTS[THREE], 0, "A", "EUR", "sepa-credit", NOSTRO, "", "AC04", ""
        )
    else:
        await house[service].execute("DELETE FROM expected_items WHERE payment_id = $1", ONE)
        await house[service].execute(
            "UPDATE batches SET open_debits = 1, open_debit_minor = $1", -AMOUNTS[TWO]
        )
        event = types.PaymentSettled(
            ONE, BATCH, AMOUNTS[ONE], 0, "A", "EUR", "sepa-credit", NOSTRO, "", "", TODAY, "booked"
        )
    assert broken(await proof_of(house)) != {}
    await _park(house[service], "settlement-notifications", event, event.amount_minor)
    proof = await proof_of(house)
    assert broken(proof) == {}
    assert len(proof.open) == 1


async def _park(connection: Any, topic: str, event: Any, minor: int) -> None:
    await connection.execute(
        "INSERT INTO parked VALUES ($1, $2, $1, 0, '', $3, '[]', 0, $4, 'EUR', true, 'a test', $5)",
        LANE, topic, event.encode(), minor, NOW,
    )  # fmt: skip


@pytest.mark.parametrize(("lines", "unbacked"), [((-30, -30), 0), ((-30,), 30), ((-31,), 60), ((), 0)])
async def test_each_booking_in_suspense_is_on_a_line_of_its_own_once_statements_cover_its_day(
    house: dict[str, Any], lines: tuple[int, ...], unbacked: int
) -> None:
    settlement = house["settlement"]
    for seq in (8, 9):
        await settlement.execute(
            "INSERT INTO contradictions VALUES ($1, $2, $3, -30, 'EUR', $4, 'second_settlement', $5, '', '',"
            " $6, $7)", LANE, seq, ONE, NOSTRO, f"R{seq}", NOW, YESTERDAY,
        )  # fmt: skip
        entry_id = derived_id(seq, b"entry")
        await _post(settlement, entry_id, "suspense:contradicted", f"nostro:{NOSTRO}", 30, "contradicted")
    if lines:
        await _state(house["reconciliation"], lines)
    proof = await proof_of(house)
    assert proof.unaccounted == {"EUR": unbacked}
    named = broken(proof)
    assert set(named) == ({f"nostro {NOSTRO} agrees with the bank"} if unbacked else set())
    for reference in ("R8", "R9", text(ONE)) if unbacked else ():
        assert reference in " ".join(named.values())
    if not lines:
        [nostro] = [check for check in proof.checks if check.name.startswith("nostro")]
        assert "in suspense, of days without a sound statement -0.60 EUR" in nostro.detail


async def _state(reconciliation: Any, lines: tuple[int, ...]) -> None:
    """A statement of yesterday, all sent, with lines of ONE that are breaks."""
    statement = derived_id(0, b"statement")
    await reconciliation.execute(
        "INSERT INTO statements VALUES (0, $1, $2, 'EUR', '1', 'S', 0, $3, $3, $4, $5, $5, $6, NULL, NULL)",
        statement, NOSTRO, sum(lines), len(lines), YESTERDAY, NOW,
    )  # fmt: skip
    for lane, mine in ((0, ()), (LANE, lines)):
        await reconciliation.execute(
            "INSERT INTO statement_shares VALUES ($1, $2, $3, 'EUR', $4, $5, $6, $7)",
            lane, statement, NOSTRO, YESTERDAY, len(mine), sum(mine), NOW,
        )  # fmt: skip
    for number, minor in enumerate(lines):
        found = derived_id(number, b"break")
        await reconciliation.execute(
            "INSERT INTO breaks VALUES ($1, $2, 'line', 'duplicate_line', $3, 'EUR', $4, $5, $6, $7, $8, '',"
            " '', $9, NULL, '')", LANE, found, minor, NOSTRO, ONE, NO_ID, statement, number, NOW,
        )  # fmt: skip
        await reconciliation.execute(
            "INSERT INTO statement_lines VALUES ($1, $2, $3, $4, $5, $6, 'EUR', $7, '', '', '', $8, $8, 1,"
            " false, false, '', '', $9, 'reference', NULL, NULL, 2, $10)",
            LANE, statement, number, ONE, NO_ID, minor, NOSTRO, YESTERDAY, NOW, found,
        )  # fmt: skip


@pytest.mark.parametrize("service", ["ingestion", "settlement", "reconciliation"])
async def test_events_that_were_decided_and_can_never_be_published_are_found(
    house: dict[str, Any], service: str
) -> None:
    await house[service].execute("UPDATE lanes SET outbox_seq = 2, published_seq = 1")
    assert "events to publish" in broken(await proof_of(house))["each database agrees with itself"]


@pytest.mark.parametrize(
    ("service", "sabotage", "rule"),
    [
        ("ingestion", "UPDATE payments SET debtor_account = 'B'", "customers against postings"),
        ("ingestion", "UPDATE refunds SET credited_account = 'B'", "customers against postings"),
        (
            "settlement",
            "INSERT INTO contradictions SELECT 1, 9, payment_id, 5, 'EUR', 'N', 'unknown_entry', '', '', '',"
            " now() FROM payments LIMIT 1",
            "contradictions against suspense",
        ),
        (
            "settlement",
            "INSERT INTO bank_files VALUES (gen_random_uuid(), 'r', 'n', 'EUR', now(), 'm', 'f', now(), '',"
            " 1, 5, now())",
            "bank files against batches",
        ),
    ],
)
async def test_rows_of_one_database_that_do_not_agree_are_found(
    house: dict[str, Any], service: str, sabotage: str, rule: str
) -> None:
    await house[service].execute(sabotage)
    assert rule in broken(await proof_of(house))["each database agrees with itself"]


async def test_finished_payments_laid_by_copy_are_proved_as_those_that_they_are_copies_of(
    house: dict[str, Any], postgres: Any, sound: dict[str, str]
) -> None:
    """What the cost of a payment among millions is measured on."""
    for service, topic in (("ingestion", "payments"), ("settlement", "settlement-notifications")):
        numbers = f'{{"{topic}/{LANE}": 4}}'
        await house[service].execute("UPDATE lanes SET destinations = $1::jsonb", numbers)
    dsns = {name: postgres.dsn(f"{database}_copy") for name, database in sound.items()}
    # Customers can pay for the copies as well.
    await _post(
        house["ingestion"], derived_id(1, b"more"), "funding:demo", "A", 10 * sum(AMOUNTS.values()), "funded"
    )
    laid = await lay(dsns, 3, 10, 0)
    assert laid.payments == 30
    assert await house["settlement"].fetchval("SELECT count(*) FROM settlements") == 22
    proof = await proof_of(house)
    assert broken(proof) == {}
    assert proof.unaccounted == {"EUR": 0}
