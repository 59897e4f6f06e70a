"""The bank's books, streamed line by line, against settlement at rest: one transfer a settled payment.

Of each payment of the bank 16 bytes are kept, and a byte of each of ours.
"""

import json
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from tests.auditor import wire
from tests.auditor.evidence import Finding
from tests.auditor.resting import SHOWN, Resting, shown

_OUT, _BACK = 1, 2
_KINDS = {"payment": _OUT, "return": _BACK}
_OPENING = "opening"
_AT_ONCE = 10_000
_ID = 16


@dataclass(frozen=True, slots=True)
class PastTheBank:
    """Copies of settled payments that were put into the databases and never passed the bank.

    How many, and of them how many were returned; amounts in minor units, a return's less its charges. What
    they took off the account `nostro` our books had it opened with beyond what the bank did.
    """

    payments: int = 0
    amount_minor: int = 0
    nostro: str = ""
    returned: int = 0
    returned_minor: int = 0

    @property
    def taken_minor(self) -> int:
        """What all of them took off the account."""
        return self.amount_minor - self.returned_minor


NOTHING_LAID = PastTheBank()


class BankFound(NamedTuple):
    """What the bank's books show, and how many transfers they have."""

    findings: list[Finding]
    transfers: int


@dataclass(slots=True)
class _Books:
    """What is kept of the books while they pass."""

    accounts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    deposited: Counter[tuple[str, str]] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)
    ids: bytearray = field(default_factory=bytearray)
    """Of the bank's payments, which it numbers from 1: the ids of ours, zeros where it is none."""
    statements: dict[str, tuple[int, int]] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    ours: dict[int, bytearray] = field(default_factory=dict)
    """Lane → a byte for each number of an accepted payment: how its money moved."""
    by_file: Counter[str] = field(default_factory=Counter)
    by_file_minor: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    transfers: int = 0

    def find(self, rule: str, subject: str, words: str) -> None:
        """Keep a finding, of each rule those that are shown."""
        of_rule = self.findings.setdefault(rule, [])
        if len(of_rule) <= SHOWN:
            of_rule.append(Finding(rule, subject, words))


async def book_lines(url: str) -> AsyncIterator[str]:
    """The sandbox bank's books over HTTP."""
    async with httpx.AsyncClient(timeout=300) as http, http.stream("GET", f"{url}/books") as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            yield line


async def check_bank(house: Resting, books: AsyncIterable[str], laid: PastTheBank) -> BankFound:
    """Every transfer is a settled payment's and the other way round; our account and statements are its own.

    What was `laid` past the bank, exactly that is not in its books.
    """
    seen = _Books()
    waiting: list[dict[str, Any]] = []
    async for line in books:
        row = json.loads(line)
        match row["book"]:
            case "accounts":
                place = (row["account"], row["currency"])
                if row["held"]:
                    seen.accounts[place] = (row["opened_with"], row["balance_minor"])
            case "files":
                if row["standing"] == "stands":
                    seen.files.add(row["message_id"])
            case "payments":
                _note(seen, row)
            case "transfers":
                waiting.append(row)
                if len(waiting) == _AT_ONCE:
                    await _transfers(house, seen, waiting)
                    waiting = []
            case "answers":
                if row["kind"] == "camt.053" and row["state"] == "written":
                    # As the bank's statements name themselves (Stmt/Id).
                    name = f"STM-{row['day'].replace('-', '')}-{row['content_of']:08d}"
                    seen.statements[name] = (row["opening_minor"], row["closing_minor"])
    await _transfers(house, seen, waiting)
    await _files(house, seen, laid)
    await _accounts(house, seen, laid)
    await _statements(house, seen, laid)
    found = [shown(rule, "the bank's books", of_rule) for rule, of_rule in seen.findings.items()]
    return BankFound([each for of_rule in found for each in of_rule], seen.transfers)


def _note(seen: _Books, row: dict[str, Any]) -> None:
    found = wire.reference(row["instruction_id"])
    if row["id"] * _ID != len(seen.ids) + _ID:
        seen.find("the bank's books have no hole", str(row["id"]), "the bank's payments are numbered from 1")
    seen.ids += wire.NO_ID if found is None else found[1]


def _id_of(seen: _Books, number: int) -> bytes:
    return bytes(seen.ids[(number - 1) * _ID : number * _ID]) or wire.NO_ID


async def _transfers(house: Resting, seen: _Books, rows: list[dict[str, Any]]) -> None:
    """Hold transfers against our books: each is a settled payment's, of its amount, once."""
    ids = {row["payment"]: _id_of(seen, row["payment"]) for row in rows}
    asked = [UUID(bytes=each) for each in ids.values() if each != wire.NO_ID]
    known = {row["payment_id"].bytes: row for row in await house.rows("settlement.known", asked)}
    for row in rows:
        _add_up(seen, row)
        if row["kind"] == _OPENING:
            continue
        seen.transfers += 1
        kind = _KINDS.get(row["kind"])
        ours = known.get(ids[row["payment"]])
        if ours is None or kind is None:
            words = f"{row['kind']} of {row['amount_minor']} {row['currency']} belongs to no payment"
            seen.find("every transfer is a payment's", f"the bank's payment {row['payment']}", words)
            continue
        _judge(seen, row, ours, kind)


