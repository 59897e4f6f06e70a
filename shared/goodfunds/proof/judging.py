"""Judges the evidence: each rule of conservation, what it found, and one sentence at the end. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from goodfunds.money import format_amount
from goodfunds.proof.evidence import Difference, Evidence, LaneCurrency

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """A rule and whether it holds. `minor`: what breaks it, by currency; `lines` say where."""

    name: str
    holds: bool
    detail: str
    minor: Mapping[str, int] = field(default_factory=dict)
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """All checks; `unaccounted`: minor units by currency that no rule explains; `open`: what is listed."""

    checks: Sequence[Check]
    unaccounted: Mapping[str, int]
    open: Sequence[str]

    @property
    def holds(self) -> bool:
        """Every rule holds."""
        return all(check.holds for check in self.checks)

    @property
    def sentence(self) -> str:
        """What is unaccounted for: nothing, or exactly what."""
        if self.holds:
            also = f" {len(self.open)} open, each listed." if self.open else ""
            return f"0 unaccounted for: every cent is where the books say.{also}"
        amounts = ", ".join(
            _money(minor, currency) for currency, minor in sorted(self.unaccounted.items()) if minor
        )
        broken = "; ".join(check.name for check in self.checks if not check.holds)
        return f"{amounts or 'no amount, but a rule'} unaccounted for: {broken}"


def judge(evidence: Evidence) -> Proof:
    """Every rule of conservation, per currency."""
    checks = [
        _none(evidence),
        _handed_on(
            "what ingestion accepted, settlement received",
            evidence.accepted,
            evidence.received,
            evidence.accepted_all,
            evidence.accepted_differences,
        ),
        _handed_on(
            "what settlement gave back, ingestion refunded",
            evidence.gave_back,
            evidence.refunded,
            evidence.gave_back_all,
            evidence.refund_differences,
        ),
        _transit(evidence),
        _told(evidence),
        *_nostros(evidence),
        _control_totals(evidence),
        _running(evidence),
    ]
    unaccounted: Counter[str] = Counter()
    for check in checks:
        for currency, minor in check.minor.items():
            unaccounted[currency] += abs(minor)
    for currency in {currency for _, currency in evidence.accepted_all}:
        unaccounted.setdefault(currency, 0)
    return Proof(checks, dict(unaccounted), _open(evidence))


def _money(minor: int, currency: str) -> str:
    return f"{format_amount(minor, currency)} {currency}"


def _amounts(minor: Mapping[str, int]) -> str:
    return ", ".join(_money(each, currency) for currency, each in sorted(minor.items())) or "0"


def _by_currency(sums: Mapping[LaneCurrency, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, currency), minor in sums.items():
        found[currency] += minor
    return dict(found)


def _none(evidence: Evidence) -> Check:
    found = {what: rows for what, rows in evidence.faults.items() if rows}
    lines = [f"{what}: {dict(row)}" for what, rows in found.items() for row in rows[:_SHOWN]]
    return Check(
        "each database agrees with itself",
        not found,
        f"{len(evidence.faults)} rules, {sum(map(len, found.values()))} rows break them",
        lines=lines,
    )


def _handed_on(
    name: str,
    producer: Mapping[LaneCurrency, int],
    consumer: Mapping[LaneCurrency, int],
    producer_all: Mapping[LaneCurrency, int],
    differences: Sequence[Difference],
) -> Check:
    """Emitted up to a seq = handled up to it, in every lane; the rest is in flight."""
    missing: Counter[str] = Counter()
    lines = []
    for lane, currency in sorted({*producer, *consumer}):
        gap = producer.get((lane, currency), 0) - consumer.get((lane, currency), 0)
        if gap:
            missing[currency] += abs(gap)
            lines.append(f"lane {lane}: {_money(gap, currency)} more on the producer's side")
    lines += [f"lane {each.lane}: payments {', '.join(each.payments)}" for each in differences]
    done, every = _by_currency(consumer), _by_currency(producer_all)
    flight = {currency: minor - done.get(currency, 0) for currency, minor in every.items()}
    detail = f"{_amounts(done)}, in flight {_amounts(flight)}"
    return Check(name, not lines, detail, dict(missing), lines)


def _transit(evidence: Evidence) -> Check:
    """Ingestion's transit account = accepted, less refunded: with the rail, or through it."""
    accepted, refunded = _by_currency(evidence.accepted_all), _by_currency(evidence.refunded)
    minor = {}
    for currency in {*accepted, *refunded, *evidence.transit}:
        gap = accepted.get(currency, 0) - refunded.get(currency, 0) - evidence.transit.get(currency, 0)
        if gap:
            minor[currency] = gap
    detail = f"{_amounts(evidence.transit)} in transit or through it"
    return Check("transit holds what was accepted less what was refunded", not minor, detail, minor)


