"""Breaks: reconciliation's open breaks are the bank's planted faults, no more and no less.

The auditor's own table of what a fault must lead to:

- rejects, returns: no break, they are normal results;
- loses, doubles or delays an answer: none, the statement or the other copy says the same;
- loses an upload, or times out after one: none, it is asked for and sent again;
- contradicts itself (RJCT and a booking): one `settled_after_rejection` over the debit or one
  `rejected_after_settlement` over 0: which, depends on what was heard first, and the payment's own state
  says it; none if the RJCT never left the bank;
- leaves a line out of a statement: `missing_line` of that movement, for our books have it, and `sum_differs`
  of the statement, for its balances have it and its lines do not;
- states a line with another amount: `…_amount_differs`, and `missing_line` of the true movement, which is on
  no line; and `amount_differs` of the line where the contradiction is not over the line's amount;
  `sum_differs` of the statement;
- states a day again under its number: one `statement_corrected` of the second, over what its closing balance
  differs by, for as long as it stands; its lines are held back, those of the first stay as they are;
- echoes EndToEndId alone: none where that is unique; with another amount it is nobody's, an `unknown_entry`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from tests.auditor import wire
from tests.auditor.evidence import Evidence, Finding, PlantedFault
from tests.auditor.history import Fate, History

CONTRADICTORY, CONTRADICTORY_LOST = "contradictory_answer", "contradictory_answer_lost"
CORRECTED = "corrected_statement"
SHORT, WRONG, ECHO, LOST = "short_statement", "wrong_amount_line", "echo_end_to_end_only", "lost_answer"
HARMLESS = frozenset(
    {"reject", "return", "doubled_answer", "late_answer", "drop_upload", "timeout_after_upload",
     LOST, CONTRADICTORY_LOST}
)  # fmt: skip
_ALL = frozenset(
    {"settled_after_rejection", "rejected_after_settlement", "settled_amount_differs",
     "return_amount_differs", "returned_after_rejection", "second_settlement", "second_return",
     "amount_differs", "missing_line", "unknown_line", "unknown_entry", "ambiguous_line", "ambiguous_entry",
     "line_for_rejected", "duplicate_line"}
)  # fmt: skip
"""What a payment may show that several faults met: which, depends on the order in which they were heard."""

Breaks = Counter[tuple[str, int]]
"""(reason, signed minor units) → how many"""


class Movement(NamedTuple):
    """One side of a payment with the fault of its statement line."""

    side: str
    kind: str
    difference_minor: int


def check_breaks(evidence: Evidence, history: History) -> Iterator[Finding]:
    """Open breaks by payment and by statement against what was planted."""
    by_payment: dict[bytes, Breaks] = defaultdict(Counter)
    by_statement: dict[bytes, Breaks] = defaultdict(Counter)
    nameless: Breaks = Counter()
    for row in evidence.reconciliation.rows("breaks"):
        if row["resolved_at"] is not None:
            continue
        what = (row["reason"], row["amount_minor"])
        if row["payment_id"] != wire.NO_ID:
            by_payment[row["payment_id"]][what] += 1
        elif row["about"] == "statement":
            by_statement[row["statement_id"]][what] += 1
        else:
            nameless[what] += 1
    planted: dict[bytes, list[PlantedFault]] = defaultdict(list)
    for fault in evidence.faults:
        found = wire.reference(fault.instruction_id)
        if found is not None:
            planted[found[1]].append(fault)
    ambiguous = _ambiguous(evidence)
    for payment_id in by_payment.keys() | planted.keys():
        fate = history.fates.get(payment_id)
        if fate is None:
            yield Finding("a break is about a payment", wire.short(payment_id), "no such payment")
            continue
        yield from _payment(
            fate, planted.get(payment_id, []), by_payment.get(payment_id, Counter()), ambiguous
        )
    yield from _statements(evidence, by_statement)
    wanted = Counter(("unknown_entry", minor) for minor in _unrecognised(evidence, history).elements())
    either = sum(fault.kind == ECHO and fault.instruction_id in ambiguous for fault in evidence.faults)
    if wanted - nameless or (nameless - wanted).total() > 2 * either:
        words = f"expected {_words([wanted])}, found {_words([nameless])}"
        yield Finding("breaks are the planted faults", "without a payment", words)


def _unrecognised(evidence: Evidence, history: History) -> Counter[int]:
    """Amounts of lines that name no payment: EndToEndId alone is echoed, and another amount than ours."""
    echoed = {fault.instruction_id for fault in evidence.faults if fault.kind == ECHO}
    found: Counter[int] = Counter()
    for fault in evidence.faults:
        reference = wire.reference(fault.instruction_id)
        if fault.kind == WRONG and fault.instruction_id in echoed and reference is not None:
            fate = history.fates.get(reference[1])
            if fate is not None:
                found[_moved(fate, fault.side) - fault.difference_minor] += 1
    return found


def _moved(fate: Fate, side: str) -> int:
    return -fate.amount_minor if side == "payment" else fate.amount_minor


def _payment(fate: Fate, faults: list[PlantedFault], found: Breaks, ambiguous: Set[str]) -> Iterator[Finding]:
    subject = wire.short(fate.payment_id)
    telling = {fault.kind for fault in faults if fault.kind not in HARMLESS}
    echoes = ECHO in telling
    if not any(fault.instruction_id in ambiguous for fault in faults if fault.kind == ECHO):
        telling.discard(ECHO)
    damages = [
        Movement(each.side, each.kind, each.difference_minor)
        for each in faults
        if each.kind in (SHORT, WRONG)
    ]
    if not telling:
        wanted = [Counter[tuple[str, int]]()]
    elif telling == {CONTRADICTORY}:
        wanted = [_contradiction(fate)]
    elif telling <= {SHORT, WRONG}:
        untold = {each.side for each in faults if each.kind == LOST}
        wanted = [Counter()]
        for each in damages:
            heard = bool(fate.settled if each.side == "payment" else fate.returned) or each.side not in untold
            found_in = _damage(fate, each, echoes) if heard else _unheard(fate, each, echoes)
            wanted = [one + other for one in wanted for other in found_in]
    else:
        strange = {reason for reason, _ in found} - _ALL
        if strange or (not found and CONTRADICTORY in telling):
            words = f"{sorted(telling)} met, found {sorted(found) or 'nothing'}"
            yield Finding("breaks are the planted faults", subject, words)
        return
    if found not in wanted:
        words = f"planted {sorted(telling) or 'nothing'}: expected {_words(wanted)}, found {_words([found])}"
        yield Finding("breaks are the planted faults", subject, words)


def _contradiction(fate: Fate) -> Breaks:
    if fate.rejected:
        return Counter({("settled_after_rejection", -fate.amount_minor): 1})
    return Counter({("rejected_after_settlement", 0): 1})


def _damage(fate: Fate, damage: Movement, echoes: bool) -> list[Breaks]:
    """What a damaged line of one side leads to; the alternatives by what was heard first.

    One that states another amount and `echoes` EndToEndId alone names no payment: its break is nobody's.
    """
    true = _moved(fate, damage.side)
    missing = ("missing_line", -true)
    if damage.kind == SHORT or echoes:
        return [Counter({missing: 1})]
    # The balances moved by `true`, the line says something else: the difference is what the lines lack.
    stated = true - damage.difference_minor
    differs = "settled_amount_differs" if damage.side == "payment" else "return_amount_differs"
    return [
        Counter({(differs, 0): 1, ("amount_differs", stated): 1, missing: 1}),
        Counter({(differs, stated): 1, missing: 1}),
    ]


def _unheard(fate: Fate, damage: Movement, echoes: bool) -> list[Breaks]:
    """What a damaged line leads to whose true movement nobody has told: only what it states is looked at."""
    if damage.kind == SHORT or echoes:
        return [Counter()]
    differs = "settled_amount_differs" if damage.side == "payment" else "return_amount_differs"
    return [Counter({(differs, _moved(fate, damage.side) - damage.difference_minor): 1})]


def _words(alternatives: list[Breaks]) -> str:
    return " or ".join(
        ", ".join(f"{count}× {reason} {minor}" for (reason, minor), count in sorted(each.items())) or "none"
        for each in alternatives
    )


def _ambiguous(evidence: Evidence) -> Set[str]:
    """Instructions of which an answer that echoes EndToEndId alone can be about several, or names none."""
    echoed = {fault.instruction_id for fault in evidence.faults if fault.kind == ECHO}
    end_to_end: dict[str, str] = {}
    alike: dict[str, set[str]] = defaultdict(set)
    for each in evidence.transfers:
        end_to_end.setdefault(each.instruction_id, each.end_to_end_id)
        alike[each.end_to_end_id].add(each.instruction_id)
    nothing = ("", "NOTPROVIDED")
    return {
        instruction
        for instruction in echoed & end_to_end.keys()
        if end_to_end[instruction] in nothing or len(alike[end_to_end[instruction]]) > 1
    }


def _statements(evidence: Evidence, found: Mapping[bytes, Breaks]) -> Iterator[Finding]:
    names = {
        row["statement_id"]: row["bank_statement_id"] or row["statement_number"]
        for row in evidence.reconciliation.rows("statements")
    }
    lacking: Counter[str] = Counter()
    for fault in evidence.faults:
        if fault.kind in (SHORT, WRONG):
            lacking[fault.statement] += fault.difference_minor
    corrections = {fault.statement for fault in evidence.faults if fault.kind == CORRECTED}
    ours: dict[str, Breaks] = defaultdict(Counter)
    for statement_id, breaks in found.items():
        ours[names.get(statement_id, wire.short(statement_id))].update(breaks)
    for name in lacking.keys() | ours.keys() | corrections:
        minor = lacking[name]
        wanted: Breaks = Counter({("sum_differs", minor): 1}) if minor else Counter()
        if name in corrections:
            wanted["statement_corrected", 0] += 1
        if ours[name] != wanted:
            words = f"expected {_words([wanted])}, found {_words([ours[name]])}"
            yield Finding("breaks are the planted faults", f"statement {name}", words)


def lied_minor(evidence: Evidence, history: History, account: str, currency: str) -> int:
    """What settlement holds against lines that the bank stated with another amount: it moved nothing.

    Such a line of a payment that was rejected and booked all the same is held besides its true booking.
    """
    stated: dict[bytes, set[int]] = defaultdict(set)
    for fault in evidence.faults:
        found = wire.reference(fault.instruction_id)
        fate = None if found is None else history.fates.get(found[1])
        if fault.kind == WRONG and fate is not None:
            stated[fate.payment_id].add(_moved(fate, fault.side) - fault.difference_minor)
    held: int = sum(
        row["amount_minor"]
        for row in evidence.settlement.rows("contradictions")
        if row["amount_minor"] in stated.get(row["payment_id"], ())
        and (row["nostro"], row["currency"]) == (account, currency)
    )
    return held + sum(_unrecognised(evidence, history).elements())
