"""Days with all that can come up in reconciliation, for tests of a state that is made anew."""

import random

from goodfunds.events import types
from tests.integration.reconciliation.scene import (
    AT,
    NOSTRO_LANE,
    OTHER_LANE,
    Fed,
    business,
    contradicted,
    from_reader,
    from_settlement,
    line,
    opened,
    rejected,
    settled,
    submitted,
    whole_statement,
)


class Garbage:
    """What cannot be read."""

    def encode(self) -> bytes:
        return b"?"


def total(count: int, offset: int) -> types.ControlTotal:
    return types.ControlTotal(
        100 * count, AT, "reconciliation", "payments", OTHER_LANE, "ingestion.x", OTHER_LANE, count, offset,
        "EUR", "PaymentAccepted", count,
    )  # fmt: skip


def a_rich_day(source: random.Random) -> list[Fed]:
    """Business in two lanes, then strays of each kind, findings of settlement, a gap, totals and garbage."""
    fed = business(source)
    fed += from_settlement(
        OTHER_LANE,
        submitted(101, 700, 31, "E101"),
        submitted(102, 70, 31, "E102"),
        rejected(102, 70, 31),
        contradicted(102, -70, "settled_after_rejection"),
        submitted(103, 9, 32, "E103"),
        settled(103, 9, 32, "E103"),
        submitted(105, 60, 34, "E105"),
        rejected(105, 60, 34),
    )
    fed += from_settlement(
        NOSTRO_LANE,
        submitted(104, 8, 33, "E104"),
        contradicted(None, 55, "unknown_entry", "R55"),
        submitted(106, 6, 33, "E106"),
        rejected(106, 6, 33),
    )
    strays = [
        line(None, -700, 1, 2, end_to_end_id="E101"),
        line(None, -70, 2, 2, end_to_end_id="E102"),
        line(None, -8, 3, 2, end_to_end_id="E104"),
        line(None, 55, 4, 2, bank_reference="R55"),
        line(None, -3, 5, 2, end_to_end_id="NOBODY"),
        line(None, -60, 6, 2, end_to_end_id="E105"),
        line(None, -6, 7, 2, end_to_end_id="E106"),
    ]
    fed += from_reader(NOSTRO_LANE, opened(1, 0, 10), opened(2, 10, -782, strays), opened(4, 1, 2))
    fed += whole_statement({NOSTRO_LANE: strays}, 2)
    fed += [Fed(OTHER_LANE, "control-totals", each, 0) for each in (total(2, 9), total(1, 5), Garbage())]
    return fed