def _add_up(seen: _Books, row: dict[str, Any]) -> None:
    sums = seen.deposited if row["kind"] == _OPENING else seen.moved
    for account, sign in ((row["debit_account"], -1), (row["credit_account"], 1)):
        if (account, row["currency"]) in seen.accounts:
            sums[account, row["currency"]] += sign * row["amount_minor"]


def _judge(seen: _Books, row: dict[str, Any], ours: Any, kind: int) -> None:
    subject = str(ours["payment_id"])
    marks = seen.ours.setdefault(ours["lane"], bytearray())
    number = ours["accepted_seq"]
    if number >= len(marks):
        marks.extend(bytes(number + 1024 - len(marks)))
    if marks[number] & kind:
        seen.find("at most one transfer a payment", subject, f"a second {row['kind']} at the bank")
        return
    marks[number] |= kind
    wanted = (ours["amount_minor"] if kind == _OUT else ours["returned_minor"], ours["currency"])
    if kind == _OUT and not ours["settled"]:
        seen.find("what is not settled has no transfer", subject, "booked at the bank, not settled here")
    elif kind == _BACK and ours["returned_minor"] is None:
        seen.find("what is returned came back", subject, "the bank returned it, our books do not know")
    elif (row["amount_minor"], row["currency"]) != wanted:
        words = f"moved {row['amount_minor']} {row['currency']}, our books have {wanted}"
        seen.find("the bank moved what was asked for", subject, words)
    elif kind == _OUT:
        seen.by_file[ours["message_id"]] += 1
        seen.by_file_minor[ours["message_id"]] += row["amount_minor"]
    else:
        seen.returned["payments"] += 1
        seen.returned["minor"] += row["amount_minor"]


async def _files(house: Resting, seen: _Books, laid: PastTheBank) -> None:
    """What is settled of a file that the bank acted on is in its books; what is of no such file was laid."""
    rule = "what is settled has one transfer"
    past, past_minor = 0, 0
    for row in await house.rows("settlement.files"):
        name = row["message_id"]
        if name not in seen.files:
            past, past_minor = past + row["payments"], past_minor + row["minor"]
        elif (row["payments"], row["minor"]) != (seen.by_file[name], seen.by_file_minor[name]):
            there = (seen.by_file[name], seen.by_file_minor[name])
            seen.find(rule, name, f"settled {(row['payments'], row['minor'])}, at the bank {there}")
            for each in await house.rows("settlement.of_file", name):
                if not _has(seen, each["lane"], each["accepted_seq"]):
                    seen.find(rule, str(each["payment_id"]), f"settled, no transfer at the bank ({name})")
    if (past, past_minor) != (laid.payments, laid.amount_minor):
        words = (
            f"{past:,} of {past_minor:,} minor units, laid were {laid.payments:,} of {laid.amount_minor:,}"
        )
        seen.find(rule, "files that the bank does not know", words)
    [returned] = await house.rows("settlement.returned")
    ours = (returned["payments"] - laid.returned, returned["minor"] - laid.returned_minor)
    theirs = (seen.returned["payments"], seen.returned["minor"])
    if ours != theirs:
        words = f"(returns, minor units): {ours} in our books without those laid, {theirs} at the bank"
        seen.find("what is returned came back", "all", words)


def _has(seen: _Books, lane: int, number: int) -> bool:
    marks = seen.ours.get(lane, b"")
    return number < len(marks) and bool(marks[number] & _OUT)


async def _accounts(house: Resting, seen: _Books, laid: PastTheBank) -> None:
    """Our account at the bank: its own sum, what it began with, and what our books hold."""
    nostros = {(row["nostro"], row["currency"]): row for row in await house.rows("settlement.nostros")}
    for place, (opened, balance) in seen.accounts.items():
        deposited, moved = seen.deposited[place], seen.moved[place]
        if (opened, opened + moved) != (deposited, balance):
            words = f"{opened}, deposited {deposited}, and its transfers {moved}: holds {balance} {place[1]}"
            seen.find("the bank's books balance", place[0], words)
        ours = nostros.pop(place, None)
        beyond = laid.taken_minor if place[0] == laid.nostro else 0
        held = None if ours is None else (ours["opening_minor"] - beyond, -ours["balance_minor"])
        if held != (opened, balance):
            words = (
                f"(opened, held): {held} in our books without the {beyond} laid, {(opened, balance)} there"
            )
            seen.find("our nostro is the bank's account", place[0], words)
    for account, currency in nostros:
        seen.find("our nostro is the bank's account", account, f"the bank has no such account in {currency}")


async def _statements(house: Resting, seen: _Books, laid: PastTheBank) -> None:
    """Each statement that the bank wrote is ours, and no other but those of what was laid."""
    rule = "every statement is the bank's"
    left, past = dict(seen.statements), 0
    for row in await house.rows("reconciliation.statements"):
        name, ends = row["bank_statement_id"], (row["opening_minor"], row["closing_minor"])
        known = left.pop(name, None)
        if known is None:
            past += ends[0] - ends[1]
        elif known != ends:
            seen.find(rule, name, f"(opening, closing) of ours {ends}, of the bank's {known}")
    for name, ends in left.items():
        seen.find(rule, name, f"the bank wrote it, from {ends[0]} to {ends[1]}; we have none")
    if past != laid.taken_minor:
        words = f"they take {past:,} off, laid were {laid.taken_minor:,}"
        seen.find(rule, "those that the bank does not know", words)
