"""Each instruction and each payment: taken once, one end, one transfer at the bank for what was settled."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from tests.auditor import wire
from tests.auditor.evidence import BankTransfer, Evidence, Finding, Given
from tests.auditor.history import INSTRUCTIONS, Asked, Fate, History

Key = tuple[str, str]
_TRUTHS = ("debtor_account", "creditor_account", "amount_minor", "currency", "end_to_end_id")


def check_payments(evidence: Evidence, history: History) -> Iterator[Finding]:
    """Every rule about single instructions and payments."""
    fates = _by_key(history)
    yield from _instructions(evidence, history, fates)
    yield from _records(evidence, history, fates)
    transfers: dict[bytes, list[BankTransfer]] = defaultdict(list)
    for transfer in evidence.transfers:
        found = wire.reference(transfer.instruction_id)
        if found is None or found[1] not in history.fates:
            words = f"{transfer.kind} of {transfer.amount_minor} {transfer.currency} belongs to no payment"
            yield Finding("every transfer is a payment's", transfer.instruction_id, words)
        else:
            transfers[found[1]].append(transfer)
    for fate in history.fates.values():
        yield from _one_end(fate)
        yield from _at_the_bank(evidence, fate, transfers.get(fate.payment_id, []))
    yield from _files(evidence)
    yield from _rows(evidence, history)
    yield from _open(evidence, history)


def _by_key(history: History) -> dict[Key, list[Fate]]:
    found: dict[Key, list[Fate]] = defaultdict(list)
    for fate in history.fates.values():
        if fate.decided:
            found[fate.instruction["client"], fate.instruction["idempotency_key"]].append(fate)
    return found


def _instructions(evidence: Evidence, history: History, fates: Mapping[Key, list[Fate]]) -> Iterator[Finding]:
    """Every instruction that was given and answered for is one payment, and is what was given."""
    given: dict[Key, list[Given]] = defaultdict(list)
    for each in evidence.given:
        given[each.client, each.idempotency_key].append(each)
    asked: dict[Key, list[Asked]] = defaultdict(list)
    for records in history.asked.values():
        for record in records:
            if record.request.name == "PaymentInstruction":
                fields = record.request.fields
                asked[fields["client"], fields["idempotency_key"]].append(record)
    parked = _parked_keys(evidence)
    refused = Counter(
        (each.event.fields["client"], each.event.fields["idempotency_key"])
        for each in history.told("payments", "InstructionRefused")
        if each.event is not None
    )
    for key, copies in given.items():
        subject = "/".join(key)
        payments = fates.get(key, [])
        if len(payments) > 1:
            yield Finding("an instruction is one payment", subject, f"it became {len(payments)} payments")
        if not payments:
            if any(each.acknowledged for each in copies) and not parked.get(key) and not refused[key]:
                yield Finding("no instruction is lost", subject, "it was answered for and never decided")
            continue
        told = payments[0].instruction
        if not any(_is(each, told) for each in copies):
            words = f"{ {name: told[name] for name in _TRUTHS} } is not what was given"
            yield Finding("a payment is what was given", subject, words)
        bodies = {sha256(each.body).digest() for each in asked.get(key, ()) if each.body}
        wrong = [each for each in copies if each.digest and each.acknowledged and each.digest not in bodies]
        if wrong:
            yield Finding("a record is what was given", subject, "no record on the topic has its bytes")
    for key in fates.keys() - given.keys():
        yield Finding("every payment was asked for", "/".join(key), "nobody gave this instruction")


def _is(given: Given, told: Mapping[str, Any]) -> bool:
    return (
        given.debtor_account, given.creditor_account, given.amount_minor, given.currency, given.end_to_end_id
    ) == tuple(told[name] for name in _TRUTHS)  # fmt: skip


def _parked_keys(evidence: Evidence) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for row in evidence.ingestion.rows("parked"):
        request = wire.read_request(row["value"], b"PaymentInstruction")
        if row["topic"] == INSTRUCTIONS and request is not None:
            found[request.fields.get("client", ""), request.fields.get("idempotency_key", "")] += 1
    return found


def _records(evidence: Evidence, history: History, fates: Mapping[Key, list[Fate]]) -> Iterator[Finding]:
    """Each client record is decided, refused by its offset, parked, or forwarded to its account's lane."""
    refused = {
        (row["lane"], row["source_offset"])
        for row in evidence.ingestion.rows("refused_records")
        if row["topic"] == INSTRUCTIONS
    }
    parked = {
        (row["source_partition"], row["source_offset"])
        for row in evidence.ingestion.rows("parked")
        if row["topic"] == INSTRUCTIONS
    }
    granted = {(row["client"], row["idempotency_key"]) for row in evidence.ingestion.rows("account_requests")}
    accounts = {row["account"] for row in evidence.ingestion.rows("accounts")}
    for record in history.unread:
        place = (record.partition, record.offset)
        if place not in refused and place not in parked:
            yield Finding("what cannot be read is kept", record.place, "neither refused nor parked")
    forwarded: Counter[tuple[int, int, Key]] = Counter()
    for (topic, partition), events in history.firsts.items():
        if topic != INSTRUCTIONS:
            continue
        for told in events:
            request = wire.decode(told.record.value)
            if told.stream.base == "ingestion" and request is not None:
                key = (request.fields["client"], request.fields["idempotency_key"])
                forwarded[told.stream.lane, partition, key] += 1
    for partition, records in history.asked.items():
        for asked in records:
            place, fields = (partition, asked.record.offset), asked.request.fields
            if place in refused or place in parked:
                continue
            key = (fields["client"], fields["idempotency_key"])
            account = fields.get("debtor_account") or fields["account"]
            home = wire.lane_of(account, evidence.partitions)
            if home != partition:
                if not forwarded[partition, home, key]:
                    words = f"belongs in lane {home} and was not forwarded"
                    yield Finding("a record finds its lane", asked.record.place, words)
                forwarded[partition, home, key] -= 1
            elif asked.request.name == "PaymentInstruction":
                if key not in fates:
                    words = f"{'/'.join(key)} is neither decided nor refused"
                    yield Finding("no instruction is lost", asked.record.place, words)
            elif key not in granted and not (
                asked.request.name == "AccountOpenRequested" and account in accounts
            ):
                words = f"{asked.request.name} {'/'.join(key)} is neither granted nor refused"
                yield Finding("no request is lost", asked.record.place, words)
    for (lane, partition, key), count in forwarded.items():
        if count > 0:
            words = f"{'/'.join(key)} was forwarded {count} times more than asked for"
            yield Finding("a record is forwarded once", f"lane {lane} to {partition}", words)


