"""The report of a run: for people in Markdown, for programs as one object."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.auditor.audit import Report
from tests.chaos.replays import Replayed

LOST = frozenset({
    "no instruction is lost", "no request is lost", "what is committed is emitted", "no gap in a sequence",
    "every record is handled", "a record finds its lane", "one terminal state", "what cannot be read is kept",
    "the outbox has no hole",
})  # fmt: skip
DOUBLED = frozenset({
    "an instruction is one payment", "a payment is decided once", "an outcome comes once",
    "at most one transfer a payment", "a file is acted on once", "an event is committed once",
    "a record is forwarded once", "repeats are byte-equal",
})  # fmt: skip
REORDERED = frozenset({"events are in order", "a key has one partition", "what returns was settled"})


@dataclass(slots=True)
class Committed:
    """A fault that was committed. Seconds: since the run's start, until it was undone, until recovery."""

    kind: str
    what: str
    at: float
    lasted: float
    in_flight: int
    recovered: float | None = None


@dataclass(slots=True)
class Run:
    """What a run was told, and what it saw. `troubles`: what did not come to rest as it must."""

    seed: int
    minutes: float
    measured: float = 0.0
    rate: float = 0.0
    seconds: float = 0.0
    given: int = 0
    unanswered: int = 0
    faults: list[Committed] = field(default_factory=list)
    replayed: Replayed = field(default_factory=Replayed)
    surprises: Sequence[tuple[str, str]] = ()
    ended: Mapping[str, int] = field(default_factory=dict)
    proof_holds: bool = False
    proof_says: str = ""
    troubles: list[str] = field(default_factory=list)


def as_object(run: Run, audit: Report) -> dict[str, Any]:
    """The figures."""
    return {
        "seed": run.seed,
        "minutes": run.minutes,
        "seconds": round(run.seconds),
        "measured_per_second": round(run.measured),
        "load_per_second": round(run.rate),
        "given": run.given,
        "unanswered": run.unanswered,
        "faults": {kind: _kind(found) for kind, found in sorted(_by_kind(run).items())},
        "replays": {
            "ends": dict(run.replayed.ends),
            "records": run.replayed.records,
            "rows_changed": run.replayed.changed,
            "events_told": run.replayed.told,
            "reasons": dict(run.replayed.reasons),
        },
        "most_in_flight": max((each.in_flight for each in run.faults), default=0),
        "ended": dict(run.ended),
        "ended_by_themselves": len(run.surprises),
        **_verdict(run, audit),
        "findings": [str(each) for each in audit.findings[:200]],
        "audited": dict(audit.counts),
        "proof": run.proof_says,
        "troubles": run.troubles,
        "found_nothing": found_nothing(run, audit),
    }


def found_nothing(run: Run, audit: Report) -> bool:
    """Whether the run shows that nothing is wrong: by the auditor, the proof, and its own course."""
    calm = audit.clean and run.proof_holds and run.replayed.clean
    return calm and not run.troubles and not run.unanswered


def _verdict(run: Run, audit: Report) -> dict[str, int]:
    rules = audit.by_rule
    counted = {
        name: sum(count for rule, count in rules.items() if rule in of)
        for name, of in (("lost", LOST), ("doubled", DOUBLED), ("reordered", REORDERED))
    }
    return {**counted, "unaccounted": len(audit.findings) - sum(counted.values()) + (not run.proof_holds)}


def _by_kind(run: Run) -> dict[str, list[Committed]]:
    found: dict[str, list[Committed]] = defaultdict(list)
    for each in run.faults:
        found[each.kind].append(each)
    return found


def _kind(found: Sequence[Committed]) -> dict[str, Any]:
    back = [each.recovered for each in found if each.recovered is not None]
    return {
        "injected": len(found),
        "lasted_p50": round(median(each.lasted for each in found), 1),
        "recovered_p50": round(median(back), 1) if back else None,
        "recovered_max": round(max(back), 1) if back else None,
        "never": len(found) - len(back),
        "in_flight_p50": round(median(each.in_flight for each in found)),
    }


def as_markdown(run: Run, audit: Report) -> str:
    """The page."""
    told = as_object(run, audit)
    rows = [
        f"| {kind} | {of['injected']} | {of['lasted_p50']} | {of['recovered_p50']} | {of['recovered_max']} "
        f"| {of['never'] or ''} | {of['in_flight_p50']:,} |"
        for kind, of in told["faults"].items()
    ]
    ended = ", ".join(f"{count:,} {state}" for state, count in told["ended"].items())
    looked = ", ".join(f"{count:,} {what}" for what, count in told["audited"].items())
    findings = "".join(f"- {each}\n" for each in told["findings"]) or "None.\n"
    troubles = "".join(f"- {each}\n" for each in run.troubles) or "None.\n"
    surprises = "".join(
        f"- {name}: `{text.splitlines()[-1][:300] if text else '?'}`\n" for name, text in run.surprises[:20]
    )
    replays = ", ".join(f"{count} {end}" for end, count in sorted(run.replayed.ends.items())) or "none"
    reasons = "".join(f"- {count} times: {why}\n" for why, count in run.replayed.reasons.most_common(20))
    return f"""# Chaos

Made by `make chaos MINUTES={run.minutes:g} SEED={run.seed}`: the eight processes (each lane service twice), \
three Kafka brokers (replication 3, `min.insync.replicas` 2) and Postgres, all real, under load and faults, \
then quiet, then the auditor of `tests/auditor`, which shares no code with the house, and `goodfunds prove`.

| | |
|---|---|
| **lost** | **{told["lost"]}** |
| **doubled** | **{told["doubled"]}** |
| **reordered** | **{told["reordered"]}** |
| **unaccounted** | **{told["unaccounted"]}** |
| faults injected | {len(run.faults)} |
| instructions given | {run.given:,}, of them without an answer in the end {run.unanswered} |
| rate | {run.rate:.0f}/s, half of the {run.measured:.0f}/s that a burst at the start measured, end to end |
| replays meanwhile | {replays}; {run.replayed.records:,} records handled again changed \
**{run.replayed.changed} rows** and told **{run.replayed.told} events** |
| payments in flight at a fault | at most {told["most_in_flight"]:,} |
| how they ended | {ended} |
| seconds in all | {run.seconds:.0f} |
| `goodfunds prove` | {run.proof_says} |

## Faults

Seconds to recover: from the moment a fault begins until every stage (deciding, handing over to settlement, \
sending to the bank, reconciling) has handled all that stood before it at the moment the fault ended. Faults \
follow each other within seconds, so a later one may be in the way of an earlier one's recovery.

| kind | injected | lasted (p50 s) | recovered (p50 s) | recovered (max s) | never | in flight (p50) |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

## Replays that were not done

Each was of the last seconds of some lanes, planned and approved over HTTP while faults went on.

{reasons or "None."}
## Audit

{looked}.

Findings:

{findings}
What did not come to rest:

{troubles}
## Processes that ended by themselves

{surprises or "None."}
"""
