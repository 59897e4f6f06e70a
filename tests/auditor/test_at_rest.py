"""Each rule of the audit at rest is broken by hand once, and found by its name; a right house is clean."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from goodfunds.service import migrations_of, services
from tests.auditor.at_rest import AtRest, audit_at_rest
from tests.auditor.bank_at_rest import PastTheBank
from tests.auditor.evidence import Allowed
from tests.auditor.made import ACCOUNTS, NOSTRO
from tests.auditor.resting import SERVICES, statements
from tests.auditor.resting_house import (
    BACK,
    FILL,
    FIVE,
    FOUR,
    LAID,
    ONE,
    PAYMENTS,
    STATEMENTS,
    THREE,
    TWO,
    books,
)
from tests.bench.lay import lay
from tests.integration.tampering import unguarded

Books = list[dict[str, Any]]
PAST = PastTheBank(1, 30, NOSTRO)
GIVEN = 7


async def lines_of(rows: Books) -> AsyncIterator[str]:
    for row in rows:
        yield json.dumps(row)


@pytest.fixture(scope="module")
def right(postgres: Any) -> Iterator[dict[str, str]]:
    """The right house's databases by service, to be copied."""
    names = {service: f"rest_{service}_{uuid4().hex[:8]}" for service in SERVICES}

    async def make() -> None:
        for service, database in names.items():
            like = await postgres.template(migrations_of(services()[service]))
            connection = await asyncpg.connect(await postgres.create(database, like))
            async with unguarded(connection):
                await FILL[service](connection)
            await connection.close()

    asyncio.run(make())
    yield names
    for database in names.values():
        asyncio.run(postgres.drop(database))


@pytest.fixture
async def spoilt(postgres: Any, right: Mapping[str, str]) -> AsyncIterator[Callable[..., Any]]:
    """Audits the house after a statement in a copy of one of its databases, or a change of the books."""
    copies = []

    async def after(
        service: str = "", statement: str = "", change: Callable[[Books], Any] = len, **options: Any
    ) -> AtRest:
        dsns = {name: postgres.dsn(database) for name, database in right.items()}
        if service:
            copies.append(f"{right[service]}_copy")
            dsns[service] = await postgres.create(copies[-1], like=right[service])
            connection = await asyncpg.connect(dsns[service])
            async with unguarded(connection):
                await connection.execute(statement)
            await connection.close()
        rows = books()
        change(rows)

        return await audit_at_rest(dsns, lines_of(rows), **{"laid": PAST, "instructions": GIVEN, **options})

    yield after
    for database in copies:
        await postgres.drop(database)


async def test_a_house_at_rest_that_did_everything_right_is_clean(spoilt: Any) -> None:
    told: list[str] = []
    found = await spoilt(tell=told.append)
    assert found.clean, found.sentence
    assert dict(found.report.counts) == {
        "decided": 7, "accepted": 6, "settled": 5, "rejected by the bank": 1, "returned": 1, "transfers": 5,
        "laid past the bank": 1,
    }  # fmt: skip
    assert len(told) > 30
    assert "µs a payment" in found.sentence


class Wrong(NamedTuple):
    """What is done to one database, and the rule and the subject that it is found by."""

    rule: str
    subject: object
    service: str
    statement: str


