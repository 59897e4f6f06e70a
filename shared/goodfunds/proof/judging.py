"""Judges the evidence: each rule of conservation, what it found, and one sentence at the end. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goodfunds import ids
from goodfunds.money import readable_amount
from goodfunds.proof.check import Check, amounts
from goodfunds.proof.evidence import Evidence, Handed, LaneCurrency, Row
from goodfunds.proof.nostros import nostro_checks

_SHOWN = 5
PATIENCE_SECONDS = 30.0
"""How long events may wait for a second reader that does not move: it publishes every second."""


@dataclass(frozen=True, slots=True)
class Proof:
    """All checks; `open`: what is listed.

    `unaccounted`: minor units by currency, the most that one rule misses: a fault is often found by several.
    """

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
            readable_amount(minor, currency) for currency, minor in sorted(self.unaccounted.items()) if minor
        )
        broken = "; ".join(check.name for check in self.checks if not check.holds)
        return f"{missing} unaccounted for: {broken}" if missing else f"not proved: {broken}"


def judge(evidence: Evidence) -> Proof:
    """Every rule of conservation, per currency."""
    checks = [
        _none(evidence),
        _handed_on("what ingestion accepted, settlement received", evidence.accepted),
        _handed_on("what settlement gave back, ingestion refunded", evidence.given_back),
        _transit(evidence),
        _handed_on("what settlement moved, reconciliation knows", evidence.told),
        *nostro_checks(evidence),
        _control_totals(evidence),
        _running(evidence),
    ]
    unaccounted: Counter[str] = Counter()
    for check in checks:
        for currency, minor in check.minor.items():
            unaccounted[currency] = max(unaccounted[currency], abs(minor))
    for _, currency in evidence.accepted.emitted_all:
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


def _handed_on(name: str, handed: Handed) -> Check:
    """Emitted up to a seq = handled up to it, in every lane and payment by payment; the rest is in flight."""
    missing: Counter[str] = Counter()
    lines = []
    for lane, currency in sorted({*handed.emitted, *handed.handled}):
        gap = handed.emitted.get((lane, currency), 0) - handed.handled.get((lane, currency), 0)
        if gap:
            missing[currency] += abs(gap)
            side = "the first has" if gap > 0 else "the second has"
            lines.append(f"lane {lane}: {side} {readable_amount(abs(gap), currency)} more")
    lines += [f"lane {each.lane}: payments {', '.join(each.payments)}" for each in handed.differences]
    done, every = _by_currency(handed.handled), _by_currency(handed.emitted_all)
    flight = {currency: minor - done.get(currency, 0) for currency, minor in every.items()}
    detail = f"{amounts(done)}, in flight {amounts(flight)}"
    if any(handed.parked.values()):
        detail += f", parked {amounts(handed.parked)}"
    return Check(name, not lines, detail, dict(missing), lines)


def _transit(evidence: Evidence) -> Check:
    """Ingestion's transit account = accepted, less refunded, in every lane: with the rail, or through it."""
    accepted, refunded, held = evidence.accepted.emitted_all, evidence.refunded, evidence.transit
    missing: Counter[str] = Counter()
    lines = []
    for place in sorted({*accepted, *refunded, *held}):
        lane, currency = place
        gap = accepted.get(place, 0) - refunded.get(place, 0) - held.get(place, 0)
        if gap:
            missing[currency] += abs(gap)
            lines.append(
                f"lane {lane}: {readable_amount(abs(gap), currency)} too {'little' if gap > 0 else 'much'}"
            )
    detail = f"{amounts(_by_currency(held))} in transit or through it"
    return Check(
        "transit holds what was accepted less what was refunded", not lines, detail, dict(missing), lines
    )


def _control_totals(evidence: Evidence) -> Check:
    """What the second reader has counted, it counts as the databases do; and it does not stand still."""
    lines, missing = [], Counter[str]()
    for each in evidence.control_totals:
        if each.counted != each.held:
            missing[each.currency] += abs(each.counted - each.held)
            lines.append(
                f"{each.what}: counted {readable_amount(each.counted, each.currency)}, "
                f"held {readable_amount(each.held, each.currency)}"
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
        f"{service} lane {lane} is stopped: {reason} (evidence: lane_stops in its database)"
        for service, stopped in evidence.stopped.items()
        for lane, reason in stopped
    ]
    return Check("no lane is stopped", not lines, f"{len(lines)} stopped", lines=lines)


def _open(evidence: Evidence) -> list[str]:
    """What is explained and still asks for a person: breaks, statement files refused, parked events."""
    found = [
        f"break {row['reason']}: {readable_amount(row['amount_minor'], row['currency'])}{_about(row)}"
        for row in evidence.open_breaks
    ]
    found += [
        f"statement file {row['file_name']} is refused, nothing of it was taken: {row['problem']}"
        for row in evidence.refused_files
    ]
    for service, rows in evidence.parked.items():
        for row in rows:
            amount = (
                readable_amount(row["amount_minor"], row["currency"])
                if row["currency"]
                else "of unknown amount"
            )
            found.append(f"{row['count']} parked events in {service}: {amount}, oldest {row['oldest']}")
    return found


def _about(found: Row) -> str:
    """What a break is about, in words: its payment, its place on a statement, the bank's reference, why."""
    parts = [
        f", {what} {ids.text(found[column])}"
        for what, column in (("payment", "payment_id"), ("statement", "statement_id"))
        if found[column] != ids.NO_ID
    ]
    if found["line_number"]:
        parts.append(f", line {found['line_number']}")
    if found["bank_reference"]:
        parts.append(f", the bank's {found['bank_reference']}")
    if found["detail"]:
        parts.append(f": {found['detail']}")
    return "".join(parts)
