"""Evidence made by hand: a house of two lanes that did everything right, for tests to spoil."""

import struct
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import fastavro

from tests.auditor import wire
from tests.auditor.evidence import (
    BankAccount,
    BankFile,
    BankTransfer,
    Database,
    Evidence,
    Given,
    GivenAccount,
    GivenFunding,
    LogRecord,
    PlantedFault,
)

LANES = 2
NOSTRO, CREDITOR, RAIL = "NOSTRO", "DE02500105170137075030", "sepa-credit"
OPENED = 1_000_000
NOW, DAY = datetime(2026, 11, 30, 12, tzinfo=UTC), date(2026, 11, 30)
ACCOUNTS = tuple(
    next(f"customer-{n}" for n in range(100) if wire.lane_of(f"customer-{n}", LANES) == lane)
    for lane in range(LANES)
)
_NEWEST = {name: number for number, (name, _) in sorted(wire.schemas().items())}
Rows = dict[str, list[dict[str, Any]]]


def encode(event: str, /, **fields: Any) -> bytes:
    """An event in the wire format of its newest schema."""
    number = _NEWEST[event]
    schema = wire.schemas()[number][1]
    stream = BytesIO()
    fastavro.schemaless_writer(
        stream, schema, {each["name"]: _filled(each, fields) for each in schema["fields"]}
    )
    return b"\0" + number.to_bytes(4, "big") + stream.getvalue()


def _filled(field: dict[str, Any], fields: dict[str, Any]) -> Any:
    name, kind = field["name"], field["type"]
    if name in fields:
        return _eight(fields[name]) if name.endswith("_minor") else fields[name]
    logical = kind.get("logicalType") if isinstance(kind, dict) else None
    if name.endswith("_minor"):
        return _eight(0)
    if name.endswith("_id") and kind != "string":
        return wire.NO_ID
    defaults: dict[Any, Any] = {
        "timestamp-micros": NOW,
        "date": DAY,
        "string": "",
        "int": 0,
        "boolean": False,
    }
    return [] if isinstance(kind, dict) and kind["type"] == "array" else defaults[logical or kind]


def _eight(minor: Any) -> Any:
    """An amount as its schema's eight bytes."""
    return minor if isinstance(minor, bytes) else minor.to_bytes(8, "big", signed=True)