LANE_0 = "UPDATE lanes SET {} WHERE lane = 0"
WRONGS = (
    Wrong("what is accepted is in settlement", ONE, "settlement",
          f"DELETE FROM payments WHERE payment_id = '{ONE}'"),
    Wrong("what is accepted is in settlement", ONE, "ingestion",
          f"UPDATE payments SET amount_minor = CASE payment_id WHEN '{ONE}' THEN 250 ELSE 100 END"
          f" WHERE payment_id IN ('{ONE}', '{TWO}')"),
    Wrong("one terminal state", ONE, "settlement",
          f"INSERT INTO rejections SELECT payment_id, lane, amount_minor, '', '', now(), 99 FROM payments"
          f" WHERE payment_id = '{ONE}'"),
    Wrong("one terminal state", TWO, "settlement", f"DELETE FROM settlements WHERE payment_id = '{TWO}'"),
    Wrong("a refund comes with its cause", THREE, "ingestion",
          f"DELETE FROM refunds WHERE payment_id = '{THREE}'"),
    Wrong("the ledger is what the rows say", ONE, "ingestion",
          f"UPDATE postings SET credit_account = 'transit-out:other' WHERE entry_id = '{ONE}'"),
    Wrong("the ledger is what the rows say", FOUR, "settlement",
          "DELETE FROM postings WHERE kind = 'return_charges'"),
    Wrong("reconciliation knows what moved", ONE, "reconciliation",
          f"UPDATE expected_items SET amount_minor = -99 WHERE payment_id = '{ONE}'"),
    Wrong("what is expected is the payment", ONE, "reconciliation",
          f"UPDATE expected_items SET account = 'other' WHERE payment_id = '{ONE}'"),
    Wrong("what is rejected is expected no more", THREE, "reconciliation",
          f"UPDATE expected_items SET state = 0 WHERE payment_id = '{THREE}'"),
    Wrong("a match is a line of that payment", ONE, "reconciliation",
          f"UPDATE statement_lines SET payment_id = '{TWO}' WHERE payment_id = '{ONE}'"),
    Wrong("a line finds its lane", STATEMENTS[1], "reconciliation",
          "DELETE FROM statement_lines WHERE handed_over_from IS NOT NULL"),
    Wrong("what returns was settled", FOUR, "settlement",
          f"DELETE FROM settlements WHERE payment_id = '{FOUR}'"),
    Wrong("what is refunded was accepted", THREE, "ingestion",
          f"UPDATE refunds SET credited_account = 'other' WHERE payment_id = '{THREE}'"),
    Wrong("only an open account is funded", "00000000-0000-0000-0000-000000000191", "ingestion",
          "UPDATE postings SET credit_account = 'nobody' WHERE kind = 'funded' AND lane = 0"),
    Wrong("nobody is overdrawn", f"lane 0 {ACCOUNTS[0]}", "ingestion",
          f"UPDATE balances SET balance_minor = -1 WHERE account = '{ACCOUNTS[0]}'"),
    Wrong("an account has one lane", ACCOUNTS[1], "ingestion",
          f"UPDATE accounts SET lane = 0 WHERE account = '{ACCOUNTS[1]}'"),
    Wrong("an account has one lane", f"lane 0 {ACCOUNTS[0]}", "ingestion",
          f"DELETE FROM accounts WHERE account = '{ACCOUNTS[0]}'"),
    Wrong("our nostro is the bank's account", NOSTRO, "settlement", "UPDATE nostros SET opening_minor = 1"),
    Wrong("what contradicts us is in suspense", f"lane 0 {NOSTRO}", "settlement",
          f"INSERT INTO contradictions SELECT 0, 10, '{ONE}', -5, 'EUR', '{NOSTRO}', 'x', '', '', '', now()"),
    Wrong("a batch is its payments", "00000000-0000-0000-0000-000000000065", "settlement",
          "UPDATE batches SET amount_minor = amount_minor + 1 WHERE sequence = 1"),
    Wrong("a batch counts what is open of it", "00000000-0000-0000-0000-000000000065", "settlement",
          "UPDATE batches SET open_payments = 1, open_minor = 70 WHERE sequence = 1"),
    Wrong("a batch counts what is open of it", "00000000-0000-0000-0000-000000000065", "settlement",
          f"DELETE FROM rejections WHERE payment_id = '{THREE}'"),
    Wrong("a file is its batches", "GF1", "settlement",
          "UPDATE bank_files SET payments_count = 6 WHERE message_id = 'GF1'"),
    Wrong("what moved is on one line", ONE, "reconciliation",
          "UPDATE expected_items SET state = 0, statement_id = NULL, match_kind = ''"
          f" WHERE payment_id = '{ONE}'"),
    Wrong("a sum on one line is its payments", f"lane 0 line 1 of {STATEMENTS[1]}", "reconciliation",
          f"UPDATE expected_items SET match_kind = 'batch_total' WHERE payment_id = '{ONE}'"),
    Wrong("every line is explained", ONE, "reconciliation",
          f"UPDATE statement_lines SET state = 0 WHERE payment_id = '{ONE}'"),
    Wrong("no break is open", ONE, "reconciliation",
          f"INSERT INTO breaks SELECT 0, '{TWO}', 'item', 'missing_line', 1, 'EUR', '', '{ONE}', '{ONE}',"
          f" '{ONE}', 0, '', '', now(), NULL, ''"),
    Wrong("a statement is its lines", f"lane 0 of {STATEMENTS[1]}", "reconciliation",
          f"UPDATE statement_shares SET lane_lines = 5 WHERE lane = 0 AND statement_id = '{STATEMENTS[1]}'"),
    Wrong("a statement is its lines", STATEMENTS[1], "reconciliation",
          f"UPDATE statements SET closing_minor = 1 WHERE statement_id = '{STATEMENTS[1]}'"),
    Wrong("statements are a chain", f"{NOSTRO} STM-20261130-00000001", "reconciliation",
          "UPDATE statements SET opening_minor = opening_minor + 1, closing_minor = closing_minor + 1"
          f" WHERE statement_id = '{STATEMENTS[1]}'"),
    Wrong("statements are a chain", "STM-20261130-00000001", "reconciliation",
          f"UPDATE statements SET nostro = 'other' WHERE statement_id = '{STATEMENTS[1]}'"),
    Wrong("every statement is the bank's", "STM-20261130-00000001", "reconciliation",
          "UPDATE statements SET opening_minor = opening_minor + 1, closing_minor = closing_minor + 1"
          f" WHERE statement_id = '{STATEMENTS[1]}'"),
    Wrong("an entry balances", ONE, "ingestion",
          "ALTER TABLE postings DROP CONSTRAINT postings_check;"
          f"UPDATE postings SET debit_account = credit_account WHERE entry_id = '{ONE}'"),
    Wrong("nothing is parked", "lane 0 payments", "settlement",
          "INSERT INTO parked VALUES (0, 'payments', 0, 7, '', '', '[]', 0, 1, 'EUR', true, 'x', now())"),
    Wrong("no lane is stopped", "settlement lane 0", "settlement",
          LANE_0.format("stopped_reason = 'broken'")),
    Wrong("no gap in the numbers of ingestion", "ingestion lane 0", "ingestion",
          f"UPDATE refunds SET event_seq = 3 WHERE payment_id = '{THREE}'"),
    Wrong("no gap in the numbers of settlement", "settlement lane 1", "settlement",
          f"UPDATE settlements SET event_seq = 5 WHERE payment_id = '{LAID}'"),
    Wrong("no gap in the numbers of settlement", "settlement lane 0", "reconciliation",
          f"UPDATE expected_items SET opened_seq = 1 WHERE payment_id = '{TWO}'"),
    Wrong("every event of ingestion is handled", "lane 0", "settlement", LANE_0.format("watermarks = '{}'")),
    Wrong("every event of settlement is handled", "lane 0", "reconciliation",
          LANE_0.format("watermarks = '{}'")),
    Wrong("what is settled has one transfer", "files that the bank does not know", "settlement",
          "UPDATE bank_files SET message_id = 'GF2' WHERE message_id = 'GF1'"),
)  # fmt: skip


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: f"{wrong.rule} ({wrong.service})")
async def test_a_row_that_is_spoilt_is_found_by_the_name_of_its_rule(spoilt: Any, wrong: Wrong) -> None:
    found = await spoilt(wrong.service, wrong.statement)
    assert (wrong.rule, str(wrong.subject)) in {(each.rule, each.subject) for each in found.report.findings}