def _one_end(fate: Fate) -> Iterator[Finding]:
    """One decision; if accepted settled or rejected, once; returned only after that; refunded once if due."""
    subject = wire.short(fate.payment_id)
    if len(fate.decided) != 1:
        yield Finding("a payment is decided once", subject, f"decided {len(fate.decided)} times")
    for what, times in (
        ("settled", len(fate.settled)), ("rejected", len(fate.rejected)),
        ("returned", len(fate.returned)), ("refunded", len(fate.refunded)),
    ):  # fmt: skip
        if times > 1:
            yield Finding("an outcome comes once", subject, f"{what} {times} times")
        if times and not fate.accepted:
            yield Finding("what is not accepted has no outcome", subject, what)
    if not fate.accepted:
        return
    if fate.settled and fate.rejected:
        yield Finding("one terminal state", subject, "settled and rejected")
    if not fate.settled and not fate.rejected:
        yield Finding("one terminal state", subject, "accepted, and neither settled nor rejected")
    if fate.returned and (not fate.settled or _at(fate.returned[0]) < _at(fate.settled[0])):
        yield Finding("what returns was settled", subject, "returned before it was settled")
    due = bool(fate.rejected or fate.returned)
    if due and not fate.refunded:
        yield Finding("a refund comes with its cause", subject, "the customer never had his money back")
    if fate.refunded and not due:
        yield Finding("a refund comes with its cause", subject, "refunded, and neither rejected nor returned")
    for each in (*fate.settled, *fate.rejected, *fate.returned, *fate.refunded):
        assert each.event is not None
        amount = (each.event.fields["amount_minor"], each.event.fields["currency"])
        if amount != (fate.amount_minor, fate.instruction["currency"]):
            words = f"{each.event.name} says {amount}, accepted were {fate.amount_minor}"
            yield Finding("amounts stay the same", subject, words)


def _at(told: Any) -> int:
    return int(told.record.offset)


def _at_the_bank(evidence: Evidence, fate: Fate, transfers: list[BankTransfer]) -> Iterator[Finding]:
    """At most one transfer a payment, exactly one for a settled one, one back for a returned one."""
    subject = wire.short(fate.payment_id)
    out = [each for each in transfers if each.kind == "payment"]
    back = [each for each in transfers if each.kind == "return"]
    for what, found in (("transfers", out), ("returns", back)):
        if len(found) > 1:
            yield Finding("at most one transfer a payment", subject, f"{len(found)} {what} at the bank")
    if fate.settled and len(out) != 1:
        yield Finding("what is settled has one transfer", subject, f"settled, {len(out)} at the bank")
    if fate.returned and len(back) != 1:
        yield Finding("what is returned came back", subject, f"returned, {len(back)} returns at the bank")
    if back and not fate.returned:
        yield Finding("what is returned came back", subject, "the bank returned it, our books do not know")
    if out and not fate.accepted:
        yield Finding("only what is accepted is sent", subject, "a transfer at the bank, never accepted")
    if out and fate.rejected and not _contradicts(evidence, fate):
        yield Finding("what is rejected has no transfer", subject, "rejected here, booked at the bank")
    told = fate.instruction
    for each in transfers:
        if not told:
            continue
        is_ours = (each.amount_minor, each.currency, each.counterparty, each.end_to_end_id or "NOTPROVIDED")
        ours = (fate.amount_minor, told["currency"], told["creditor_account"],
                told["end_to_end_id"] or "NOTPROVIDED")  # fmt: skip
        if is_ours != ours:
            yield Finding("the bank moved what was asked for", subject, f"moved {is_ours}, asked for {ours}")
        lane = wire.reference(each.instruction_id)
        if lane is not None and lane[0] != wire.lane_of(told["debtor_account"], evidence.partitions):
            words = f"{each.instruction_id} is not of the account's lane"
            yield Finding("a reference carries its lane", subject, words)


