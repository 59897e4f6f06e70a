"""The main job end to end on a local stack: a file in, to the bank, settled, matched with its statement."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import inf, nan
from time import monotonic
from typing import Any

import click
import httpx

from goodfunds.cli.asking import Wish, ask
from goodfunds.cli.progress import Progress, Show, read_progress
from goodfunds.cli.publish import post_file, refusal_lines
from goodfunds.cli.reading import readers, sql
from goodfunds.cli.requests import close_cut_off, open_nostro
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.files import pain001
from goodfunds.files.records import InvalidFile
from goodfunds.https import trusted
from goodfunds.lanes import lane_of
from goodfunds.local.stack import NOSTRO, Stack, check_alive

BANK_HOLDS = 10**15
"""Minor units in the house's account at the sandbox bank when it is opened."""
CLIENT = "demo"
_STILL_SECONDS = 4.0
_QUIET_SECONDS = 1.0
_PATIENCE_SECONDS = 120.0

Faults = Mapping[str, Mapping[str, float]]
"""name of a fault of the sandbox bank → its `rate` or `count`."""


@dataclass(slots=True)
class Outcome:
    """How a file fared. `before`: what stood in the books already; `refused`: why none of it was taken.

    `notes`: what a person should know of it. `reasons`: `rejected AC03` → payments, with the reason codes of
    our books and of the bank's.
    """

    before: Progress
    after: Progress
    items: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    reasons: Mapping[str, int] = field(default_factory=dict)


async def travel(stack: Stack, content: bytes, faults: Faults, show: Show) -> Outcome:
    """Carry a pain.001 through the whole house. The stack is up; accounts are opened and funded first."""
    async with readers(stack) as connections:
        before = await read_progress(connections)
        await open_house(stack, faults)
        funds = _debtors(content)
        notes = await _open_and_fund(stack, content, funds) if funds else []
        started = monotonic()
        answer = await post_file(stack, content, CLIENT)
        if answer.status_code >= 400:
            return Outcome(before, await read_progress(connections), refused=refusal_lines(answer))
        items = answer.json()["items"]
        if answer.status_code == 200:
            notes.append("this file was taken in before: nothing of it is done twice")
        watch = _Watch(stack, connections, show)
        decided = before.accepted + before.rejected + (items if answer.status_code == 202 else 0)
        await watch.until("deciding", lambda p: p.accepted + p.rejected >= decided)
        await watch.until("to settlement", lambda p: sum(n for n, _ in p.states.values()) >= p.accepted)
        await close_cut_off(stack, "demo")
        await watch.until("to the bank", lambda p: p.count("held", "claimed") == 0)
        await watch.until_still("the bank answers", lambda p: p.count("submitted") == 0)
        await _end_days(stack, connections, watch)
        seconds = monotonic() - started
        await watch.until_quiet("the last answers")
        await watch.until_still("refunding", lambda p: p.refunded >= p.count("rejected", "returned"))
        after = await read_progress(connections)
        rows = await connections["ingestion"].fetch(sql("ingestion")["reasons_of_file"], *_keys(content))
        reasons = {f"{row['fate']} {row['reason_code']}": row["payments_count"] for row in rows}
        return Outcome(before, after, items, [], seconds, notes, reasons)


class _Watch:
    """Reads the progress until something holds, showing it on the way."""

    def __init__(self, stack: Stack, connections: Mapping[str, Any], show: Show) -> None:
        self._stack = stack
        self._connections = connections
        self._show = show

    async def until(self, what: str, holds: Callable[[Progress], bool]) -> Progress:
        """Raises RuntimeError where nothing has moved for two minutes."""
        return await self._until(what, holds, _PATIENCE_SECONDS, must=True)

    async def until_still(self, what: str, holds: Callable[[Progress], bool]) -> Progress:
        """Until it holds, or nothing moves any more: with faults at the bank it may never hold."""
        return await self._until(what, holds, _STILL_SECONDS, must=False)

    async def until_quiet(self, what: str) -> Progress:
        """Until nothing has moved for a second: what an answer brought may be on its way between services."""
        return await self._until(what, lambda _: False, _QUIET_SECONDS, must=False)

    async def _until(
        self, what: str, holds: Callable[[Progress], bool], patience: float, must: bool
    ) -> Progress:
        last, moved = Progress(), monotonic()
        while True:
            progress = await read_progress(self._connections)
            self._show(what, progress)
            if holds(progress):
                return progress
            check_alive(self._stack)
            if progress != last:
                last, moved = progress, monotonic()
            elif monotonic() - moved > patience:
                if must:
                    raise RuntimeError(f"{what}: nothing has moved for {patience:.0f} s; see the logs")
                return progress
            await asyncio.sleep(0.1)