@pytest.mark.parametrize("service", ["ingestion", "settlement"])
async def test_balances_and_transit_are_what_the_auditor_adds_up_itself(spoilt: Any, service: str) -> None:
    found = await spoilt(
        service,
        "UPDATE balances SET balance_minor = balance_minor + 1"
        " WHERE lane = 0 AND account LIKE 'transit-out:%'",
    )
    assert {"balances are the sums of postings", "money is conserved"} <= found.report.by_rule.keys()


def at(rows: Books, book: str, place: int) -> dict[str, Any]:
    return [row for row in rows if row["book"] == book][place]


BANK_WRONGS: dict[tuple[str, object], Callable[[Books], Any]] = {
    ("what is settled has one transfer", ONE): lambda rows: rows.remove(at(rows, "transfers", 0)),
    ("at most one transfer a payment", ONE): lambda rows: rows.append(at(rows, "transfers", 0)),
    ("the bank moved what was asked for", ONE): lambda rows: at(rows, "transfers", 0).update(amount_minor=99),
    ("what is not settled has no transfer", THREE): lambda rows: at(rows, "transfers", 0).update(payment=3),
    ("every transfer is a payment's", "the bank's payment 1"): lambda rows: at(rows, "payments", 0).update(
        instruction_id="strange"
    ),
    ("what is returned came back", "all"): lambda rows: rows.remove(at(rows, "transfers", 4)),
    ("what is returned came back", FIVE): lambda rows: at(rows, "transfers", 4).update(payment=5),
    ("the bank's books have no hole", "2"): lambda rows: rows.remove(at(rows, "payments", 0)),
    ("the bank's books balance", NOSTRO): lambda rows: at(rows, "accounts", 0).update(opened_with=9_999),
    ("our nostro is the bank's account", NOSTRO): lambda rows: at(rows, "accounts", 0).update(
        balance_minor=1
    ),
    ("every statement is the bank's", "STM-20261201-00000002"): lambda rows: at(rows, "answers", 1).update(
        closing_minor=1
    ),
    ("every statement is the bank's", "STM-20261202-00000003"): lambda rows: rows.append(
        {**at(rows, "answers", 1), "day": "2026-12-02", "content_of": 3}
    ),
    ("every statement is the bank's", "those that the bank does not know"): lambda rows: rows.remove(
        at(rows, "answers", 1)
    ),
}


