"""Each rule of the auditor is broken by hand once, and found by its name; a right house is clean."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.auditor import wire
from tests.auditor.allowances import untold
from tests.auditor.audit import audit
from tests.auditor.evidence import Allowed, BankFile, Evidence, Given, LogRecord, PlantedFault
from tests.auditor.made import ACCOUNTS, CREDITOR, DAY, NOSTRO, Made, encode, good_house, without

Spoil = Callable[[Evidence], Evidence]


def test_a_house_that_did_everything_right_is_clean() -> None:
    report = audit(good_house().evidence())
    assert report.clean, str(report)
    assert (report.counts["accepted"], report.counts["settled"]) == (6, 4)


def records(evidence: Evidence, topic: str) -> list[int]:
    return [place for place, each in enumerate(evidence.log) if each.topic == topic]


def swapped(evidence: Evidence) -> Evidence:
    """Two events of one lane stand on their topic in the wrong order."""
    log = list(evidence.log)
    one, other = [p for p in records(evidence, "payments") if log[p].partition == 0][2:4]
    log[one], log[other] = (
        replace(log[other], offset=log[one].offset),
        replace(log[one], offset=log[other].offset),
    )
    return replace(evidence, log=log)


def dropped(topic: str) -> Spoil:
    """The topic's second record is gone."""
    return lambda evidence: replace(
        evidence, log=[e for p, e in enumerate(evidence.log) if p != records(evidence, topic)[1]]
    )


def added(change: Callable[[LogRecord], LogRecord]) -> Spoil:
    """The last of `payments` once more, changed, at the end of its partition."""

    def spoil(evidence: Evidence) -> Evidence:
        last = evidence.log[records(evidence, "payments")[-1]]
        return replace(evidence, log=[*evidence.log, change(replace(last, offset=last.offset + 1))])

    return spoil


def numbered(record: LogRecord, seq: int) -> LogRecord:
    headers = tuple((n, b"%d" % seq if n == "seq" else v) for n, v in record.headers)
    return replace(record, headers=headers)


def given_too(evidence: Evidence) -> Evidence:
    lost = Given("c", "lost", ACCOUNTS[0], CREDITOR, 1, "EUR", DAY, "E2E")
    return replace(evidence, given=[*evidence.given, lost])


def given_otherwise(evidence: Evidence) -> Evidence:
    first = replace(evidence.given[0], amount_minor=evidence.given[0].amount_minor + 1)
    return replace(evidence, given=[first, *evidence.given[1:]])


def paid_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, transfers=[evidence.transfers[0], *evidence.transfers])


def unpaid(evidence: Evidence) -> Evidence:
    return replace(evidence, transfers=evidence.transfers[1:])


def nobodys_transfer(evidence: Evidence) -> Evidence:
    stray = replace(evidence.transfers[0], instruction_id=wire.written_reference(0, b"x" * 16))
    return replace(evidence, transfers=[*evidence.transfers, stray])


def other_amount_at_the_bank(evidence: Evidence) -> Evidence:
    first = replace(evidence.transfers[0], amount_minor=evidence.transfers[0].amount_minor + 1)
    return replace(evidence, transfers=[first, *evidence.transfers[1:]])


def lanes_row(service: str, **changes: object) -> Spoil:
    return lambda evidence: without(evidence, service, "lanes", **changes)


def row(service: str, table: str, **changes: object) -> Spoil:
    return lambda evidence: without(evidence, service, table, **changes)


