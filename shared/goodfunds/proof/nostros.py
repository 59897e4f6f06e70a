"""Judges each nostro: our books = the bank's own closing balance + what it does not show yet + breaks."""

from collections.abc import Sequence

from goodfunds.money import readable_amount
from goodfunds.proof.check import Check
from goodfunds.proof.evidence import Evidence, Row
from goodfunds.proof.suspense import hold

CONTINUITY = frozenset({"sum_differs", "opening_differs", "statement_gap"})
"""Breaks of a statement by which the bank's balances differ from the lines that it sent."""


def nostro_checks(evidence: Evidence) -> list[Check]:
    """A check an account and currency: those of our books, and any other that the bank has a statement of."""
    accounts = {(row["nostro"], row["currency"]) for row in (*evidence.nostro_movements, *evidence.closings)}
    return [_nostro(evidence, *account) for account in sorted(accounts)]


def _nostro(evidence: Evidence, nostro: str, currency: str) -> Check:
    def of(rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if (row["nostro"], row["currency"]) == (nostro, currency)]

    ours = {row["kind"]: row["amount_minor"] for row in of(evidence.nostro_movements)}
    expected, lines = of(evidence.expected), of(evidence.lines)
    suspense = hold(of(evidence.suspended), of(evidence.unsettled_lines), of(evidence.stated_days), currency)
    stated = sum(row["lines_minor"] for row in of(evidence.statements))
    closing = next(
        (row["closing_minor"] for row in of(evidence.closings)), ours.get("bank_opening_balance", 0)
    )
    parts = {
        "closing balance": closing,
        "booked, not yet on a statement": sum(row["settled_unmatched_minor"] for row in expected),
        "told, not yet known to reconciliation": evidence.untold.get((nostro, currency), 0),
        "parked in reconciliation": evidence.parked_moves.get((nostro, currency), 0),
        "on a statement, not yet settled here": -sum(row["matched_unsettled_minor"] for row in expected),
        "lines on their way": sum(row["from_reader_minor"] for row in lines) - stated,
        "handed from lane to lane": sum(row["handed_out_minor"] - row["handed_in_minor"] for row in lines),
        "open lines and breaks": -sum(row["waiting_minor"] + row["broken_minor"] for row in lines),
        "breaks of statements": -sum(
            row["amount_minor"] for row in of(evidence.open_breaks) if row["reason"] in CONTINUITY
        ),
        "in suspense": ours.get("contradicted", 0) - suspense.awaited - suspense.unbacked,
        "in suspense, of days without a sound statement": suspense.awaited,
    }
    book = sum(ours.values())
    gap = book - sum(parts.values())
    shown = ", ".join(f"{what} {readable_amount(minor, currency)}" for what, minor in parts.items() if minor)
    found = (
        [f"{readable_amount(abs(gap), currency)} {'more' if gap > 0 else 'less'} in our books"] if gap else []
    )
    missing = gap or suspense.unbacked
    return Check(
        f"nostro {nostro} agrees with the bank",
        not gap and not suspense.lines,
        f"{readable_amount(book, currency)} = {shown or '0'}",
        {currency: missing} if missing else {},
        [*found, *suspense.lines],
    )
