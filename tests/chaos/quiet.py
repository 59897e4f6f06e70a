"""Quiet: everything is healed, the load has ended, and the house is brought to the end of its day."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from time import monotonic
from typing import Any

import httpx

from goodfunds.cli.progress import Progress, read_progress
from goodfunds.cli.reading import readers
from goodfunds.cli.requests import close_cut_off, resolve_unknown
from goodfunds.https import trusted
from goodfunds.service import services
from tests.auditor.allowances import untold
from tests.auditor.evidence import Evidence
from tests.auditor.reading import read_bank, read_database, read_log
from tests.chaos.house import BANK, PARTITIONS, House
from tests.chaos.load import Load

_STILL_SECONDS = 8.0
_UNKNOWN_FILES = """
SELECT f.message_id FROM bank_files f
WHERE f.submitted_at IS NULL AND f.refused_at IS NULL
  AND (SELECT state FROM attempts a WHERE a.file_id = f.file_id ORDER BY attempt DESC LIMIT 1) = 'unknown'
"""
Say = Callable[[str], None]


async def end_day(house: House, days: int = 1) -> None:
    """Move the bank's business day on."""
    bank = f"http://127.0.0.1:{house.instances[BANK].http_port}"
    async with httpx.AsyncClient(verify=trusted(), timeout=60) as http:
        for _ in range(days):
            today = date.fromisoformat((await http.get(f"{bank}/business-day")).json()["business_day"])
            to = (today + timedelta(days=1)).isoformat()
            (await http.post(f"{bank}/business-day/advance", json={"to": to})).raise_for_status()


async def come_to_rest(house: House, seconds: float, say: Say) -> None:
    """Let all that is under way come to its end; where it does not in time, the audit will say so."""
    deadline = monotonic() + seconds
    async with readers(house.stack) as connections:
        await _until(connections, "deciding and handing over", deadline, say, lambda p: (
            sum(n for n, _ in p.states.values()) >= p.accepted))  # fmt: skip
        await close_cut_off(house.stack, "chaos")
        while monotonic() < deadline:
            await _ask_the_bank(house, connections)
            if (await read_progress(connections)).count("held", "claimed") == 0:
                break
            await asyncio.sleep(1)
        for last in (False, False, True):
            await end_day(house)
            await _until(connections, "the bank's day ends" if not last else "the last answers",
                         deadline, say, lambda p: (
                p.count("held", "claimed", "submitted") == 0
                and p.refunded >= p.count("rejected", "returned") and p.open_items == 0
                and p.undecided_lines <= 0))  # fmt: skip


async def _until(
    connections: Mapping[str, Any], what: str, deadline: float, say: Say, holds: Callable[[Progress], bool]
) -> None:
    """Until it holds, or nothing has moved for a while: with faults at the bank it may never hold."""
    say(f"quiet: {what}…")
    last, moved = Progress(), monotonic()
    while monotonic() < deadline:
        progress = await read_progress(connections)
        if holds(progress) and monotonic() - moved > 1.0:
            return
        if progress != last:
            last, moved = progress, monotonic()
        elif monotonic() - moved > _STILL_SECONDS:
            return
        await asyncio.sleep(0.25)


async def _ask_the_bank(house: House, connections: Mapping[str, Any]) -> None:
    """A person asks the bank for files of which nobody knows whether they arrived (the rail's 30 minutes).

    Says so only of what the bank's own books hold, or do not.
    """
    unknown = [row["message_id"] for row in await connections["settlement"].fetch(_UNKNOWN_FILES)]
    if not unknown:
        return
    books = await read_bank(f"http://127.0.0.1:{house.instances[BANK].http_port}")
    there = {file.message_id for file in books.files}
    for message_id in unknown:
        await resolve_unknown(house.stack, "chaos", message_id, message_id in there)


async def gather(house: House, load: Load) -> Evidence:
    """The evidence, once nothing moves."""
    ingestion, settlement, reconciliation = [
        await read_database(house.server.dsn(services()[name].database), name)
        for name in ("ingestion", "settlement", "reconciliation")
    ]
    log, ends = await read_log(house.stack.kafka)
    bank = await read_bank(f"http://127.0.0.1:{house.instances[BANK].http_port}")
    return Evidence(
        PARTITIONS, load.given, load.accounts, load.fundings, log, ingestion, settlement, reconciliation,
        bank.transfers, bank.files, bank.accounts, bank.faults, untold(bank.faults), ends,
    )  # fmt: skip