def _told(evidence: Evidence) -> Check:
    """What reconciliation expects as moved = what settlement told it has moved, in every lane."""
    expected: Counter[LaneCurrency] = Counter()
    for row in evidence.expected:
        expected[row["lane"], row["currency"]] += (
            row["matched_minor"] + row["settled_unmatched_minor"] - row["matched_unsettled_minor"]
        )
    missing: Counter[str] = Counter()
    lines = []
    for lane, currency in sorted({*expected, *evidence.told}):
        gap = evidence.told.get((lane, currency), 0) - expected[lane, currency]
        if gap:
            missing[currency] += abs(gap)
            lines.append(f"lane {lane}: {_money(gap, currency)} told and not known to reconciliation")
    detail = _amounts(_by_currency(evidence.told))
    return Check("what settlement settled, reconciliation knows", not lines, detail, dict(missing), lines)


def _nostros(evidence: Evidence) -> list[Check]:
    """Our nostro = the bank's closing balance + booked since + what is open, each line of it named."""
    checks = []
    told, told_all = _by_currency(evidence.told), _by_currency(evidence.told_all)
    for nostro, currency in sorted({(row["nostro"], row["currency"]) for row in evidence.nostro_movements}):
        ours = {
            row["kind"]: row["amount_minor"]
            for row in evidence.nostro_movements
            if (row["nostro"], row["currency"]) == (nostro, currency)
        }
        of = [row for row in evidence.expected if (row["nostro"], row["currency"]) == (nostro, currency)]
        lines = [row for row in evidence.lines if (row["nostro"], row["currency"]) == (nostro, currency)]
        bank = [row for row in evidence.statements if (row["nostro"], row["currency"]) == (nostro, currency)]
        book = sum(ours.values())
        opening = bank[0]["opening_minor"] if bank else ours.get("bank_opening_balance", 0)
        stated = sum(row["lines_minor"] for row in bank)
        parts = {
            "closing balance": opening + stated,
            "booked, not yet on a statement": sum(row["settled_unmatched_minor"] for row in of),
            "told, not yet known to reconciliation": told_all.get(currency, 0) - told.get(currency, 0),
            "on a statement, not yet settled here": -sum(row["matched_unsettled_minor"] for row in of),
            "lines on their way": sum(row["from_reader_minor"] for row in lines) - stated,
            "handed from lane to lane": sum(
                row["handed_out_minor"] - row["handed_in_minor"] for row in lines
            ),
            "open lines and breaks": -sum(row["waiting_minor"] + row["broken_minor"] for row in lines),
            "in suspense": ours.get("contradicted", 0),
        }
        gap = book - sum(parts.values())
        shown = ", ".join(f"{what} {_money(minor, currency)}" for what, minor in parts.items() if minor)
        checks.append(
            Check(
                f"nostro {nostro} agrees with the bank",
                gap == 0,
                f"{_money(book, currency)} = {shown or '0'}",
                {currency: gap} if gap else {},
                [f"{_money(gap, currency)} more in our books"] if gap else [],
            )
        )
    return checks


def _control_totals(evidence: Evidence) -> Check:
    lines, missing = [], Counter[str]()
    for what, currency, counted, held in evidence.control_totals:
        if counted != held:
            missing[currency] += abs(counted - held)
            lines.append(f"{what}: counted {_money(counted, currency)}, held {_money(held, currency)}")
    return Check(
        "an independent second reader of the topics counts the same",
        not lines,
        f"{len(evidence.control_totals)} totals compared",
        dict(missing),
        lines,
    )


def _running(evidence: Evidence) -> Check:
    lines = [
        f"{service} lane {lane} is stopped: {reason}"
        for service, stopped in evidence.stopped.items()
        for lane, reason in stopped
    ]
    return Check("no lane is stopped", not lines, f"{len(lines)} stopped", lines=lines)


def _open(evidence: Evidence) -> list[str]:
    """What is explained and still asks for a person: open breaks and parked events."""
    found = [
        f"break {row['reason']}: {_money(row['amount_minor'], row['currency'])} {row['detail']}"
        for row in evidence.open_breaks
    ]
    for service, rows in evidence.parked.items():
        for row in rows:
            amount = _money(row["amount_minor"], row["currency"]) if row["currency"] else "of unknown amount"
            found.append(f"{row['count']} parked events in {service}: {amount}, oldest {row['oldest']}")
    return found
