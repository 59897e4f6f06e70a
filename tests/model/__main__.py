"""`make model`: searches every configuration and every broken rule, and writes docs/model.md."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.model.checker import Result, search
from tests.model.configurations import LARGE, SMALL, Configuration
from tests.model.hold import NOT_IN_TURN, RULES, start
from tests.model.hold import search as search_hold
from tests.model.mutations import MUTATIONS

REPORT = Path(__file__).parents[2] / "docs" / "model.md"

_HEAD = """# The lane protocol, searched

Written by `make model`. `tests/model` holds the protocol of `goodfunds.lanes` as small steps, each beside
the function that takes it, and searches every order of them breadth-first. In each state it checks: nothing
handled twice, or passed over; each lane's events as a consumer sees them gapless, in order, each fact once;
nothing published that is not committed; `published_seq` a contiguous prefix of what stands on the topics;
offsets equal to effects; at most one owner whose next transaction would pass the fence. And from each state
a way to completion that needs no fault and no frozen instance to wake up.

What the steps are: an UPDATE that waits, commits, is answered or not, or is left to the server by a client
that is gone; row and tail read one after the other; transactions of any size, committed, unanswered, or
terminated by a takeover; an instance that dies, stands still (also inside a transaction), or hears late
that its lane is another's; batches that arrive, arrive late or never, answers that are lost; a backup at any
time, a database set back to it, `goodfunds db restored`, and adoption with a crash between any two steps.

What it leaves out: one transaction handles one lane (the code's may handle several, each fenced by its own
row); a repeat on a topic whose readers drop it by its number is not kept; who sets a database back stops
its service first (what happens otherwise is among the broken rules below).
"""

_HOLD = """## The hold of settlement's gateway after a restore

Two payments, a lane, the gateway and a bank, with a backup at any time, a restore at any later one, and a
file on its way meanwhile. In each state no payment is at the bank in two files that it has not refused; and
from each a way to where every payment is there, in the batch in which the books have it.
"""


def main() -> int:
    """Search all; 1 where something does not hold."""
    faults = 0
    lines = [
        _HEAD,
        "## Worlds",
        "",
        "| world | instances | faults of | states | transitions | holds |",
        "|---|---|---|---|---|---|",
    ]
    total = 0
    for world in (*SMALL, *LARGE):
        result = _search(world)
        total += result.states
        faults += result.broken is not None
        where = "" if world in LARGE else " (in the suite)"
        kinds = ", ".join(sorted(world.kinds))
        lines.append(
            f"| {world.name}{where} | {world.instances} | {world.faults}: {kinds} | {result.states:,} | "
            f"{result.transitions:,} | {result.broken or 'yes'} |"
        )
    lines += [
        "",
        f"{total:,} states in all.",
        "",
        "## Broken rules, each with the shortest way to where it shows",
        "",
    ]
    for mutation in MUTATIONS:
        result = _search(mutation.configuration(), mutation.rule)
        faults += result.broken is None
        lines += _story(mutation.rule, result)
    held, broken = _hold()
    faults += broken
    lines += held
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{total:,} states; written to {REPORT}")
    return 1 if faults else 0


def _hold() -> tuple[list[str], int]:
    """The report on the gateway's hold, and how much of it does not hold."""
    lines = [
        _HOLD,
        "| a sender dies | a file is refused | states | transitions | holds |",
        "|---|---|---|---|---|",
    ]
    broken = 0
    for crashes, refusals in ((1, 0), (0, 1), (1, 1)):
        result = search_hold(start(crashes, refusals))
        broken += result.broken is not None
        print(f"hold: {result.states:,} states in {result.seconds:.0f} s", flush=True)
        lines.append(
            f"| {crashes} | {refusals} | {result.states:,} | {result.transitions:,} |"
            f" {result.broken or 'yes'} |"
        )
    lines.append("")
    for rule in RULES:
        result = search_hold(start(0, int(rule == NOT_IN_TURN)), frozenset({rule}))
        broken += result.broken is None
        lines += _story(rule, result)
    return lines, broken


def _search(world: Configuration, name: str = "") -> Result:
    name = name or world.name
    result = search(world, progress=lambda states: print(f"  {name}: {states:,} states", flush=True))
    print(
        f"{name}: {result.states:,} states in {result.seconds:.0f} s, {result.broken or 'holds'}", flush=True
    )
    if result.broken and not world.mutations:
        print("\n".join(result.trace))
    return result


def _story(rule: str, result: Result) -> Iterator[str]:
    yield f"**{rule[0].upper()}{rule[1:]}**: {result.broken or 'NOT FOUND'}."
    yield ""
    yield from (f"{number}. {text}" for number, text in enumerate(result.trace, 1))
    yield ""


if __name__ == "__main__":
    sys.exit(main())