async def open_house(stack: Stack, faults: Faults) -> None:
    """The house's account at the bank, and the same amount in our own books; once."""
    bank = stack.url("sandbox-bank")
    async with httpx.AsyncClient(verify=trusted(), timeout=30) as http:
        terms = {"currency": "EUR", "balance_minor": BANK_HOLDS, "name": "goodfunds house"}
        (await http.put(f"{bank}/accounts/{NOSTRO}", json=terms)).raise_for_status()
        answer = await http.put(f"{bank}/faults", json={"faults": faults})
        if answer.status_code >= 400:
            told = answer.json().get("detail", answer.text)
            raise RuntimeError(f"the sandbox bank does not take these faults: {told}")
    payload = {"nostro": NOSTRO, "currency": "EUR", "balance_minor": BANK_HOLDS, "source": "equity"}
    await open_nostro(stack, lane_of(NOSTRO, stack.partitions), "demo", json.dumps(payload))


def parse_faults(text: str) -> dict[str, dict[str, float]]:
    """`reject=0.02,return=0.01,lost_answer=2` → rates below one, counts from one on. Raises BadParameter."""
    found: dict[str, dict[str, float]] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, amount = part.partition("=")
        try:
            number = float(amount or "0.05")
        except ValueError:
            number = nan
        if not name or not 0 <= number < inf:
            raise click.BadParameter(f"{part!r} is not NAME=RATE", param_hint="--faults")
        found[name] = {"rate": number} if number < 1 else {"count": int(number)}
    return found


def _debtors(content: bytes) -> dict[str, tuple[str, Counter[str]]]:
    """account → (owner, minor units by currency) of a file that is valid; {} of one that is not."""
    try:
        file = pain001.read_whole(io.BytesIO(content))
    except InvalidFile:
        return {}
    found: dict[str, tuple[str, Counter[str]]] = {}
    debtors = {each.index: each for each in file.payment_informations}
    for transfer in file.transfers:
        debtor = debtors[transfer.payment_information_index]
        _, sums = found.setdefault(debtor.debtor_account, (debtor.debtor_name or "a debtor", Counter()))
        sums[transfer.currency] += transfer.amount_minor
    return found


def _keys(content: bytes) -> tuple[str, str]:
    """(client, MsgId) of a valid file: what its payments' keys begin with."""
    return CLIENT, pain001.read_whole(io.BytesIO(content)).header.message_id


async def _open_and_fund(
    stack: Stack, content: bytes, funds: Mapping[str, tuple[str, Counter[str]]]
) -> list[str]:
    """What was refused of it: an account that exists already is used as it is."""
    client, message_id = _keys(content)
    wishes: list[Wish] = []
    for account, (name, sums) in funds.items():
        currency, minor = sums.most_common(1)[0]
        wishes += [
            AccountOpenRequested(client, f"open/{account}", account, currency, name[:140]),
            AccountFundRequested(minor, client, f"fund/{account}/{message_id}", account, currency, "demo"),
        ]
    return [f"{_what(wish)} {wish.account}: {why}" for wish, why in await ask(stack, wishes)]


def _what(wish: Wish) -> str:
    return "not opened" if isinstance(wish, AccountOpenRequested) else "not funded"


async def _end_days(stack: Stack, connections: Mapping[str, Any], watch: _Watch) -> None:
    """Move the bank's days on: past the last requested date, and one more for what comes back."""
    last: date | None = await connections["settlement"].fetchval(sql("settlement")["last_requested_date"])
    if last is None:
        return
    bank = stack.url("sandbox-bank")
    async with httpx.AsyncClient(verify=trusted(), timeout=120) as http:
        for _ in range(2):
            today = date.fromisoformat((await http.get(f"{bank}/business-day")).json()["business_day"])
            to = max(today, last) + timedelta(days=1)
            (await http.post(f"{bank}/business-day/advance", json={"to": to.isoformat()})).raise_for_status()
            written = len((await http.get(f"{bank}/statements")).json())
            await watch.until("the bank's day ends", lambda p: p.statements >= written)  # noqa: B023 - at once
            await _taken(connections["settlement"], written)
            await watch.until_still(
                "proving against the statement", lambda p: p.open_items == 0 and p.undecided_lines <= 0
            )


async def _taken(settlement: Any, written: int) -> None:
    """Wait until settlement's gateway has read as many statements; what they alone say is told by then."""
    deadline = monotonic() + _PATIENCE_SECONDS
    while await settlement.fetchval(sql("settlement")["statements_taken"]) < written:
        if monotonic() > deadline:
            raise RuntimeError("settlement's gateway does not read the bank's statements; see the logs")
        await asyncio.sleep(0.1)