def _contradicts(evidence: Evidence, fate: Fate) -> bool:
    lane = wire.lane_of(fate.instruction["debtor_account"], evidence.partitions)
    reference = wire.written_reference(lane, fate.payment_id)
    return any(
        fault.kind == "contradictory_answer" and fault.instruction_id == reference
        for fault in evidence.faults
    )


def _files(evidence: Evidence) -> Iterator[Finding]:
    """A file is acted on once, and its copies are the same bytes."""
    by_message: dict[str, list[Any]] = defaultdict(list)
    for file in evidence.files:
        by_message[file.message_id].append(file)
    ours = {row["message_id"]: row for row in evidence.settlement.rows("bank_files")}
    for message_id, copies in by_message.items():
        if sum(each.standing == "stands" for each in copies) > 1:
            yield Finding("a file is acted on once", message_id, "several copies stand")
        if len({each.sha256 for each in copies}) > 1:
            yield Finding("a file sent again is the same bytes", message_id, "its copies differ")
        row = ours.get(message_id)
        if row is None:
            yield Finding("every file is ours", message_id, "our books do not know it")
        elif copies[0].sha256 != bytes(row["sha256"]).hex():
            yield Finding("a file is what was claimed", message_id, "the bank's bytes are others")


def _rows(evidence: Evidence, history: History) -> Iterator[Finding]:
    """The databases say of each payment what the events say."""
    for table, place, seq in (
        ("settlements", "settled", "event_seq"),
        ("rejections", "rejected", "event_seq"),
        ("returns", "returned", "event_seq"),
    ):
        yield from _same(
            f"settlement.{table}",
            {row["payment_id"]: (row["amount_minor"], row[seq]) for row in evidence.settlement.rows(table)},
            {fate.payment_id: _stated(getattr(fate, place)[0]) for fate in history.fates.values()
             if getattr(fate, place)},
        )  # fmt: skip
    yield from _same(
        "ingestion.refunds",
        {row["payment_id"]: (row["amount_minor"], row["event_seq"])
         for row in evidence.ingestion.rows("refunds")},
        {fate.payment_id: _stated(fate.refunded[0]) for fate in history.fates.values() if fate.refunded},
    )  # fmt: skip
    yield from _same(
        "ingestion.payments",
        {row["payment_id"]: (row["state"] == "accepted", row["amount_minor"], row["event_seq"])
         for row in evidence.ingestion.rows("payments")},
        {fate.payment_id: (fate.accepted, fate.amount_minor, fate.decided[0].seq)
         for fate in history.fates.values() if fate.decided},
    )  # fmt: skip


def _open(evidence: Evidence, history: History) -> Iterator[Finding]:
    """A batch counts as open the payments that are in it last, and of which no end was told."""
    rule, settlement = "a batch counts what is open of it", evidence.settlement
    later = sorted(settlement.rows("batch_memberships"), key=lambda row: int(row["place"]))
    last = {row["payment_id"]: row["batch_id"] for row in (*settlement.rows("payments"), *later)}
    payments, minor = Counter[bytes](), Counter[bytes]()
    for row in settlement.rows("payments"):
        fate = history.fates.get(row["payment_id"])
        if fate is None or not (fate.settled or fate.rejected):
            payments[last[row["payment_id"]]] += 1
            minor[last[row["payment_id"]]] += row["amount_minor"]
    counted = {
        row["batch_id"]: (row["open_payments"], row["open_minor"]) for row in settlement.rows("batches")
    }
    for batch_id in counted.keys() | payments.keys():
        found = (payments[batch_id], minor[batch_id])
        if counted.get(batch_id) != found:
            words = f"it counts (payments, minor units) {counted.get(batch_id)}, without an end are {found}"
            yield Finding(rule, wire.short(batch_id), words)


def _stated(told: Any) -> tuple[int, int]:
    return told.event.fields["amount_minor"], told.seq


def _same(table: str, rows: Mapping[bytes, Any], events: Mapping[bytes, Any]) -> Iterator[Finding]:
    for payment_id in rows.keys() | events.keys():
        row, event = rows.get(payment_id), events.get(payment_id)
        if row != event:
            words = f"{table} has {row}, the events say {event}"
            yield Finding("rows say what events say", wire.short(payment_id), words)
