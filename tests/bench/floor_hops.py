"""The hops of a payment through the house: who reads what, and the rows and records that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from goodfunds.events.topics import (
    BANK_NOTIFICATIONS,
    BANK_STATEMENTS,
    PAYMENT_INSTRUCTIONS,
    PAYMENTS,
    RECONCILIATION,
    SETTLEMENT_NOTIFICATIONS,
)

FILES: Final = ("statement_files", "statement_file_parts")
"""Few rows, however many payments are in them: each is taken, and of its bytes a share."""


@dataclass(frozen=True, slots=True)
class Hop:
    """What follows from a topic's records: rows of tables, and records on other topics.

    `reads` is empty of a feed, which takes what it writes from files.
    """

    reads: str
    tables: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the house, the service whose database it writes, and its hops."""

    service: str
    hops: tuple[Hop, ...]
    feed: bool = False


PROCESSES: Mapping[str, Process] = {
    "ingestion": Process(
        "ingestion",
        (
            Hop(PAYMENT_INSTRUCTIONS, ("payments", "postings", "outbox"), (PAYMENTS,)),
            # It looks for rejections and returns among them.
            Hop(SETTLEMENT_NOTIFICATIONS),
        ),
    ),
    "settlement": Process(
        "settlement",
        (
            Hop(PAYMENTS, ("payments",)),
            Hop(
                BANK_NOTIFICATIONS,
                ("settlements", "postings", "noted_reports", "payment_statuses", "outbox"),
                (SETTLEMENT_NOTIFICATIONS,),
            ),
        ),
    ),
    "settlement-gateway": Process("settlement", (Hop("", ("outbox",), (BANK_NOTIFICATIONS,)),), feed=True),
    "reconciliation": Process(
        "reconciliation",
        (
            Hop(SETTLEMENT_NOTIFICATIONS, ("expected_items",)),
            Hop(BANK_STATEMENTS, ("statement_lines", "outbox"), (RECONCILIATION,)),
        ),
    ),
    "reconciliation-statements": Process(
        "reconciliation",
        (Hop("", (*FILES, "outbox"), (BANK_STATEMENTS,)),),
        feed=True,
    ),
    "control-totals": Process("reconciliation", (Hop(PAYMENTS), Hop(SETTLEMENT_NOTIFICATIONS))),
}
"""By the process' name in a stack. The intake of files has no part in a payment that comes by topic."""

TOPICS = tuple(
    dict.fromkeys(
        topic
        for process in PROCESSES.values()
        for hop in process.hops
        for topic in (hop.reads, *hop.writes)
        if topic
    )
)


def source(table: str, feed: bool) -> str:
    """Where a process' rows of a table are: lane -1 of an outbox is the feed's."""
    return f"{table} WHERE lane {'<' if feed else '>='} 0" if table == "outbox" else table


def tables_of(service: str) -> set[str]:
    """The tables of a service's database that the floor fills."""
    return {
        table
        for process in PROCESSES.values()
        if process.service == service
        for hop in process.hops
        for table in hop.tables
    }
