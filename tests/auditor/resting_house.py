"""Three databases and the bank's books of a house of two lanes at rest that did all right, to be spoilt.

Six payments: ONE, TWO and FIVE are settled, THREE is rejected, FOUR is settled and returned less charges, and
LAID is settled and never passed the bank. FIVE's line came to lane 0 and was handed over.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tests.auditor import wire
from tests.auditor.made import ACCOUNTS, CREDITOR, DAY, NOSTRO, NOW, RAIL

ONE, TWO, THREE, FOUR, FIVE, LAID = (UUID(int=0x7000 << 64 | n) for n in range(1, 7))
NOBODY = UUID(int=0)
BATCHES = (UUID(int=101), UUID(int=102), UUID(int=103))
FILES = {"GF1": UUID(int=201), "GF-LAID": UUID(int=202)}
STATEMENTS = (UUID(int=301), UUID(int=302), UUID(int=303))
OPENED, TRANSIT = 10_000, f"transit-out:{RAIL}"
PAYMENTS = (
    (ONE, 0, 100, 3, "GF1"),
    (TWO, 0, 250, 4, "GF1"),
    (THREE, 0, 70, 5, "GF1"),
    (FOUR, 0, 40, 6, "GF1"),
    (FIVE, 1, 60, 3, "GF1"),
    (LAID, 1, 30, 4, "GF-LAID"),
)
"""(id, lane, minor units, seq of its acceptance, bank file)"""
BACK, CHARGES = 35, 5
_SETTLED = {ONE: 5, TWO: 6, FOUR: 7, FIVE: 2, LAID: 4}
_SUBMITTED = {ONE: 1, TWO: 2, THREE: 3, FOUR: 4, FIVE: 1, LAID: 3}
_LINES = (
    # lane, statement, line, payment, minor, state, handed over from, to
    (1, 0, 1, LAID, -30, 1, None, None),
    (0, 1, 1, ONE, -100, 1, None, None),
    (0, 1, 2, TWO, -250, 1, None, None),
    (0, 1, 3, FOUR, -40, 1, None, None),
    (0, 1, 4, FIVE, -60, 3, None, 1),
    (1, 1, 4, FIVE, -60, 1, 0, None),
    (0, 2, 1, FOUR, BACK, 1, None, None),
)
_CHAIN = (("LAID", 10_030, 10_000, 1), ("STM-20261130-00000001", 10_000, 9_550, 4),
          ("STM-20261201-00000002", 9_550, 9_585, 1))  # fmt: skip


async def _rows(connection: Any, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())


async def _lanes(connection: Any, numbers: Mapping[str, Sequence[int]], marks: Mapping[str, Any]) -> None:
    await connection.execute("INSERT INTO cluster (incarnation, partitions) VALUES ('one', 2)")
    for lane in (0, 1):
        destinations = {f"{topic}/{lane}": last[lane] + 1 for topic, last in numbers.items()}
        watermarks = {f"{topic}|{lane}": last[lane] for topic, last in marks.items()}
        row = {"lane": lane, "incarnation": "one", "offsets": "{}"}
        row |= {"destinations": json.dumps(destinations), "watermarks": json.dumps(watermarks)}
        await _rows(connection, "lanes", [row])


async def _posted(connection: Any, rows: Sequence[tuple[int, UUID, str, str, int, str]]) -> None:
    names = ("lane", "entry_id", "debit_account", "credit_account", "amount_minor", "kind")
    await _rows(
        connection, "postings",
        [{**dict(zip(names, row, strict=True)), "currency": "EUR", "posted_at": NOW} for row in rows],
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO balances SELECT lane, account, 'EUR', sum(minor) FROM ("
        " SELECT lane, credit_account AS account, amount_minor AS minor FROM postings UNION ALL"
        " SELECT lane, debit_account, -amount_minor FROM postings) sides GROUP BY lane, account"
    )


async def fill_ingestion(connection: Any) -> None:
    """Accounts of 1,000 each, the payments, one that could not be paid, and two refunds."""
    await _lanes(connection, {"payments": (9, 4)}, {"settlement-notifications|settlement.one": (9, 4)})
    for lane, account in enumerate(ACCOUNTS):
        row = {"account": account, "lane": lane, "currency": "EUR", "name": "N", "opened_at": NOW}
        await _rows(connection, "accounts", [row])
    refused = UUID(int=0x7000 << 64 | 99)
    await _rows(
        connection, "payments",
        [
            {"payment_id": payment, "lane": lane, "client": "c", "idempotency_key": str(payment),
             "digest": b"", "debtor_account": ACCOUNTS[lane], "amount_minor": minor,
             "currency": "EUR", "rail": RAIL, "uetr": "",
             "state": "accepted" if payment != refused else "rejected",
             "reason_code": "" if payment != refused else "AM04", "reason": "", "end_to_end_id": "E2E",
             "source_offset": seq, "event_seq": seq, "decided_at": NOW}
            for payment, lane, minor, seq, _ in (*PAYMENTS, (refused, 0, 9_999, 9, ""))
        ],
    )  # fmt: skip
    await _rows(
        connection, "refunds",
        [
            {"payment_id": payment, "lane": 0, "amount_minor": minor, "currency": "EUR", "cause": cause,
             "credited_account": ACCOUNTS[0], "reason_code": "", "source_seq": source, "source_offset": 0,
             "event_seq": seq, "refunded_at": NOW}
            for payment, minor, cause, source, seq in
            ((THREE, 70, "rejected", 8, 7), (FOUR, 40, "returned", 9, 8))
        ],
    )  # fmt: skip
    await _posted(connection, [
        *((lane, UUID(int=401 + lane), "funding:cash", ACCOUNTS[lane], 1_000, "funded") for lane in (0, 1)),
        *((lane, each, ACCOUNTS[lane], TRANSIT, minor, "accepted") for each, lane, minor, *_ in PAYMENTS),
        *((0, each, TRANSIT, ACCOUNTS[0], minor, "refunded") for each, minor in ((THREE, 70), (FOUR, 40))),
    ])  # fmt: skip


async def fill_settlement(connection: Any) -> None:
    """The payments in three batches of two files, and what became of them."""
    await _lanes(connection, {"settlement-notifications": (9, 4)}, {"payments|ingestion.one": (9, 4)})
    await _rows(connection, "nostros", [
        {"nostro": NOSTRO, "lane": 0, "currency": "EUR", "opening_minor": OPENED + 30, "opened_at": NOW}
    ])  # fmt: skip
    batches = ((0, 4, 460, "GF1"), (1, 1, 60, "GF1"), (1, 1, 30, "GF-LAID"))
    for number, (lane, count, minor, message) in enumerate(batches):
        await _rows(connection, "batches", [
            {"batch_id": BATCHES[number], "lane": lane, "rail": RAIL, "nostro": NOSTRO, "currency": "EUR",
             "requested_date": DAY, "sequence": number + 1, "cut_off_at": NOW, "opened_at": NOW,
             "sealed_at": NOW, "payments_count": count, "amount_minor": minor, "first_offset": 0,
             "last_offset": 9, "submitted_at": NOW, "message_id": message}
        ])  # fmt: skip
    for message, count, minor in (("GF1", 5, 520), ("GF-LAID", 1, 30)):
        await _rows(connection, "bank_files", [
            {"file_id": FILES[message], "rail": RAIL, "nostro": NOSTRO, "currency": "EUR",
             "requested_date": DAY, "message_id": message, "file_name": message, "created_at": NOW,
             "sha256": b"", "payments_count": count, "amount_minor": minor, "claimed_at": NOW}
        ])  # fmt: skip
    await _rows(connection, "bank_file_batches", [
        {"batch_id": BATCHES[n], "file_id": FILES[message], "lane": lane}
        for n, (lane, _, _, message) in enumerate(batches)
    ])  # fmt: skip
    await _rows(connection, "payments", [
        {"payment_id": payment, "lane": lane, "batch_id": batch_of(payment), "amount_minor": minor,
         "account": ACCOUNTS[lane], "end_to_end_id": "E2E", "accepted_seq": seq,
         "accepted_offset": seq, "received_at": NOW, "traceparent": b"", "instruction": b""}
        for payment, lane, minor, seq, _ in PAYMENTS
    ])  # fmt: skip
    booked = {"bank_reference": "", "booking_date": DAY, "source": "camt.054"}
    await _rows(connection, "settlements", [
        {"payment_id": payment, "lane": lane, "amount_minor": minor, **booked, "settled_at": NOW,
         "event_seq": _SETTLED[payment]}
        for payment, lane, minor, *_ in PAYMENTS if payment in _SETTLED
    ])  # fmt: skip
    why = {"lane": 0, "reason_code": "AC04", "reason": ""}
    await _rows(connection, "rejections", [
        {"payment_id": THREE, **why, "amount_minor": 70, "rejected_at": NOW, "event_seq": 8}
    ])  # fmt: skip
    await _rows(connection, "returns", [
        {"payment_id": FOUR, **why, **booked, "amount_minor": 40, "charges_minor": CHARGES,
         "returned_at": NOW, "event_seq": 9}
    ])  # fmt: skip
    house = f"nostro:{NOSTRO}"
    await _posted(connection, [
        (0, UUID(int=401), house, "funding:equity", OPENED + 30, "bank_opening_balance"),
        *((lane, each, TRANSIT, house, minor, "settled")
          for each, lane, minor, *_ in PAYMENTS if each != THREE),
        (0, FOUR, house, TRANSIT, BACK, "returned"),
        (0, FOUR, "fees", TRANSIT, CHARGES, "return_charges"),
    ])  # fmt: skip


def batch_of(payment: UUID) -> UUID:
    """The batch that a payment went out in."""
    return BATCHES[2 if payment == LAID else 1 if payment == FIVE else 0]


async def fill_reconciliation(connection: Any) -> None:
    """What was expected, three statements, and how they explain each other."""
    await _lanes(connection, {}, {"settlement-notifications|settlement.one": (9, 4)})
    places = {(row[3], row[4] > 0): row for row in _LINES if row[5] == 1}
    sides = [(row, -1, -row[2]) for row in PAYMENTS] + [(PAYMENTS[3], 1, BACK)]
    for (payment, lane, *_), side, minor in sides:
        line = places.get((payment, side > 0))
        await _rows(connection, "expected_items", [
            {"lane": lane, "payment_id": payment, "side": side, "batch_id": batch_of(payment),
             "amount_minor": minor, "currency": "EUR", "nostro": NOSTRO, "account": ACCOUNTS[lane],
             "end_to_end_id": "E2E", "opened_at": NOW,
             "opened_seq": _SUBMITTED[payment] if side < 0 else 9, "state": 2 if line is None else 1,
             "settled_on": None if line is None else DAY,
             "statement_id": None if line is None else STATEMENTS[line[1]],
             "line_number": 0 if line is None else line[2], "match_kind": "" if line is None else "reference"}
        ])  # fmt: skip
    for lane, statement, number, payment, minor, state, came_from, to in _LINES:
        await _rows(connection, "statement_lines", [
            {"lane": lane, "statement_id": STATEMENTS[statement], "line_number": number,
             "payment_id": payment, "batch_id": NOBODY, "amount_minor": minor, "currency": "EUR",
             "nostro": NOSTRO, "end_to_end_id": "", "instruction_id": "", "bank_reference": "",
             "booking_date": DAY, "value_date": DAY, "transaction_count": 1, "reversal": False,
             "is_return": minor > 0, "reason_code": "", "information": "", "received_at": NOW,
             "found_by": "reference", "handed_over_from": came_from, "handed_over_to": to, "state": state}
        ])  # fmt: skip
    for place, (name, opening, closing, count) in enumerate(_CHAIN):
        day, stated = DAY + timedelta(days=place - 1), STATEMENTS[place]
        await _rows(connection, "statements", [
            {"lane": 0, "statement_id": stated, "nostro": NOSTRO, "currency": "EUR",
             "statement_number": str(place), "bank_statement_id": name, "opening_minor": opening,
             "closing_minor": closing, "lines_sum_minor": closing - opening, "lines_count": count,
             "from_date": day, "to_date": day, "opened_at": NOW}
        ])  # fmt: skip
        for lane in (0, 1):
            sent = [row[4] for row in _LINES if row[:2] == (lane, place) and row[6] is None]
            await _rows(connection, "statement_shares", [
                {"lane": lane, "statement_id": stated, "nostro": NOSTRO, "currency": "EUR",
                 "to_date": day, "lane_lines": len(sent), "lane_sum_minor": sum(sent), "closed_at": NOW}
            ])  # fmt: skip


FILL = {"ingestion": fill_ingestion, "settlement": fill_settlement, "reconciliation": fill_reconciliation}


def books() -> list[dict[str, Any]]:
    """The bank's books: the file that reached it, its transfers and statements."""
    at_bank = [row for row in PAYMENTS if row[4] == "GF1"]
    account = {"account": NOSTRO, "currency": "EUR", "held": 1, "opened_with": OPENED, "balance_minor": 9_585}
    opening = {"payment": 0, "kind": "opening", "debit_account": "deposits", "credit_account": NOSTRO,
               "amount_minor": OPENED}  # fmt: skip
    moves = [
        {"payment": number, "kind": "payment", "debit_account": NOSTRO, "credit_account": CREDITOR,
         "amount_minor": row[2]}
        for number, row in enumerate(at_bank, 1) if row[0] != THREE
    ]  # fmt: skip
    moves.append({"payment": 4, "kind": "return", "debit_account": CREDITOR, "credit_account": NOSTRO,
                  "amount_minor": BACK})  # fmt: skip
    statements = [(date(2026, 11, 30), 1, *_CHAIN[1]), (date(2026, 12, 1), 2, *_CHAIN[2])]
    return [
        {"book": "accounts", **account},
        {"book": "files", "message_id": "GF1", "standing": "stands"},
        *({"book": "payments", "id": number, "instruction_id": wire.written_reference(lane, payment.bytes)}
          for number, (payment, lane, *_) in enumerate(at_bank, 1)),
        *({"book": "transfers", "id": number, "currency": "EUR", **move}
          for number, move in enumerate((*moves, opening), 1)),
        *({"book": "answers", "kind": "camt.053", "state": "written", "day": day.isoformat(),
           "content_of": content, "opening_minor": opening, "closing_minor": closing}
          for day, content, _, opening, closing, _ in statements),
    ]  # fmt: skip
