"""Money: walked event by event through every lane, so that each rule holds at every watermark."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.auditor import wire
from tests.auditor.allowances import ENDS
from tests.auditor.checks_breaks import lied_minor
from tests.auditor.evidence import Database, Evidence, Finding
from tests.auditor.history import NOTIFICATIONS, PAYMENTS, Fate, History, Told

Place = tuple[int, str, str]
"""(lane, account, currency)"""
Movement = tuple[int, str, str, int, str]
"""(lane, debit account, credit account, minor units, currency)"""
_LARGEST = 99_999_999_999
"""0.01 to 999,999,999.99 EUR: EPC SCT rulebook, AT-T002."""


def check_money(evidence: Evidence, history: History) -> Iterator[Finding]:
    """Every rule about amounts."""
    for lane in range(evidence.partitions):
        yield from _customers(evidence, history, lane)
        yield from _handed_on(
            f"lane {lane}, ingestion to settlement",
            [each for each in history.firsts.get((PAYMENTS, lane), ()) if _is(each, "PaymentAccepted")],
            {row["payment_id"]: (row["amount_minor"], row["accepted_seq"])
             for row in evidence.settlement.rows("payments") if row["lane"] == lane},
            _marks(evidence.settlement, PAYMENTS, lane),
            _parked(evidence.settlement, PAYMENTS, lane),
        )  # fmt: skip
        yield from _handed_on(
            f"lane {lane}, settlement to ingestion",
            [each for each in history.firsts.get((NOTIFICATIONS, lane), ())
             if _is(each, "PaymentRejectedByBank", "PaymentReturned")],
            {row["payment_id"]: (row["amount_minor"], row["source_seq"])
             for row in evidence.ingestion.rows("refunds") if row["lane"] == lane},
            _marks(evidence.ingestion, NOTIFICATIONS, lane),
            _parked(evidence.ingestion, NOTIFICATIONS, lane),
        )  # fmt: skip
        yield from _transit(history, lane)
    yield from _expected_items(evidence, history)
    yield from _postings(evidence.ingestion, _ingestion_movements(evidence, history))
    yield from _postings(evidence.settlement, _settlement_movements(evidence, history))
    yield from _nostros(evidence, history)


def _is(told: Told, *names: str) -> bool:
    return told.event is not None and told.event.name in names


def _fields(told: Told) -> Mapping[str, Any]:
    assert told.event is not None
    return told.event.fields


def _marks(database: Database, topic: str, lane: int) -> Mapping[str, int]:
    for row in database.rows("lanes"):
        if row["lane"] == lane:
            prefix = f"{topic}|"
            return {k.removeprefix(prefix): v for k, v in row["watermarks"].items() if k.startswith(prefix)}
    return {}


def _parked(database: Database, topic: str, lane: int) -> frozenset[int]:
    return frozenset(
        row["source_offset"]
        for row in database.rows("parked")
        if row["topic"] == topic and row["source_partition"] == lane
    )


def _customers(evidence: Evidence, history: History, lane: int) -> Iterator[Finding]:
    """Each account's balance after every event, by our own computation: never below zero, and right.

    What is accepted was covered, its account open and in its currency; what is refused for want of funds
    was not covered. At the end the books hold what we computed.
    """
    currencies: dict[str, str] = {}
    held: Counter[tuple[str, str]] = Counter()
    for told in history.firsts.get((PAYMENTS, lane), ()):
        if told.event is None or told.stream.base != "ingestion":
            continue
        name, fields = told.event
        subject = told.record.place
        if name == "AccountOpened":
            currencies[fields["account"]] = fields["currency"]
        elif name == "AccountFunded":
            if currencies.get(fields["account"]) != fields["currency"]:
                yield Finding("only an open account is funded", subject, fields["account"])
            held[fields["account"], fields["currency"]] += fields["amount_minor"]
        elif name == "PaymentRefunded":
            held[fields["credited_account"], fields["currency"]] += fields["amount_minor"]
        elif name in ("PaymentAccepted", "PaymentRejected"):
            asked = fields["instruction"]
            place = (asked["debtor_account"], asked["currency"])
            covered = held[place] >= asked["amount_minor"]
            wrong = _what_forbids(asked, currencies.get(place[0]), covered)
            if name == "PaymentAccepted":
                if wrong:
                    yield Finding("only what may be accepted is", subject, "; ".join(wrong.values()))
                held[place] -= asked["amount_minor"]
                if wire.lane_of(place[0], evidence.partitions) != lane:
                    yield Finding("an account has one lane", subject, place[0])
            elif fields["reason_code"] in _JUDGED and fields["reason_code"] not in wrong:
                words = f"rejected {fields['reason_code']}, and it is not so"
                yield Finding("a rejection says what is so", subject, words)
    yield from _balances(evidence, history, lane, held)


_JUDGED = frozenset({"AM04", "AM03", "AM02", "AM01", "AC02"})
"""Reason codes that follow from what the auditor itself has: funds, currency, amount, account (ISO 20022)."""


def _what_forbids(asked: Mapping[str, Any], currency: str | None, covered: bool) -> dict[str, str]:
    found = {}
    if not covered:
        found["AM04"] = f"{asked['debtor_account']} did not hold {asked['amount_minor']}"
    if asked["currency"] != "EUR":
        found["AM03"] = f"{asked['currency']} on {asked['rail']}"
    if asked["amount_minor"] == 0:
        found["AM01"] = "the amount is zero"
    if not 0 < asked["amount_minor"] <= _LARGEST:
        found["AM02"] = f"{asked['amount_minor']} minor units"
    if currency is None:
        found["AC02"] = f"{asked['debtor_account']} is not open"
    elif currency != asked["currency"]:
        found["currency"] = f"{asked['debtor_account']} is in {currency}"
    return found


def _balances(
    evidence: Evidence, history: History, lane: int, held: Mapping[tuple[str, str], int]
) -> Iterator[Finding]:
    """Ingestion's balances are our own: customers from the walk, the house's accounts from their causes."""
    house: Counter[tuple[str, str]] = Counter()
    for told in history.firsts.get((PAYMENTS, lane), ()):
        if told.event is None or told.stream.base != "ingestion":
            continue
        name, fields = told.event
        if name == "AccountFunded":
            house[f"funding:{fields['source']}", fields["currency"]] -= fields["amount_minor"]
        elif name == "PaymentAccepted":
            asked = fields["instruction"]
            house[f"transit-out:{asked['rail']}", asked["currency"]] += asked["amount_minor"]
        elif name == "PaymentRefunded":
            house[f"transit-out:{fields['rail']}", fields["currency"]] -= fields["amount_minor"]
    ours = {place: minor for place, minor in {**held, **house}.items() if minor}
    theirs = {
        (row["account"], row["currency"]): row["balance_minor"]
        for row in evidence.ingestion.rows("balances")
        if row["lane"] == lane and row["balance_minor"]
    }
    for place in sorted(ours.keys() | theirs.keys()):
        if ours.get(place, 0) != theirs.get(place, 0):
            words = f"the books hold {theirs.get(place, 0)}, computed are {ours.get(place, 0)} {place[1]}"
            yield Finding("a balance is what we compute", f"lane {lane} {place[0]}", words)


def _handed_on(
    where: str,
    emitted: list[Told],
    handled: Mapping[bytes, tuple[int, int]],
    marks: Mapping[str, int],
    parked: frozenset[int],
) -> Iterator[Finding]:
    """At every watermark w: what was handled up to w = what was emitted up to w, with the amounts.

    The walk adds one event at a time, so that each prefix is compared; the first that differs is named.
    """
    known: dict[bytes, int] = {}
    for told in emitted:
        fields = _fields(told)
        mark = marks.get(f"{told.stream.producer}|{told.stream.lane}", 0)
        payment_id = fields["payment_id"]
        first = payment_id not in known
        known[payment_id] = told.seq
        amount = fields.get("amount_minor", fields.get("instruction", {}).get("amount_minor"))
        found = handled.get(payment_id)
        subject = f"{where} at seq {told.seq}"
        if told.record.offset in parked:
            if found is not None:
                yield Finding("what is parked is not handled", subject, wire.short(payment_id))
        elif told.seq > mark:
            if found is not None and first:
                words = f"{wire.short(payment_id)} is handled beyond the watermark {mark}"
                yield Finding("money is conserved at every watermark", subject, words)
        elif first and found != (amount, told.seq):
            words = f"{wire.short(payment_id)}: emitted {amount}, handled (amount, seq) {found}"
            yield Finding("money is conserved at every watermark", subject, words)
    for payment_id in handled.keys() - known.keys():
        words = f"{wire.short(payment_id)}: {handled[payment_id][0]} handled, never emitted"
        yield Finding("money is conserved at every watermark", where, words)


def _transit(history: History, lane: int) -> Iterator[Finding]:
    """Both transit accounts at every prefix of their events: never below zero, and bounded by each other.

    At each event of settlement what it took out of transit, net of returns, is at most what ingestion had
    put in by the payments concerned; at each refund ingestion holds what it gives back.
    """
    put: Counter[str] = Counter()
    for told in history.firsts.get((PAYMENTS, lane), ()):
        if _is(told, "PaymentAccepted"):
            put[_fields(told)["instruction"]["currency"]] += _fields(told)["instruction"]["amount_minor"]
        elif _is(told, "PaymentRefunded"):
            put[_fields(told)["currency"]] -= _fields(told)["amount_minor"]
            if put[_fields(told)["currency"]] < 0:
                words = f"ingestion's transit falls to {put[_fields(told)['currency']]}"
                yield Finding("transit is never below zero", f"lane {lane} {told.record.place}", words)
    taken: Counter[str] = Counter()
    open_minor: dict[bytes, int] = {}
    for told in history.firsts.get((NOTIFICATIONS, lane), ()):
        if not _is(told, "PaymentSettled", "PaymentReturned", "PaymentRejectedByBank"):
            continue
        fields = _fields(told)
        payment_id, currency = fields["payment_id"], fields["currency"]
        fate = history.fates[payment_id]
        accepted = fate.amount_minor if fate.accepted else 0
        sign = {"PaymentSettled": 1, "PaymentReturned": -1}.get(told.event.name if told.event else "", 0)
        taken[currency] += sign * fields["amount_minor"]
        open_minor[payment_id] = open_minor.get(payment_id, 0) + sign * fields["amount_minor"]
        if taken[currency] < 0 or not 0 <= open_minor[payment_id] <= accepted:
            words = (
                f"{wire.short(payment_id)}: {open_minor[payment_id]} of {accepted} taken out, "
                f"{taken[currency]} in all"
            )
            yield Finding("transit is never below zero", f"lane {lane} {told.record.place}", words)


def _expected_items(evidence: Evidence, history: History) -> Iterator[Finding]:
    """Reconciliation knows each movement that settlement told, and no other; a matched one has its line."""
    items = {(row["payment_id"], row["side"]): row for row in evidence.reconciliation.rows("expected_items")}
    lines = {
        (row["lane"], row["statement_id"], row["line_number"]): row
        for row in evidence.reconciliation.rows("statement_lines")
    }
    told: dict[tuple[bytes, int], int] = {}
    for fate in history.fates.values():
        if fate.settled:
            told[fate.payment_id, -1] = -_fields(fate.settled[0])["amount_minor"]
        if fate.returned:
            fields = _fields(fate.returned[0])
            told[fate.payment_id, 1] = fields["amount_minor"] - fields["charges_minor"]
    known = {
        place: row["amount_minor"]
        for place, row in items.items()
        if row["side"] == 1 or row["settled_on"] is not None
    }
    for place in told.keys() | known.keys():
        if told.get(place) != known.get(place):
            words = f"settlement told {told.get(place)}, reconciliation knows {known.get(place)}"
            yield Finding("reconciliation knows what moved", wire.short(place[0]), words)
    for place, row in items.items():
        if row["state"] != 1:
            continue
        line = lines.get((row["lane"], row["statement_id"], row["line_number"]))
        of_one = row["match_kind"] != "batch_total"
        if line is None or (of_one and line["amount_minor"] != row["amount_minor"]):
            words = f"matched with {None if line is None else line['amount_minor']}"
            yield Finding("a match is a line of that amount", wire.short(place[0]), words)


def _ingestion_movements(evidence: Evidence, history: History) -> Iterator[Movement]:
    for told in history.told(PAYMENTS, "AccountFunded", "PaymentAccepted", "PaymentRefunded"):
        lane, fields = told.record.partition, _fields(told)
        if _is(told, "AccountFunded"):
            debit, credit = f"funding:{fields['source']}", fields["account"]
        elif _is(told, "PaymentAccepted"):
            fields = fields["instruction"]
            debit, credit = fields["debtor_account"], f"transit-out:{fields['rail']}"
        else:
            debit, credit = f"transit-out:{fields['rail']}", fields["credited_account"]
        yield lane, debit, credit, fields["amount_minor"], fields["currency"]


def _settlement_movements(evidence: Evidence, history: History) -> Iterator[Movement]:
    for row in evidence.settlement.rows("nostros"):
        if row["opening_minor"]:
            # A balance is credits minus debits: what the bank owes us stands as a debit of the nostro.
            yield (
                row["lane"],
                f"nostro:{row['nostro']}",
                "funding:*",
                row["opening_minor"],
                row["currency"],
            )
    kinds = ("PaymentSettled", "PaymentReturned", "SettlementContradicted")
    for told in history.told(NOTIFICATIONS, *kinds):
        lane, fields = told.record.partition, _fields(told)
        amount, currency, nostro = fields["amount_minor"], fields["currency"], f"nostro:{fields['nostro']}"
        transit = f"transit-out:{fields['rail']}"
        if _is(told, "PaymentSettled"):
            yield lane, transit, nostro, amount, currency
        elif _is(told, "PaymentReturned"):
            charges = fields["charges_minor"]
            yield lane, nostro, transit, amount - charges, currency
            if charges:
                yield lane, "fees", transit, charges, currency
        elif amount:
            debit, credit = ("suspense:*", nostro) if amount < 0 else (nostro, "suspense:*")
            yield lane, debit, credit, abs(amount), currency


def _postings(database: Database, movements: Iterator[Movement]) -> Iterator[Finding]:
    """The ledger holds exactly the movements of the events, and its balances are their sums."""

    def named(account: str) -> str:
        settlement = database.service == "settlement"
        kind = account.partition(":")[0]
        return f"{kind}:*" if settlement and kind in ("suspense", "funding") else account

    ours = Counter(movements)
    theirs: Counter[Movement] = Counter()
    sums: Counter[Place] = Counter()
    for row in database.rows("postings"):
        lane, amount, currency = row["lane"], row["amount_minor"], row["currency"]
        debit, credit = row["debit_account"], row["credit_account"]
        theirs[lane, named(debit), named(credit), amount, currency] += 1
        sums[lane, debit, currency] -= amount
        sums[lane, credit, currency] += amount
    for movement in ours.keys() | theirs.keys():
        if ours[movement] != theirs[movement]:
            lane, debit, credit, amount, currency = movement
            words = f"posted {theirs[movement]} times, told {ours[movement]} times"
            subject = f"{database.service} lane {lane} Dr {debit} Cr {credit} {amount} {currency}"
            yield Finding("the ledger is what the events say", subject, words)
    held: dict[Place, int] = defaultdict(int)
    for row in database.rows("balances"):
        held[row["lane"], row["account"], row["currency"]] = row["balance_minor"]
    for place in sums.keys() | held.keys():
        if sums[place] != held[place]:
            subject = f"{database.service} lane {place[0]} {place[1]}"
            words = f"holds {held[place]}, its postings make {sums[place]} {place[2]}"
            yield Finding("balances are the sums of postings", subject, words)


def _nostros(evidence: Evidence, history: History) -> Iterator[Finding]:
    """Our account at the bank: the bank's books and ours agree, but for what the bank itself told wrongly."""
    for account in evidence.bank_accounts:
        name = f"nostro:{account.account}"
        ours = -sum(
            row["balance_minor"]
            for row in evidence.settlement.rows("balances")
            if row["account"] == name and row["currency"] == account.currency
        )
        moved = sum(
            -each.amount_minor if each.kind == "payment" else each.amount_minor
            for each in evidence.transfers
            if each.account == account.account and each.currency == account.currency
        )
        if account.opened_with_minor + moved != account.balance_minor:
            words = (
                f"{account.opened_with_minor} and its transfers {moved} do not make {account.balance_minor}"
            )
            yield Finding("the bank's books balance", account.account, words)
        told = lied_minor(evidence, history, account.account, account.currency)
        unknown = _not_told(evidence, history)
        if ours != account.balance_minor + told + unknown:
            words = (
                f"we hold {ours}, the bank {account.balance_minor}, "
                f"told wrongly {told}, told nowhere {-unknown} {account.currency}"
            )
            yield Finding("our nostro is the bank's account", account.account, words)


def _not_told(evidence: Evidence, history: History) -> int:
    """What the bank moved, and told on purpose by no answer and no line, in the books' sign: by allowance."""
    moved = {(each.kind, each.instruction_id) for each in evidence.transfers}
    allowed = {(each.rule, each.subject) for each in evidence.allowed}
    found = 0
    for fate in history.fates.values():
        # A payment may be told of by its return alone, or because the bank was asked.
        for side, sign, told in (("payment", 1, fate.settled), ("return", -1, fate.returned)):
            if not told and (ENDS[side], wire.short(fate.payment_id)) in allowed and (
                side, wire.written_reference(_lane(evidence, fate), fate.payment_id)
            ) in moved:  # fmt: skip
                found += sign * fate.amount_minor
    return found


def _lane(evidence: Evidence, fate: Fate) -> int:
    return wire.lane_of(fate.instruction["debtor_account"], evidence.partitions)
