"""What no house can know: movements that the bank told by no answer and by no right line of a statement."""

from collections.abc import Sequence

from tests.auditor.evidence import Allowed, PlantedFault
from tests.auditor.wire import reference, short

ENDS = {"payment": "one terminal state", "return": "what is returned came back"}
"""Side of a movement → the rule that it breaks as long as nobody has told of it."""


def untold(faults: Sequence[PlantedFault]) -> list[Allowed]:
    """Each movement whose camt.054 is lost and whose line is damaged, as an exception to its rule."""
    lost = {(fault.instruction_id, fault.side) for fault in faults if fault.kind == "lost_answer"}
    damaged = {
        (fault.instruction_id, fault.side)
        for fault in faults
        if fault.kind in ("short_statement", "wrong_amount_line")
    }
    found = []
    for instruction_id, side in sorted(lost & damaged):
        named = reference(instruction_id)
        if named is not None:
            why = f"the camt.054 of this {side} is lost and its line is damaged"
            found.append(Allowed(ENDS[side], short(named[1]), why))
    return found
