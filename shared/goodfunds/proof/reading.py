"""Reads the evidence: reconciliation, settlement, ingestion, then settlement and reconciliation again.

In each direction the consumer's snapshot is older than the producer's, so that "handled up to seq w" can be
held against "emitted up to seq w", which the producer's rows can still tell.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from goodfunds import ids
from goodfunds.events.topics import PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.postgres import statements
from goodfunds.proof.counting import count_accepted, count_outcomes
from goodfunds.proof.evidence import Difference, Evidence, LaneCurrency
from goodfunds.proof.snapshot import Snapshot
from goodfunds.service import services

_NAMED = 20
Sums = dict[LaneCurrency, int]


def _sums(rows: Iterable[Any], sign: Mapping[str, int] | None = None) -> Sums:
    found: Counter[LaneCurrency] = Counter()
    for row in rows:
        factor = 1 if sign is None else sign.get(row["kind"], 0)
        charges = row["charges_minor"] if sign is not None and row["kind"] == "returned" else 0
        found[row["lane"], row["currency"]] += factor * (row["amount_minor"] - charges)
    return {key: minor for key, minor in found.items() if minor}


_IN_THE_BANKS_SIGN = {"settled": -1, "returned": 1}
_EVER = 2**62


async def read_evidence(connections: Mapping[str, Any]) -> Evidence:
    """The evidence, from one connection to each service's database."""
    faults: dict[str, Sequence[Any]] = {}
    async with Snapshot(connections["ingestion"], "ingestion") as names:
        ingestion_producer = await names.producer("ingestion")
    async with Snapshot(connections["settlement"], "settlement") as names:
        settlement_producer = await names.producer("settlement")

    async with Snapshot(connections["reconciliation"], "reconciliation") as first:
        known = first.handled(SETTLEMENT_NOTIFICATIONS, settlement_producer)
        expected = await first.fetch("expected_sums")
        lines = await first.fetch("line_sums")
        statement_rows = await first.fetch("statement_sums")
        closings = await first.fetch("last_closings")
        open_breaks = await first.fetch("open_breaks")
        totals = await first.fetch("read_control_totals")
        faults["reconciliation: sums kept twice"] = await first.fetch("differences")
        parked = {"reconciliation": await first.fetch("parked_money")}
        stopped = {"reconciliation": first.stopped()}

    async with Snapshot(connections["settlement"], "settlement") as second:
        handled = second.handled(PAYMENTS, ingestion_producer)
        lanes, seqs = list(handled), list(handled.values())
        received = await second.fetch("proof_lanes", lanes, seqs)
        told = await second.fetch("moved_up_to", list(known), list(known.values()))
        told_all = await second.fetch("moved_up_to", list(known), [_EVER] * len(known))
        nostro_movements = await second.fetch("nostro_movements")
        states = await second.fetch("progress")
        faults["settlement: balances against postings"] = await second.fetch("ledger_differences")
        faults["settlement: payments against postings"] = await second.fetch("proof_ledger_disagrees")
        faults["settlement: sealed batches against members"] = await second.fetch("proof_batches_disagree")
        parked["settlement"] = await second.fetch("parked_money")
        stopped["settlement"] = second.stopped()
        received_payments = {
            lane: await second.fetch("proof_received", lane, seq)
            for lane, seq in handled.items()
        } if await _differ(connections, received, lanes, seqs) else {}  # fmt: skip

    async with Snapshot(connections["ingestion"], "ingestion") as third:
        accepted = await third.fetch("proof_accepted", lanes, seqs)
        accepted_all = await third.fetch("proof_all_accepted")
        accepted_payments = {
            lane: await third.fetch("proof_accepted_payments", lane, handled[lane])
            for lane in received_payments
        }
        back = third.handled(SETTLEMENT_NOTIFICATIONS, settlement_producer)
        back_lanes, back_seqs = list(back), list(back.values())
        refunded = await third.fetch("proof_refunded", back_lanes, back_seqs)
        refunds = {lane: await third.fetch("proof_refunded_payments", lane, back[lane]) for lane in back}
        transit = await third.fetch("balances_of_accounts_like", "transit-out:")
        faults["ingestion: balances against postings"] = await third.fetch("ledger_differences")
        faults["ingestion: payments against postings"] = await third.fetch("proof_ledger_disagrees")
        faults["ingestion: overdrawn customers"] = await third.fetch("proof_overdrawn")
        parked["ingestion"] = await third.fetch("parked_money")
        stopped["ingestion"] = third.stopped()
        counted = await count_accepted(third, totals, ingestion_producer)

    async with Snapshot(connections["settlement"], "settlement") as fourth:
        gave_back = await fourth.fetch("moved_up_to", back_lanes, back_seqs)
        gave_back_all = await fourth.fetch("moved_up_to", back_lanes, [_EVER] * len(back_lanes))
        refundable = {lane: await fourth.fetch("proof_refundable", lane, back[lane]) for lane in back}
        counted += await count_outcomes(fourth, totals, settlement_producer)

    refunds_sign = {"rejected": 1, "returned": 1}
    return Evidence(
        accepted=_sums(accepted),
        received={
            (row["lane"], row["currency"]): row["received_minor"] for row in received if row["received_minor"]
        },
        accepted_all=_sums(accepted_all),
        accepted_differences=_differences(accepted_payments, received_payments),
        refunded=_sums(refunded),
        gave_back=_whole(gave_back, refunds_sign),
        gave_back_all=_whole(gave_back_all, refunds_sign),
        refund_differences=_differences(refundable, refunds),
        transit=_by_currency(transit),
        states=[dict(row) for row in states],
        told=_sums(told, _IN_THE_BANKS_SIGN),
        told_all=_sums(told_all, _IN_THE_BANKS_SIGN),
        expected=[dict(row) for row in expected],
        lines=[dict(row) for row in lines],
        statements=[dict(row) for row in statement_rows],
        closings=[dict(row) for row in closings],
        nostro_movements=[dict(row) for row in nostro_movements],
        open_breaks=[dict(row) for row in open_breaks],
        control_totals=counted,
        faults={what: [dict(row) for row in rows] for what, rows in faults.items()},
        parked={what: [dict(row) for row in rows] for what, rows in parked.items()},
        stopped=stopped,
    )