@pytest.mark.parametrize("wrong", BANK_WRONGS, ids=str)
async def test_what_the_banks_books_have_otherwise_is_found(spoilt: Any, wrong: tuple[str, object]) -> None:
    found = await spoilt(change=BANK_WRONGS[wrong])
    rule, subject = wrong
    assert (rule, str(subject)) in {(each.rule, each.subject) for each in found.report.findings}


@pytest.mark.parametrize(
    ("laid", "rules"),
    [
        (PastTheBank(2, 30, NOSTRO), {"what is settled has one transfer"}),
        (PastTheBank(), {"what is settled has one transfer", "our nostro is the bank's account",
                         "every statement is the bank's"}),
    ],
)  # fmt: skip
async def test_what_was_laid_past_the_bank_is_accounted_for_exactly(
    spoilt: Any, laid: PastTheBank, rules: set[str]
) -> None:
    assert (await spoilt(laid=laid)).report.by_rule.keys() == rules


async def test_copies_that_were_laid_are_passed_and_their_numbers_follow_without_a_gap(
    postgres: Any, right: Mapping[str, str]
) -> None:
    dsns = {service: postgres.dsn(f"{database}_laid") for service, database in right.items()}
    for database in right.values():
        await postgres.create(f"{database}_laid", like=database)
    taken = 480 - BACK
    connection = await asyncpg.connect(dsns["settlement"])
    async with unguarded(connection):
        await connection.execute(f"UPDATE nostros SET opening_minor = opening_minor + {taken}")
        await connection.execute(
            f"UPDATE postings SET amount_minor = amount_minor + {taken} WHERE kind = 'bank_opening_balance';"
            f"UPDATE balances SET balance_minor = balance_minor + sign(balance_minor)::int * {taken}"
            " WHERE lane = 0 AND account IN ('funding:equity', (SELECT 'nostro:' || nostro FROM nostros))"
        )
    await connection.close()
    await lay(dsns, len(PAYMENTS), 1, taken)
    laid = PastTheBank(1 + 5, 30 + 480, NOSTRO, returned=1, returned_minor=BACK)
    found = await audit_at_rest(dsns, lines_of(books()), laid=laid, instructions=2 * GIVEN)
    for database in right.values():
        await postgres.drop(f"{database}_laid")
    assert found.clean, found.sentence
    assert found.report.counts["settled"] == 2 * 5


async def test_an_instruction_that_was_given_and_is_nowhere_is_missed(spoilt: Any) -> None:
    assert (await spoilt(instructions=GIVEN + 1)).report.by_rule == {"no instruction is lost": 1}


async def test_what_is_known_beforehand_is_excused_and_nothing_else(spoilt: Any) -> None:
    parked = (
        "INSERT INTO parked VALUES ({0}, 'payments', {0}, 7, '', '', '[]', 0, 1, 'EUR', true, 'x', now())"
    )
    known = Allowed("nothing is parked", "lane 0 payments", "on purpose")
    found = await spoilt("settlement", ";".join(parked.format(lane) for lane in (0, 1)), allowed=[known])
    assert [each.subject for each in found.report.findings] == ["lane 1 payments"]
    assert [each.subject for each in found.report.allowed] == ["lane 0 payments"]


@pytest.mark.parametrize("service", SERVICES)
async def test_every_statement_of_the_audit_is_valid_against_its_database(
    postgres: Any, right: Mapping[str, str], service: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(right[service]))
    frames = {name for name, body in statements().items() if "{rows}" in body}
    ledger = {"every.wrong_shapes", "every.wrong_balances", "every.transit"}
    for name, body in statements().items():
        of = name.partition(".")[0]
        if name in frames or of not in ("every", service) or (name in ledger and service == "reconciliation"):
            continue
        await connection.prepare(body)
    await connection.close()
