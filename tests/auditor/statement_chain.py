"""Statements as a chain: from what the bank held at first, each begins where the last one ended."""

from typing import Any

from tests.auditor.evidence import Finding
from tests.auditor.resting import Resting, shown

RULE = "statements are a chain"


async def check_statements(house: Resting) -> list[Finding]:
    """Of each account of ours: its opening, its statements, and what our books hold."""
    found: list[Finding] = []
    statements = await house.rows("reconciliation.statements")
    nostros = await house.rows("settlement.nostros")
    names = {(row["nostro"], row["currency"]) for row in nostros}
    for row in statements:
        if (row["nostro"], row["currency"]) not in names:
            words = f"of {row['nostro']} in {row['currency']}, which is none of ours"
            found.append(Finding(RULE, row["bank_statement_id"], words))
    for nostro in nostros:
        held, place = -nostro["balance_minor"], (nostro["nostro"], nostro["currency"])
        chain = sorted((row for row in statements if (row["nostro"], row["currency"]) == place), key=_order)
        ends = [
            ("opened with", nostro["opening_minor"]),
            *((row["bank_statement_id"], row["closing_minor"]) for row in chain),
        ]
        begins = [*((row["bank_statement_id"], row["opening_minor"]) for row in chain), ("our books", held)]
        for (before, ended), (name, begun) in zip(ends, begins, strict=True):
            if ended != begun:
                words = f"begins with {begun}, after {before} {ended} {nostro['currency']}"
                found.append(Finding(RULE, f"{nostro['nostro']} {name}", words))
    return shown(RULE, "reconciliation", found)


def _order(row: Any) -> Any:
    number = row["statement_number"]
    return row["to_date"], row["from_date"], int(number) if number.isdigit() else 0, row["bank_statement_id"]
