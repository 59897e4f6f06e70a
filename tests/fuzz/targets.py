"""What is fuzzed: each reader of foreign bytes with good examples, and the faults that it may raise."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from types import SimpleNamespace

from goodfunds.errors import InvariantBroken, Unreadable
from goodfunds.events import json_bodies, types
from goodfunds.files import (
    bai2,
    camt029,
    camt052,
    camt053,
    camt054,
    camt056,
    csv_statement,
    instructions_csv,
    instructions_json,
    instructions_pain001,
    mt940,
    mt_messages,
    nacha,
    pacs002,
    pacs004,
    pacs008,
    pacs009,
    pain001,
    pain002,
    pain008,
)  # fmt: skip
from goodfunds.files.csv_mapping_file import InvalidMapping, load
from goodfunds.files.inspecting import inspect
from goodfunds.files.records import InvalidFile
from goodfunds.lanes.frame import NumberedEvent, OutboxRow, pack, unpack
from goodfunds.lanes.headers import origin
from goodfunds.local.demo_file import demo_file
from tests.unit.files import nacha_made
from tests.unit.files.bank_texts import BAI2, MT103, MT940, MT942
from tests.unit.files.interbank_texts import (
    CAMT_029,
    CAMT_056,
    PACS_002,
    PACS_004,
    PACS_008,
    PACS_009,
    PAIN_008,
)
from tests.unit.files.texts import ENTRY, NOTIFICATION, STATEMENT, STATUS_REPORT, statement


@dataclass(frozen=True, slots=True)
class Target:
    """A reader: what it is given at first, how it is called, and how it may refuse."""

    examples: Sequence[bytes]
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]


def _event() -> types.PaymentInstruction:
    return types.PaymentInstruction(
        100_00, date(2026, 3, 3), "EUR", "sepa-credit", "client", "key", "E2E-1", "", "customer-1", "Ada",
        "FR1420041010050500013M02606", "Bruno", "", "SLEV", "Invoice 1", "", "", "", "", "", "", (),
    )  # fmt: skip


def _frame() -> bytes:
    event = NumberedEvent("payments", 1, 7, b"key", b"PaymentAccepted", b"body" * 20, b"trace", 0)
    return pack([event, event])[2]


def _unpacked(frame: bytes) -> object:
    row = OutboxRow(0, 1, datetime(2026, 3, 3, tzinfo=UTC), ("payments",), 2, frame)
    return list(unpack(row))


def _origin(content: bytes) -> object:
    parts = content.split(b"|")
    names = [name.decode("utf-8", "replace") for name in parts[::2]]
    headers = list(zip(names, parts[1::2], strict=False))
    return origin(SimpleNamespace(topic="payments", partition=0, offset=0, headers=headers))


_JSON = (
    b'{"amount_minor":100,"requested_execution_date":"2026-03-03","currency":"EUR","rail":"sepa-credit",'
    b'"client":"c","idempotency_key":"k","debtor_account":"a","debtor_name":"Ada",'
    b'"creditor_account":"FR1420041010050500013M02606","creditor_name":"Bruno"}'
)

_CSV_STATEMENT = (
    b"Date,Status,Type,CheckNumber,Description,Withdrawal,Deposit,RunningBalance\r\n"
    b'"08/17/2026","Posted","ATM","","Cash","$103.00","","$1,858.47"\r\n'
    b'"08/14/2026","Posted","DEPOSIT","","Salary","","$20.00","$1,961.47"\r\n'
)
_SEMICOLONS = "Buchungstag;Verwendungszweck;Betrag;Währung\n20.11.2026;Miete;-1.250,00;EUR\n".encode("cp1252")
_CSV_MAPPING = (
    b"name: n\ntitle: t\ndates: [DD.MM.YYYY]\nbooking_date: Date\ndelimiter: ';'\ndecimal: ','\n"
    b"amount: {style: indicator, column: Amount, indicator: 3, credit: [H], debit: [S]}\n"
    b"currency: {column: Ccy, fixed: EUR}\nlabelled:\n  - {label: Opening, opening_balance: 2}\n"
)
_CSV_INSTRUCTIONS = (
    b"amount,currency,requested_execution_date,rail,client,idempotency_key,debtor_account,debtor_name,"
    b"creditor_account,creditor_name,creditor_address_lines\n"
    b'10.50,EUR,2026-03-03,sepa-credit,acme,K1,A1,Ada,FR1420041010050500013M02606,"\'=Bruno","a\nb"\n'
)

_PAYMENTS = demo_file(3, 2, date(2026, 3, 2))
_NACHA = (nacha_made.raw(nacha_made.SMALL), nacha_made.raw(nacha_made.ABROAD, ""))
# Entries that repeat are read by patterns of their own.
_STATEMENTS = (STATEMENT, statement(ENTRY * 5))
_REPORT = (
    STATEMENT.replace(b"camt.053", b"camt.052")
    .replace(b"BkToCstmrStmt", b"BkToCstmrAcctRpt")
    .replace(b"Stmt>", b"Rpt>")
)

TARGETS: Mapping[str, Target] = {
    "pain.001": Target((_PAYMENTS,), lambda raw: list(pain001.read(BytesIO(raw))), (InvalidFile,)),
    "pain.002": Target((STATUS_REPORT,), lambda raw: list(pain002.read(BytesIO(raw))), (InvalidFile,)),
    "pain.008": Target((PAIN_008,), lambda raw: list(pain008.read(BytesIO(raw))), (InvalidFile,)),
    "camt.052": Target((_REPORT,), lambda raw: list(camt052.read(BytesIO(raw))), (InvalidFile,)),
    "camt.053": Target(_STATEMENTS, lambda raw: list(camt053.read(BytesIO(raw))), (InvalidFile,)),
    "camt.054": Target((NOTIFICATION,), lambda raw: list(camt054.read(BytesIO(raw))), (InvalidFile,)),
    "BAI2": Target((BAI2,), lambda raw: list(bai2.read(BytesIO(raw))), (InvalidFile,)),
    "MT940": Target((MT940, MT942), lambda raw: list(mt940.read(BytesIO(raw))), (InvalidFile,)),
    "FIN message": Target((MT103,), lambda raw: list(mt_messages.read(BytesIO(raw))), (InvalidFile,)),
    "NACHA": Target(_NACHA, lambda raw: list(nacha.read(BytesIO(raw))), (InvalidFile,)),
    "CSV statement": Target(
        (_CSV_STATEMENT, _SEMICOLONS),
        lambda raw: (csv_statement.inspect(BytesIO(raw)), list(csv_statement.read(BytesIO(raw)))),
        (InvalidFile,),
    ),
    "CSV mapping": Target((_CSV_MAPPING,), load, (InvalidMapping,)),
    "CSV instructions": Target(
        (_CSV_INSTRUCTIONS,), lambda raw: list(instructions_csv.read(BytesIO(raw))), (InvalidFile,)
    ),
    "JSON instructions": Target(
        (_JSON + b"\n" + _JSON,), lambda raw: list(instructions_json.read(BytesIO(raw))), (InvalidFile,)
    ),
    "pain.001 instructions": Target(
        (_PAYMENTS,),
        lambda raw: (
            instructions_pain001.unsaid(BytesIO(raw)),
            list(instructions_pain001.read(BytesIO(raw), "c")),
        ),
        (InvalidFile,),
    ),
    "pacs.008": Target((PACS_008,), lambda raw: list(pacs008.read(BytesIO(raw))), (InvalidFile,)),
    "pacs.009": Target((PACS_009,), lambda raw: list(pacs009.read(BytesIO(raw))), (InvalidFile,)),
    "pacs.004": Target((PACS_004,), lambda raw: list(pacs004.read(BytesIO(raw))), (InvalidFile,)),
    "pacs.002": Target((PACS_002,), lambda raw: list(pacs002.read(BytesIO(raw))), (InvalidFile,)),
    "camt.056": Target((CAMT_056,), lambda raw: list(camt056.read(BytesIO(raw))), (InvalidFile,)),
    "camt.029": Target((CAMT_029,), lambda raw: list(camt029.read(BytesIO(raw))), (InvalidFile,)),
    # An inspection refuses nothing: what is wrong is in it.
    "inspection": Target(
        (
            PACS_008,
            PACS_004,
            CAMT_056,
            PAIN_008,
            *_STATEMENTS,
            NOTIFICATION,
            STATUS_REPORT,
            _PAYMENTS,
            BAI2,
            MT940,
            MT942,
            MT103,
            *_NACHA,
            _CSV_STATEMENT,
            _SEMICOLONS,
            gzip.compress(STATEMENT, mtime=0),
        ),
        lambda raw: inspect(BytesIO(raw)),
        (),
    ),
    "Avro event": Target((_event().encode(),), types.decode, (Unreadable,)),
    "JSON event": Target(
        (_JSON,), lambda raw: json_bodies.decode_json("PaymentInstruction", raw), (Unreadable,)
    ),
    "outbox frame": Target((_frame(),), _unpacked, (InvariantBroken,)),
    "headers": Target((b"producer|settlement.abc|lane|3|seq|17",), _origin, (Unreadable,)),
}