class Made:
    """Tells events through outboxes onto topics, and keeps the rows that go with them."""

    def __init__(self) -> None:
        self.log: list[LogRecord] = []
        self.tables: dict[str, Rows] = {
            service: defaultdict(list, cluster=[{"incarnation": "one", "partitions": LANES}])
            for service in ("ingestion", "settlement", "reconciliation")
        }
        self.given: list[Given] = []
        self.accounts: list[GivenAccount] = []
        self.fundings: list[GivenFunding] = []
        self.transfers: list[BankTransfer] = []
        self.faults: list[PlantedFault] = []
        self.files: list[BankFile] = []
        self.opened_minor = OPENED
        self._seq: dict[tuple[str, int, str, int], int] = {}
        self._offset: dict[tuple[str, int], int] = {}
        self._rows: dict[tuple[str, int], int] = {}
        self._sums: dict[tuple[str, int, str], int] = defaultdict(int)
        self._payments = 0
        self.tables["settlement"]["nostros"].append(
            {"nostro": NOSTRO, "lane": 0, "currency": "EUR", "opening_minor": OPENED}
        )
        self.post("settlement", 0, b"o" * 16, f"nostro:{NOSTRO}", "funding:equity", OPENED, "opening")

    def put(self, topic: str, partition: int, key: bytes, value: bytes, headers: Any = ()) -> LogRecord:
        """A record at the end of a partition."""
        offset = self._offset[topic, partition] = self._offset.get((topic, partition), -1) + 1
        record = LogRecord(topic, partition, offset, 0, key, value, tuple(headers))
        self.log.append(record)
        return record

    def tell(self, base: str, lane: int, topic: str, name: str, key: str, **fields: Any) -> tuple[int, int]:
        """An event of a service: committed in its outbox, and on its topic; its (seq, offset)."""
        place = (base, lane, topic, max(lane, 0))
        seq = self._seq[place] = self._seq.get(place, 0) + 1
        body = encode(name, **fields)
        row = self._rows[base, lane] = self._rows.get((base, lane), 0) + 1
        parts = (key.encode(), name.encode(), b"", body)
        head = struct.pack(">IBHQQHBBI", 1, 0, max(lane, 0), seq, 0, *map(len, parts))
        self.tables[base]["outbox"].append({
            "lane": lane, "outbox_seq": row, "topics": [topic], "events": 1, "frame": head + b"".join(parts),
        })  # fmt: skip
        headers = (("producer", f"{base}.one".encode()), ("lane", b"%d" % lane), ("seq", b"%d" % seq),
                   ("ce_type", name.encode()))  # fmt: skip
        return seq, self.put(topic, max(lane, 0), key.encode(), body, headers).offset

    def post(
        self, base: str, lane: int, entry: bytes, debit: str, credit: str, minor: int, kind: str
    ) -> None:
        """A posting with its balances."""
        self.tables[base]["postings"].append({
            "lane": lane, "entry_id": entry, "debit_account": debit, "credit_account": credit,
            "amount_minor": minor, "currency": "EUR", "kind": kind,
        })  # fmt: skip
        self._sums[base, lane, debit] -= minor
        self._sums[base, lane, credit] += minor

    def open(self, lane: int, minor: int) -> None:
        """A customer's account, open and funded."""
        account = ACCOUNTS[lane]
        self.accounts.append(GivenAccount("c", f"open-{lane}", account, "EUR"))
        self.fundings.append(GivenFunding("c", f"fund-{lane}", account, minor, "EUR"))
        key = account.encode()
        self.put("payment-instructions", lane, key, encode(
            "AccountOpenRequested", client="c", idempotency_key=f"open-{lane}", account=account,
            currency="EUR", name="Ada"))  # fmt: skip
        self.put("payment-instructions", lane, key, encode(
            "AccountFundRequested", client="c", idempotency_key=f"fund-{lane}", account=account,
            currency="EUR", amount_minor=minor, source="cash"))  # fmt: skip
        rows = self.tables["ingestion"]
        rows["accounts"].append({"account": account, "lane": lane, "currency": "EUR", "state": "open"})
        rows["account_requests"] += [
            {"client": "c", "idempotency_key": f"{what}-{lane}", "lane": lane} for what in ("open", "fund")
        ]
        self.tell("ingestion", lane, "payments", "AccountOpened", account, account=account, currency="EUR")
        self.tell("ingestion", lane, "payments", "AccountFunded", account, account=account, currency="EUR",
                  amount_minor=minor, source="cash", idempotency_key=f"fund-{lane}")  # fmt: skip
        self.post("ingestion", lane, b"f" * 15 + bytes([lane]), "funding:cash", account, minor, "funded")

    def ask(self, lane: int, minor: int) -> tuple[bytes, dict[str, Any]]:
        """An instruction of the lane's customer; its payment's id and its fields."""
        self._payments += 1
        number, account = self._payments, ACCOUNTS[lane]
        fields = {"client": "c", "idempotency_key": f"k-{number}", "debtor_account": account,
                  "creditor_account": CREDITOR, "amount_minor": minor, "currency": "EUR",
                  "rail": RAIL, "end_to_end_id": f"E2E-{number}"}  # fmt: skip
        self.given.append(Given("c", f"k-{number}", account, CREDITOR, minor, "EUR", DAY, f"E2E-{number}"))
        self.put("payment-instructions", lane, account.encode(), encode("PaymentInstruction", **fields))
        return number.to_bytes(16, "big"), fields

    def instruction(self, fields: dict[str, Any]) -> dict[str, Any]:
        """An instruction within another event: all of its fields."""
        schema = wire.schemas()[_NEWEST["PaymentInstruction"]][1]
        return {each["name"]: _filled(each, fields) for each in schema["fields"]}

    def decide(self, lane: int, minor: int, reason: str = "") -> bytes:
        """An instruction and ingestion's decision; the payment's id."""
        payment_id, fields = self.ask(lane, minor)
        account = ACCOUNTS[lane]
        whole = self.instruction(fields)
        name = "PaymentRejected" if reason else "PaymentAccepted"
        seq, offset = self.tell("ingestion", lane, "payments", name, account, payment_id=payment_id,
                                instruction=whole, reason_code=reason)  # fmt: skip
        self.tables["ingestion"]["payments"].append({
            "payment_id": payment_id, "lane": lane, "amount_minor": minor, "event_seq": seq,
            "state": "rejected" if reason else "accepted",
        })  # fmt: skip
        if not reason:
            self.post("ingestion", lane, payment_id, account, f"transit-out:{RAIL}", minor, "accepted")
            self.tables["settlement"]["payments"].append({
                "payment_id": payment_id, "lane": lane, "batch_id": _batch_id(lane), "amount_minor": minor,
                "accepted_seq": seq, "accepted_offset": offset,
            })  # fmt: skip
        return payment_id

    def outcome(self, lane: int, payment_id: bytes, minor: int, name: str, table: str) -> int:
        """An event of settlement with its row; its seq."""
        seq, _ = self.tell("settlement", lane, "settlement-notifications", name, ACCOUNTS[lane],
                           payment_id=payment_id, amount_minor=minor, account=ACCOUNTS[lane],
                           currency="EUR", rail=RAIL, nostro=NOSTRO)  # fmt: skip
        self.tables["settlement"][table].append(
            {"payment_id": payment_id, "lane": lane, "amount_minor": minor, "event_seq": seq}
        )
        return seq

    def transfer(self, lane: int, payment_id: bytes, minor: int, kind: str) -> None:
        """The bank moves it."""
        number = int.from_bytes(payment_id, "big")
        reference = wire.written_reference(lane, payment_id)
        self.transfers.append(
            BankTransfer(kind, reference, f"E2E-{number}", minor, "EUR", NOSTRO, CREDITOR, DAY)
        )
        self.opened_minor += minor if kind == "return" else -minor

    def item(self, lane: int, payment_id: bytes, minor: int, side: int) -> None:
        """Reconciliation expects the movement, and matches it with its line."""
        rows = self.tables["reconciliation"]
        number = len(rows["statement_lines"]) + 1
        rows["expected_items"].append({
            "lane": lane, "payment_id": payment_id, "side": side, "amount_minor": side * minor, "state": 1,
            "settled_on": DAY, "statement_id": b"s" * 16, "line_number": number, "match_kind": "reference",
        })  # fmt: skip
        rows["statement_lines"].append({
            "lane": lane, "statement_id": b"s" * 16, "line_number": number, "amount_minor": side * minor,
        })  # fmt: skip

    def settle(self, lane: int, payment_id: bytes, minor: int) -> None:
        """Settled at the bank, in settlement and in reconciliation."""
        self.transfer(lane, payment_id, minor, "payment")
        self.outcome(lane, payment_id, minor, "PaymentSettled", "settlements")
        self.post("settlement", lane, payment_id, f"transit-out:{RAIL}", f"nostro:{NOSTRO}", minor, "settled")
        self.item(lane, payment_id, minor, -1)

    def give_back(self, lane: int, payment_id: bytes, minor: int, returned: bool) -> None:
        """Returned after settlement, or rejected before it; refunded either way."""
        if returned:
            self.transfer(lane, payment_id, minor, "return")
            seq = self.outcome(lane, payment_id, minor, "PaymentReturned", "returns")
            self.post(
                "settlement", lane, payment_id, f"nostro:{NOSTRO}", f"transit-out:{RAIL}", minor, "back"
            )
            self.item(lane, payment_id, minor, 1)
        else:
            seq = self.outcome(lane, payment_id, minor, "PaymentRejectedByBank", "rejections")
        account = ACCOUNTS[lane]
        refund, _ = self.tell("ingestion", lane, "payments", "PaymentRefunded", account,
                              payment_id=payment_id, amount_minor=minor, account=account, currency="EUR",
                              rail=RAIL, credited_account=account)  # fmt: skip
        self.tables["ingestion"]["refunds"].append({
            "payment_id": payment_id, "lane": lane, "amount_minor": minor, "source_seq": seq,
            "event_seq": refund,
        })  # fmt: skip
        self.post("ingestion", lane, payment_id, f"transit-out:{RAIL}", account, minor, "refunded")

    def open_break(self, payment_id: bytes, reason: str, minor: int, about: str = "item") -> None:
        """A difference that reconciliation holds open."""
        self.tables["reconciliation"]["breaks"].append({
            "payment_id": payment_id, "reason": reason, "amount_minor": minor, "about": about,
            "statement_id": wire.NO_ID, "resolved_at": None, "detail": "",
        })  # fmt: skip

    def evidence(self) -> Evidence:
        """The whole, with lanes and balances as they follow from it."""
        for base, rows in self.tables.items():
            rows["lanes"] = [self._lane(base, lane) for lane in range(LANES)]
            rows["balances"] = [
                {"lane": lane, "account": account, "currency": "EUR", "balance_minor": minor}
                for (of, lane, account), minor in self._sums.items()
                if of == base
            ]
        self.tables["settlement"]["batches"] = [self._batch(lane) for lane in range(LANES)]
        ingestion, settlement, reconciliation = (Database(name, rows) for name, rows in self.tables.items())
        bank = BankAccount(NOSTRO, "EUR", OPENED, self.opened_minor)
        return Evidence(
            LANES, self.given, self.accounts, self.fundings, self.log, ingestion, settlement, reconciliation,
            self.transfers, self.files, [bank], self.faults,
        )  # fmt: skip

    def _batch(self, lane: int) -> dict[str, Any]:
        """The lane's one batch, with what is open of it."""
        rows = self.tables["settlement"]
        ended = {row["payment_id"] for table in ("settlements", "rejections") for row in rows[table]}
        still = [
            row["amount_minor"]
            for row in rows["payments"]
            if row["lane"] == lane and row["payment_id"] not in ended
        ]
        return {
            "batch_id": _batch_id(lane), "lane": lane, "open_payments": len(still), "open_minor": sum(still),
        }  # fmt: skip

    def _lane(self, base: str, lane: int) -> dict[str, Any]:
        inputs = {
            "ingestion": ("payment-instructions", "settlement-notifications"),
            "settlement": ("payments", "bank-notifications"),
            "reconciliation": ("settlement-notifications", "bank-statements"),
        }[base]
        marks = {
            f"{topic}|{producer}.one|{of}": seq
            for (producer, of, topic, partition), seq in self._seq.items()
            if topic in inputs and partition == lane
        }
        following = {
            f"{topic}/{partition}": seq + 1
            for (producer, of, topic, partition), seq in self._seq.items()
            if (producer, of) == (base, lane)
        }
        rows = self._rows.get((base, lane), 0)
        return {
            "lane": lane, "stopped_reason": None, "outbox_seq": rows, "published_seq": rows,
            "offsets": {topic: self._offset.get((topic, lane), -1) + 1 for topic in inputs},
            "watermarks": marks, "destinations": following, "acknowledged": {},
        }  # fmt: skip


def _batch_id(lane: int) -> bytes:
    return b"b" * 15 + bytes([lane])


def good_house() -> Made:
    """Two lanes: in each a settled, a returned, a rejected and an uncovered payment."""
    made = Made()
    for lane in range(LANES):
        made.open(lane, 10_000)
        settled, returned = made.decide(lane, 1_000), made.decide(lane, 2_000)
        refused = made.decide(lane, 3_000)
        made.decide(lane, 50_000, "AM04")
        made.settle(lane, settled, 1_000)
        made.settle(lane, returned, 2_000)
        made.give_back(lane, returned, 2_000, returned=True)
        made.give_back(lane, refused, 3_000, returned=False)
    return made


def without(evidence: Evidence, service: str, table: str, **changes: Any) -> Evidence:
    """The evidence with a table's last row changed, or dropped where nothing is changed."""
    database: Database = getattr(evidence, service)
    rows = list(database.rows(table))
    last = rows.pop()
    if changes:
        rows.append({**last, **changes})
    changed = replace(database, tables={**database.tables, table: rows})
    return replace(evidence, **{service: changed})  # type: ignore[arg-type]  # a database's own name