SPOILT: dict[str, Spoil] = {
    "no gap in a sequence": dropped("payments"),
    "events are in order": swapped,
    "what is committed is emitted": dropped("settlement-notifications"),
    "repeats are byte-equal": added(lambda each: replace(each, value=b"\0other")),
    "what is emitted was committed": added(lambda each: numbered(each, 9)),
    "no stranger writes our topics": added(lambda each: replace(each, headers=())),
    "a key has one partition": lambda evidence: replace(
        evidence,
        log=[replace(e, key=b"one") if e.topic == "payments" else e for e in evidence.log],
    ),
    "what is emitted is what was committed": lambda evidence: replace(
        evidence,
        log=[replace(e, key=b"other") if e.topic == "settlement-notifications" else e for e in evidence.log],
    ),
    "the outbox has no hole": row("ingestion", "outbox", outbox_seq=99),
    "an event is committed once": lambda evidence: without(
        evidence, "ingestion", "outbox", frame=evidence.ingestion.rows("outbox")[-2]["frame"]
    ),
    "every lane has its row": row("ingestion", "lanes"),
    "no lane is stopped": lanes_row("settlement", stopped_reason="broken"),
    "only what is committed is published": lanes_row("settlement", published_seq=99),
    "next numbers agree with the topics": lanes_row("ingestion", destinations={"payments/1": 99}),
    "what is acknowledged is on the topic": lanes_row("ingestion", acknowledged={"payments/1": 99}),
    "every record is handled": lanes_row("settlement", offsets={"payments": 3, "bank-notifications": 0}),
    "watermarks agree with the topics": lanes_row("reconciliation", watermarks={}),
    "no instruction is lost": given_too,
    "a payment is what was given": given_otherwise,
    "every payment was asked for": lambda evidence: replace(evidence, given=evidence.given[1:]),
    "a record is what was given": lambda evidence: replace(
        evidence, given=[replace(evidence.given[0], digest=b"other"), *evidence.given[1:]]
    ),
    "no request is lost": row("ingestion", "account_requests"),
    "at most one transfer a payment": paid_twice,
    "what is settled has one transfer": unpaid,
    "every transfer is a payment's": nobodys_transfer,
    "the bank moved what was asked for": other_amount_at_the_bank,
    "rows say what events say": row("settlement", "settlements", amount_minor=1),
    "a batch counts what is open of it": row("settlement", "batches", open_minor=1),
    "money is conserved at every watermark": row("settlement", "payments", amount_minor=1),
    "a balance is what we compute": row("ingestion", "balances", balance_minor=1),
    "balances are the sums of postings": row("settlement", "balances", balance_minor=1),
    "the ledger is what the events say": row("settlement", "postings"),
    "reconciliation knows what moved": row("reconciliation", "expected_items"),
    "a match is a line of that amount": row("reconciliation", "statement_lines"),
    "our nostro is the bank's account": lambda evidence: replace(
        evidence, bank_accounts=[replace(evidence.bank_accounts[0], balance_minor=1, opened_with_minor=4_001)]
    ),
    "the bank's books balance": lambda evidence: replace(
        evidence, bank_accounts=[replace(evidence.bank_accounts[0], opened_with_minor=1)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", SPOILT)
def test_what_is_spoilt_by_hand_is_found_by_the_name_of_its_rule(rule: str) -> None:
    report = audit(SPOILT[rule](good_house().evidence()))
    assert rule in report.by_rule, str(report)


def unsettled(made: Made) -> None:
    made.decide(0, 100)


def settled_and_rejected(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made.give_back(0, payment_id, 100, returned=False)


def settled_twice(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made.outcome(0, payment_id, 100, "PaymentSettled", "settlements")


def rejected_and_kept(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.outcome(0, payment_id, 100, "PaymentRejectedByBank", "rejections")


def returned_before_settled(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.give_back(0, payment_id, 100, returned=True)
    made.settle(0, payment_id, 100)


def rejected_and_booked(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.give_back(0, payment_id, 100, returned=False)
    made.transfer(0, payment_id, 100, "payment")


def rejected_here_and_sent(made: Made) -> None:
    payment_id = made.decide(0, 50_000, "AM04")
    made.transfer(0, payment_id, 50_000, "payment")


def overdrawn(made: Made) -> None:
    payment_id = made.decide(0, 50_000)
    made.settle(0, payment_id, 50_000)


def refused_for_no_reason(made: Made) -> None:
    made.decide(0, 100, "AM04")


def decided_twice(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made._payments -= 1
    made.decide(0, 100)


def on_the_wrong_lane(made: Made) -> None:
    made.put("payment-instructions", 1, b"", encode(
        "PaymentInstruction", client="c", idempotency_key="far", debtor_account=ACCOUNTS[0]))  # fmt: skip


def unreadable(made: Made) -> None:
    made.put("payment-instructions", 1, b"", b"rubbish")


def settled_another_amount(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 99)


def returned_unknown_to_us(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made.transfer(0, payment_id, 100, "return")


def rejected_and_settled(made: Made) -> None:
    payment_id = made.decide(0, 50_000, "AM04")
    made.outcome(0, payment_id, 50_000, "PaymentSettled", "settlements")


def one_key_two_payments(made: Made) -> None:
    # The number that k-1 had, for a payment with an id of its own.
    made._payments = 0
    payment_id, fields = made.ask(0, 100)
    told = made.instruction(fields)
    made.tell("ingestion", 0, "payments", "PaymentAccepted", ACCOUNTS[0], payment_id=b"2" + payment_id[1:],
              instruction=told)  # fmt: skip


def of_another_lane(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made.transfers[-1] = replace(made.transfers[-1], instruction_id=wire.written_reference(1, payment_id))


def accepted_in_a_strange_lane(made: Made) -> None:
    account = ACCOUNTS[0]
    payment_id, fields = made.ask(1, 100)
    told = made.instruction({**fields, "debtor_account": account})
    made.tell("ingestion", 1, "payments", "PaymentAccepted", account, payment_id=payment_id, instruction=told)


def funded_unopened(made: Made) -> None:
    made.tell("ingestion", 0, "payments", "AccountFunded", "stranger", account="stranger", currency="EUR",
              amount_minor=1, source="cash")  # fmt: skip


def forwarded_unasked(made: Made) -> None:
    body = encode("PaymentInstruction", client="c", idempotency_key="k-1", debtor_account=ACCOUNTS[1])
    headers = (("producer", b"ingestion.one"), ("lane", b"0"), ("seq", b"1"))
    made.put("payment-instructions", 1, b"", body, headers)


def two_copies_stand(made: Made) -> None:
    made.files += [BankFile("GF1", "ab", "stands", 1), BankFile("GF1", "ab", "stands", 1)]
    made.tables["settlement"]["bank_files"].append({"message_id": "GF1", "sha256": b"\xab"})


def copies_differ(made: Made) -> None:
    made.files += [BankFile("GF1", "ab", "stands", 1), BankFile("GF1", "cd", "duplicate", 1)]
    made.tables["settlement"]["bank_files"].append({"message_id": "GF1", "sha256": b"\xab"})


def file_of_others(made: Made) -> None:
    made.files.append(BankFile("GF1", "ab", "stands", 1))


def file_of_other_bytes(made: Made) -> None:
    made.files.append(BankFile("GF1", "ab", "stands", 1))
    made.tables["settlement"]["bank_files"].append({"message_id": "GF1", "sha256": b"\xcd"})


def parked_and_handled(made: Made) -> None:
    made.decide(0, 100)
    made.tables["settlement"]["parked"].append(
        {"topic": "payments", "source_partition": 0, "source_offset": 8, "value": b""}
    )


def break_of_nobody(made: Made) -> None:
    made.open_break(b"n" * 16, "missing_line", 100)


def unplanted_break(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made.open_break(payment_id, "missing_line", 100)


def unfound_fault(made: Made) -> None:
    payment_id = made.decide(0, 100)
    made.settle(0, payment_id, 100)
    made.faults.append(
        PlantedFault("short_statement", wire.written_reference(0, payment_id), "payment", "STM", -100)
    )


STORIES = {
    "one terminal state": (unsettled, settled_and_rejected),
    "an outcome comes once": (settled_twice,),
    "a refund comes with its cause": (rejected_and_kept,),
    "what returns was settled": (returned_before_settled,),
    "transit is never below zero": (returned_before_settled,),
    "what is rejected has no transfer": (rejected_and_booked,),
    "only what is accepted is sent": (rejected_here_and_sent,),
    "only what may be accepted is": (overdrawn,),
    "a rejection says what is so": (refused_for_no_reason,),
    "a payment is decided once": (decided_twice,),
    "a record finds its lane": (on_the_wrong_lane,),
    "what cannot be read is kept": (unreadable,),
    "amounts stay the same": (settled_another_amount,),
    "what is returned came back": (returned_unknown_to_us,),
    "what is not accepted has no outcome": (rejected_and_settled,),
    "an instruction is one payment": (one_key_two_payments,),
    "a reference carries its lane": (of_another_lane,),
    "an account has one lane": (accepted_in_a_strange_lane,),
    "only an open account is funded": (funded_unopened,),
    "a record is forwarded once": (forwarded_unasked,),
    "a file is acted on once": (two_copies_stand,),
    "a file sent again is the same bytes": (copies_differ,),
    "every file is ours": (file_of_others,),
    "a file is what was claimed": (file_of_other_bytes,),
    "what is parked is not handled": (parked_and_handled,),
    "a break is about a payment": (break_of_nobody,),
    "breaks are the planted faults": (unplanted_break, unfound_fault),
}


@pytest.mark.parametrize(
    ("rule", "story"),
    [
        pytest.param(rule, story, id=f"{rule}: {story.__name__}")
        for rule, of in STORIES.items()
        for story in of
    ],
)
def test_a_story_that_must_not_be_is_found_by_the_name_of_its_rule(
    rule: str, story: Callable[[Made], None]
) -> None:
    made = good_house()
    story(made)
    report = audit(made.evidence())
    assert rule in report.by_rule, str(report)


def test_a_contradiction_that_the_bank_planted_is_one_break_over_the_booking() -> None:
    made = good_house()
    payment_id = made.decide(0, 100)
    made.give_back(0, payment_id, 100, returned=False)
    made.transfer(0, payment_id, 100, "payment")
    made.outcome(0, payment_id, -100, "SettlementContradicted", "contradictions")
    made.post("settlement", 0, b"c" * 16, "suspense:contradicted", "nostro:NOSTRO", 100, "contradicted")
    made.open_break(payment_id, "settled_after_rejection", -100, "contradiction")
    made.faults.append(PlantedFault("contradictory_answer", wire.written_reference(0, payment_id)))
    report = audit(made.evidence())
    assert report.clean, str(report)


def test_a_wrong_line_of_a_contradicted_payment_is_held_besides_its_booking_and_counts_as_told_wrongly() -> (
    None
):
    made = good_house()
    payment_id = made.decide(0, 100)
    reference = wire.written_reference(0, payment_id)
    made.give_back(0, payment_id, 100, returned=False)
    made.transfer(0, payment_id, 100, "payment")
    for stated in (100, 101):
        made.outcome(0, payment_id, -stated, "SettlementContradicted", "contradictions")
        made.tables["settlement"]["contradictions"][-1] |= {"nostro": NOSTRO, "currency": "EUR"}
        made.post(
            "settlement", 0, b"c" * 16, "suspense:contradicted", f"nostro:{NOSTRO}", stated, "contradicted"
        )
        made.open_break(payment_id, "settled_after_rejection", -stated, "contradiction")
    made.faults.append(PlantedFault("contradictory_answer", reference))
    made.faults.append(PlantedFault("wrong_amount_line", reference, "payment", "STM", 1))
    made.tables["reconciliation"]["statements"].append(
        {"statement_id": b"s" * 16, "bank_statement_id": "STM"}
    )
    made.open_break(wire.NO_ID, "sum_differs", 1, "statement")
    made.tables["reconciliation"]["breaks"][-1]["statement_id"] = b"s" * 16
    report = audit(made.evidence())
    assert report.clean, str(report)


def test_a_return_that_the_bank_told_nowhere_is_allowed_with_its_money_and_needs_no_break() -> None:
    made = good_house()
    payment_id = made.decide(0, 100)
    reference = wire.written_reference(0, payment_id)
    made.settle(0, payment_id, 100)
    made.transfer(0, payment_id, 100, "return")
    made.faults.append(PlantedFault("lost_answer", reference, "return"))
    made.faults.append(PlantedFault("short_statement", reference, "return", "STM", 100))
    made.tables["reconciliation"]["statements"].append(
        {"statement_id": b"s" * 16, "bank_statement_id": "STM"}
    )
    made.open_break(wire.NO_ID, "sum_differs", 100, "statement")
    made.tables["reconciliation"]["breaks"][-1]["statement_id"] = b"s" * 16
    evidence = made.evidence()
    assert set(audit(evidence).by_rule) == {"what is returned came back", "our nostro is the bank's account"}
    report = audit(replace(evidence, allowed=untold(evidence.faults)))
    assert report.clean, str(report)


def test_a_payment_that_is_known_all_the_same_counts_as_known_though_its_answer_and_its_line_are_lost() -> (
    None
):
    made = good_house()
    payment_id = made.decide(0, 100)
    reference = wire.written_reference(0, payment_id)
    made.settle(0, payment_id, 100)
    made.faults.append(PlantedFault("lost_answer", reference, "payment"))
    made.faults.append(PlantedFault("short_statement", reference, "payment", "STM", -100))
    evidence = made.evidence()
    report = audit(replace(evidence, allowed=untold(evidence.faults)))
    assert "our nostro is the bank's account" not in report.by_rule


def test_only_what_is_allowed_beforehand_by_rule_and_subject_is_excused() -> None:
    made = good_house()
    payment_id = made.decide(0, 100)
    evidence = made.evidence()
    allowed = Allowed("one terminal state", wire.short(payment_id), "its answer is lost and its line too")
    report = audit(replace(evidence, allowed=[allowed]))
    assert report.clean, str(report)
    assert len(report.allowed) == 1


def test_every_rule_of_the_auditor_was_broken_by_hand_here() -> None:
    named = re.compile(r"Finding\(\s*\"([^\"]+)\"")
    rules = {
        rule
        for path in Path(__file__).parent.glob("checks_*.py")
        for rule in named.findall(path.read_text(encoding="utf-8"))
    }
    assert rules - {*SPOILT, *STORIES} == set()
