"""Reads the evidence: reconciliation, settlement, ingestion, then settlement again.

In each direction the consumer's snapshot is older than the producer's, so that "handled up to seq w" can be
held against "emitted up to seq w", which the producer's rows can still tell.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from goodfunds import ids
from goodfunds.events.topics import PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.proof.counting import count_accepted, count_outcomes
from goodfunds.proof.evidence import Difference, Evidence, Handed, LaneCurrency, NostroCurrency
from goodfunds.proof.parking import park_known, park_received, park_refunded
from goodfunds.proof.snapshot import Snapshot
from goodfunds.proof.tally import Payment, Tally

_NAMED = 20
_EVER = 2**62
_RULES = {
    "reconciliation": {"sums kept twice": "differences", "events to publish": "outbox_holes"},
    "settlement": {
        "balances against postings": "ledger_differences",
        "payments against postings": "proof_ledger_disagrees",
        "contradictions against suspense": "proof_suspense_disagrees",
        "sealed batches against members": "proof_batches_disagree",
        "open payments against outcomes": "proof_open_disagree",
        "bank files against batches": "proof_files_disagree",
        "events to publish": "outbox_holes",
    },
    "ingestion": {
        "balances against postings": "ledger_differences",
        "payments against postings": "proof_ledger_disagrees",
        "customers against postings": "proof_customers_disagree",
        "overdrawn customers": "proof_overdrawn",
        "events to publish": "outbox_holes",
    },
}
"""Of each service, the rules of its own database and the statements that find what breaks them."""


async def read_evidence(connections: Mapping[str, Any]) -> Evidence:
    """The evidence, from one connection to each service's database."""
    async with AsyncExitStack() as held:
        first = await held.enter_async_context(Snapshot(connections["reconciliation"], "reconciliation"))
        async with Snapshot(connections["settlement"], "settlement") as second:
            third = await held.enter_async_context(Snapshot(connections["ingestion"], "ingestion"))
            snapshots = {"reconciliation": first, "settlement": second, "ingestion": third}
            ingestion, settlement = "ingestion", "settlement"
            totals = await first.fetch("read_control_totals")
            counted = await count_accepted(third, totals, ingestion)
            accepted = await _accepted(third, second, second.handled(PAYMENTS, ingestion))
            known = first.handled(SETTLEMENT_NOTIFICATIONS, settlement)
            expected = await first.fetch("expected_sums")
            parked_moves, kept = await park_known(first, Tally.of(expected))
            moved, moved_all = await _moved(second, known), await _moved(second, dict.fromkeys(known, _EVER))
            told = await _handed(
                (second, "proof_moved_payments", Tally.of(moved)), Tally.of(moved_all),
                (first, "proof_known_payments", kept), known,
            )  # fmt: skip
            nostro_movements = await second.fetch("nostro_movements")
            suspended = await second.fetch("suspended")
            faults = {
                f"{service}: {rule}": [dict(row) for row in await snapshots[service].fetch(statement)]
                for service, rules in _RULES.items()
                for rule, statement in rules.items()
            }
            parked = {service: await each.fetch("parked_money") for service, each in snapshots.items()}
        back = third.handled(SETTLEMENT_NOTIFICATIONS, settlement)
        refunds = Tally.of(await third.fetch("proof_refunded", *_up_to(back)))
        refunded = dict(refunds.minor)
        async with Snapshot(connections["settlement"], "settlement") as fourth:
            counted += await count_outcomes(fourth, totals, settlement)
            given_back = await _given_back(fourth, third, await park_refunded(third, refunds), back)
        return Evidence(
            accepted=accepted,
            given_back=given_back,
            told=told,
            untold=_between(moved, moved_all),
            parked_moves=parked_moves,
            refunded=refunded,
            transit=_by_lane(await third.fetch("balances_of_accounts_like", "transit-out:")),
            expected=expected,
            lines=await first.fetch("line_sums"),
            statements=await first.fetch("statement_sums"),
            closings=await first.fetch("last_closings"),
            nostro_movements=nostro_movements,
            suspended=suspended,
            unsettled_lines=await first.fetch("lines_not_settled"),
            stated_days=await first.fetch("stated_days"),
            open_breaks=await first.fetch("open_breaks"),
            refused_files=await first.fetch("refused_files"),
            control_totals=counted,
            faults=faults,
            parked=parked,
            stopped={service: each.stopped() for service, each in snapshots.items()},
        )


Side = tuple[Snapshot, str, Tally]
"""A snapshot, its statement of payments ($1 lane, $2 seq), and the tally of them."""


async def _accepted(producer: Snapshot, consumer: Snapshot, marks: Mapping[int, int]) -> Handed:
    emitted = Tally.of(await producer.fetch("proof_accepted", *_up_to(marks)))
    emitted_all = Tally.of(await producer.fetch("proof_accepted", *_up_to(dict.fromkeys(marks, _EVER))))
    received = Tally.of(await consumer.fetch("proof_received", *_up_to(marks)))
    return await _handed(
        (producer, "proof_accepted_payments", emitted), emitted_all,
        (consumer, "proof_received_payments", await park_received(consumer, received)), marks,
    )  # fmt: skip


async def _given_back(
    producer: Snapshot, consumer: Snapshot, refunds: Tally, marks: Mapping[int, int]
) -> Handed:
    emitted = Tally.of(await producer.fetch("proof_given_back", *_up_to(marks)))
    emitted_all = Tally.of(await producer.fetch("proof_given_back", *_up_to(dict.fromkeys(marks, _EVER))))
    return await _handed(
        (producer, "proof_given_back_payments", emitted), emitted_all,
        (consumer, "proof_refunded_payments", refunds), marks,
    )  # fmt: skip


async def _handed(emitted: Side, emitted_all: Tally, handled: Side, marks: Mapping[int, int]) -> Handed:
    differences = []
    for lane in emitted[2].differing(handled[2]):
        left, right = await _payments(emitted, lane, marks), await _payments(handled, lane, marks)
        names = sorted({payment_id for payment_id, _, _ in left ^ right})
        differences.append(Difference(lane, [ids.text(each) for each in names[:_NAMED]]))
    return Handed(emitted[2].minor, handled[2].minor, emitted_all.minor, handled[2].parked_minor, differences)


async def _payments(side: Side, lane: int, marks: Mapping[int, int]) -> set[Payment]:
    snapshot, statement, tally = side
    rows = await snapshot.fetch(statement, lane, marks.get(lane, 0))
    found = {(row["payment_id"], row["currency"], row["amount_minor"]) for row in rows}
    return found | tally.parked.get(lane, set())


async def _moved(settlement: Snapshot, marks: Mapping[int, int]) -> Sequence[Any]:
    return await settlement.fetch("proof_moved", *_up_to(marks))


def _up_to(marks: Mapping[int, int]) -> tuple[list[int], list[int]]:
    return list(marks), list(marks.values())


def _between(moved: Sequence[Any], moved_all: Sequence[Any]) -> dict[NostroCurrency, int]:
    found: Counter[NostroCurrency] = Counter()
    for rows, sign in ((moved_all, 1), (moved, -1)):
        for row in rows:
            found[row["nostro"], row["currency"]] += sign * row["amount_minor"]
    return dict(found)


def _by_lane(rows: Sequence[Any]) -> dict[LaneCurrency, int]:
    found: Counter[LaneCurrency] = Counter()
    for row in rows:
        found[row["lane"], row["currency"]] += row["balance_minor"]
    return dict(found)
