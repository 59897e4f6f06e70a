"""Holds what is in suspense against the lines of the bank's statements that show it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from goodfunds import ids
from goodfunds.money import readable_amount
from goodfunds.proof.evidence import Row


@dataclass(frozen=True, slots=True)
class Suspense:
    """Minor units in the bank's sign: `awaited` of days that no sound statement covers, `unbacked` of others.

    `lines` name what of the latter no line shows; where several of an amount are more than its lines, all.
    """

    awaited: int = 0
    unbacked: int = 0
    lines: Sequence[str] = ()


def hold(suspended: Sequence[Row], open_lines: Sequence[Row], days: Sequence[Row], currency: str) -> Suspense:
    """Each booking in suspense has a line of its own amount that settlement explains by nothing else.

    All rows are of one account and currency; `days` are those of statements that are closed in every lane
    and in no break. By amount alone: a bank may tell the same booking with other references and dates.
    """
    awaited = 0
    by_amount: defaultdict[int, list[Row]] = defaultdict(list)
    for row in suspended:
        day = row["booking_date"]
        if day is not None and any(each["from_date"] <= day <= each["to_date"] for each in days):
            by_amount[row["amount_minor"]].append(row)
        else:
            awaited += row["amount_minor"]
    shown = Counter({row["amount_minor"]: row["lines"] for row in open_lines})
    unbacked, lines = 0, []
    for minor, rows in sorted(by_amount.items()):
        if len(rows) > shown[minor]:
            unbacked += minor * (len(rows) - shown[minor])
            about = "; ".join(map(_about, rows))
            times = f"is {len(rows)} times in suspense, on statements {shown[minor]}"
            lines.append(f"{readable_amount(minor, currency)} {times}: {about}")
    return Suspense(awaited, unbacked, lines)


def _about(row: Row) -> str:
    parts = [row["kind"]]
    if row["payment_id"] != ids.NO_ID:
        parts.append(f"payment {ids.text(row['payment_id'])}")
    if row["bank_reference"]:
        parts.append(f"the bank's {row['bank_reference']}")
    return " ".join([*parts, f"of {row['booking_date']}"])
