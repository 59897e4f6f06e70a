"""Reads the evidence: reconciliation, settlement, ingestion, then settlement and reconciliation again.

In each direction the consumer's snapshot is older than the producer's, so that "handled up to seq w" can be
held against "emitted up to seq w", which the producer's rows can still tell.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import goodfunds.lanes
from goodfunds import ids, ledger
from goodfunds.events.topics import PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.postgres import statements
from goodfunds.proof.evidence import Difference, Evidence, LaneCurrency
from goodfunds.service import services

_LANES = statements(Path(goodfunds.lanes.__file__).parent / "sql")
_LEDGER = statements(ledger.STATEMENTS)
_NAMED = 20
Sums = dict[LaneCurrency, int]


class _Snapshot:
    """One repeatable-read snapshot of a service's database, with its watermarks."""

    def __init__(self, connection: Any, service: str) -> None:
        self._connection = connection
        self._sql = statements(services()[service].sql)
        self._transaction = connection.transaction(isolation="repeatable_read", readonly=True)

    async def __aenter__(self) -> "_Snapshot":
        await self._transaction.start()
        self.lanes = await self._connection.fetch(_LANES["lane_positions"])
        return self

    async def __aexit__(self, *_fault: object) -> None:
        await self._transaction.rollback()

    async def fetch(self, name: str, *arguments: object) -> Sequence[Any]:
        """Rows of a statement of the service, the ledger or the lanes."""
        statement = self._sql.get(name) or _LEDGER.get(name) or _LANES[name]
        rows: Sequence[Any] = await self._connection.fetch(statement, *arguments)
        return rows

    def handled(self, topic: str, producer: str) -> dict[int, int]:
        """lane → last seq handled of that producer's own lane on the topic; 0 where none."""
        found = {}
        for row in self.lanes:
            if row["lane"] >= 0:
                marks = json.loads(row["watermarks"])
                found[row["lane"]] = marks.get(f"{topic}|{producer}|{row['lane']}", 0)
        return found

    async def producer(self, name: str) -> str:
        """The name of this database's producer with its incarnation."""
        row = (await self.fetch("read_cluster"))[0]
        return f"{name}.{row['incarnation']}"


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
    async with _Snapshot(connections["ingestion"], "ingestion") as names:
        ingestion_producer = await names.producer("ingestion")
    async with _Snapshot(connections["settlement"], "settlement") as names:
        settlement_producer = await names.producer("settlement")

    async with _Snapshot(connections["reconciliation"], "reconciliation") as first:
        known = first.handled(SETTLEMENT_NOTIFICATIONS, settlement_producer)
        expected = await first.fetch("expected_sums")
        lines = await first.fetch("line_sums")
        statement_rows = await first.fetch("statement_sums")
        closings = await first.fetch("last_closings")
        open_breaks = await first.fetch("open_breaks")
        totals = await first.fetch("read_control_totals")
        faults["reconciliation: sums kept twice"] = await first.fetch("differences")
        parked = {"reconciliation": await first.fetch("parked_money")}
        stopped = {"reconciliation": _stopped(first)}

    async with _Snapshot(connections["settlement"], "settlement") as second:
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
        stopped["settlement"] = _stopped(second)
        received_payments = {
            lane: await second.fetch("proof_received", lane, seq)
            for lane, seq in handled.items()
        } if await _differ(connections, received, lanes, seqs) else {}  # fmt: skip

    async with _Snapshot(connections["ingestion"], "ingestion") as third:
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
        stopped["ingestion"] = _stopped(third)
        compared = await _ingestion_totals(third, totals, ingestion_producer)

    async with _Snapshot(connections["settlement"], "settlement") as fourth:
        gave_back = await fourth.fetch("moved_up_to", back_lanes, back_seqs)
        gave_back_all = await fourth.fetch("moved_up_to", back_lanes, [_EVER] * len(back_lanes))
        refundable = {lane: await fourth.fetch("proof_refundable", lane, back[lane]) for lane in back}
        compared += await _settlement_totals(fourth, totals, settlement_producer)

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
        control_totals=compared,
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


def _stopped(snapshot: _Snapshot) -> list[tuple[int, str]]:
    return [(row["lane"], row["stopped_reason"]) for row in snapshot.lanes if row["stopped_reason"]]


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


async def _ingestion_totals(
    snapshot: _Snapshot, totals: Sequence[Any], producer: str
) -> list[tuple[str, str, int, int]]:
    """(what, currency, counted by the second reader, held by the database) of accepted payments."""
    found: list[tuple[str, str, int, int]] = []
    mine = [t for t in totals if t["producer"] == producer and t["event_type"] == "PaymentAccepted"]
    rows = await snapshot.fetch(
        "proof_accepted", [t["producer_lane"] for t in mine], [t["last_seq"] for t in mine]
    )
    held = {(row["lane"], row["currency"]): row["amount_minor"] for row in rows}
    for total in mine:
        place = (total["producer_lane"], total["currency"])
        what = f"accepted, lane {place[0]}"
        found.append((what, total["currency"], total["amount_minor"], held.get(place, 0)))
    return found


async def _settlement_totals(
    snapshot: _Snapshot, totals: Sequence[Any], producer: str
) -> list[tuple[str, str, int, int]]:
    kinds = {"PaymentSettled": "settled", "PaymentRejectedByBank": "rejected", "PaymentReturned": "returned"}
    found: list[tuple[str, str, int, int]] = []
    for event_type, kind in kinds.items():
        mine = [t for t in totals if t["producer"] == producer and t["event_type"] == event_type]
        rows = await snapshot.fetch(
            "moved_up_to", [t["producer_lane"] for t in mine], [t["last_seq"] for t in mine]
        )
        held = {(r["lane"], r["currency"]): r["amount_minor"] for r in rows if r["kind"] == kind}
        for total in mine:
            place = (total["producer_lane"], total["currency"])
            what = f"{kind}, lane {place[0]}"
            found.append((what, total["currency"], total["amount_minor"], held.get(place, 0)))
    return found