async def _differ(
    connections: Mapping[str, Any], received: Sequence[Any], lanes: Sequence[int], seqs: Sequence[int]
) -> bool:
    """Whether names are needed: ingestion's rows up to those seqs are final, so any time will do."""
    sql = statements(services()["ingestion"].sql)
    accepted = await connections["ingestion"].fetch(sql["proof_accepted"], lanes, seqs)
    have = {
        (row["lane"], row["currency"]): row["received_minor"] for row in received if row["received_minor"]
    }
    return _sums(accepted) != have


def _whole(rows: Sequence[Any], signs: Mapping[str, int]) -> Sums:
    """Sums without charges taken off: a customer is refunded in full."""
    found: Counter[LaneCurrency] = Counter()
    for row in rows:
        found[row["lane"], row["currency"]] += signs.get(row["kind"], 0) * row["amount_minor"]
    return {key: minor for key, minor in found.items() if minor}


def _by_currency(rows: Sequence[Any]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row["currency"]] += row["balance_minor"]
    return dict(found)


def _differences(ours: Mapping[int, Sequence[Any]], theirs: Mapping[int, Sequence[Any]]) -> list[Difference]:
    found = []
    for lane, rows in ours.items():
        left = {(row["payment_id"], row["amount_minor"]) for row in rows}
        right = {(row["payment_id"], row["amount_minor"]) for row in theirs.get(lane, ())}
        if left != right:
            names = sorted({payment_id for payment_id, _ in left ^ right})
            found.append(Difference(lane, [ids.text(each) for each in names[:_NAMED]]))
    return found
