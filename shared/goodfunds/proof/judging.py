"""Judges the evidence: each rule of conservation, what it found, and one sentence at the end. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goodfunds import ids
from goodfunds.proof.check import Check, amounts, money
from goodfunds.proof.evidence import Difference, Evidence, LaneCurrency, Row
from goodfunds.proof.nostros import nostro_checks

_SHOWN = 5
PATIENCE_SECONDS = 30.0
"""How long events may wait for a second reader that does not move: it publishes every second."""


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
        missing = ", ".join(
            money(minor, currency) for currency, minor in sorted(self.unaccounted.items()) if minor
        )
        broken = "; ".join(check.name for check in self.checks if not check.holds)
        return f"{missing or 'no amount, but a rule'} unaccounted for: {broken}"


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
        *nostro_checks(evidence),
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


def _by_currency(sums: Mapping[LaneCurrency, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, currency), minor in sums.items():
        found[currency] += minor
    return dict(found)


def _none(evidence: Evidence) -> Check:
    found = {what: rows for what, rows in evidence.faults.items() if rows}
    lines = [f"{what}: {_named(row)}" for what, rows in found.items() for row in rows[:_SHOWN]]
    return Check(
        "each database agrees with itself",
        not found,
        f"{len(evidence.faults)} rules, {sum(map(len, found.values()))} rows break them",
        lines=lines,
    )


def _named(row: Row) -> str:
    """A row in words: its columns and what stands in them, ids as people see them."""
    return ", ".join(
        f"{column} {ids.text(value) if isinstance(value, bytes) else value}"
        for column, value in row.items()
        if value is not None
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
            lines.append(f"lane {lane}: {money(gap, currency)} more on the producer's side")
    lines += [f"lane {each.lane}: payments {', '.join(each.payments)}" for each in differences]
    done, every = _by_currency(consumer), _by_currency(producer_all)
    flight = {currency: minor - done.get(currency, 0) for currency, minor in every.items()}
    detail = f"{amounts(done)}, in flight {amounts(flight)}"
    return Check(name, not lines, detail, dict(missing), lines)


def _transit(evidence: Evidence) -> Check:
    """Ingestion's transit account = accepted, less refunded: with the rail, or through it."""
    accepted, refunded = _by_currency(evidence.accepted_all), _by_currency(evidence.refunded)
    minor = {}
    for currency in {*accepted, *refunded, *evidence.transit}:
        gap = accepted.get(currency, 0) - refunded.get(currency, 0) - evidence.transit.get(currency, 0)
        if gap:
            minor[currency] = gap
    detail = f"{amounts(evidence.transit)} in transit or through it"
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
            lines.append(f"lane {lane}: {money(gap, currency)} told and not known to reconciliation")
    detail = amounts(_by_currency(evidence.told))
    return Check("what settlement settled, reconciliation knows", not lines, detail, dict(missing), lines)


def _control_totals(evidence: Evidence) -> Check:
    """What the second reader has counted, it counts as the databases do; and it does not stand still."""
    lines, missing = [], Counter[str]()
    for each in evidence.control_totals:
        if each.counted != each.held:
            missing[each.currency] += abs(each.counted - each.held)
            lines.append(
                f"{each.what}: counted {money(each.counted, each.currency)}, "
                f"held {money(each.held, each.currency)}"
            )
        if each.uncounted and each.seconds > PATIENCE_SECONDS:
            lines.append(f"{each.what}: {each.uncounted} not counted, nothing moves for {each.seconds:.0f} s")
    compared = sum(each.counted != 0 or each.held != 0 for each in evidence.control_totals)
    behind = sum(each.uncounted for each in evidence.control_totals)
    return Check(
        "an independent second reader of the topics counts the same",
        not lines,
        f"{compared} totals compared" + (f", {behind} events not counted yet" if behind else ""),
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
        f"break {row['reason']}: {money(row['amount_minor'], row['currency'])} {row['detail']}"
        for row in evidence.open_breaks
    ]
    for service, rows in evidence.parked.items():
        for row in rows:
            amount = money(row["amount_minor"], row["currency"]) if row["currency"] else "of unknown amount"
            found.append(f"{row['count']} parked events in {service}: {amount}, oldest {row['oldest']}")
    return found
