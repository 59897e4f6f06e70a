"""Whether a pain.001.001.09 can say payment instructions, and where: its PmtInfs and its header."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from goodfunds.files.instructions import NOT_PROVIDED, RAIL, Faults, Placed
from goodfunds.files.markup import Unwritable, decimal_number, escape
from goodfunds.files.totals import Total
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_CONTROL_SUM,
    MANDATORY_ELEMENT_MISSING,
    TRANSACTION_NOT_SUPPORTED,
)

_KEY = re.compile(r"(.{1,35})/([1-9][0-9]{0,14})/([1-9][0-9]{0,14})", re.DOTALL)
_UETR = "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}"
_MOST_SUM_DIGITS = 18
_MOST_ADDRESS_LINES = 7


def _most(characters: int) -> re.Pattern[str]:
    return re.compile(f".{{0,{characters}}}", re.DOTALL)


_TAKES: Final = {
    "rail": (re.compile(RAIL), f"{RAIL} alone"),
    "end_to_end_id": (
        re.compile(f"(?!{NOT_PROVIDED}$).{{0,35}}", re.DOTALL),
        f"35 characters, not {NOT_PROVIDED}",
    ),
    "uetr": (re.compile(f"(?:{_UETR})?"), "a UUID version 4 in lower case"),
    "debtor_account": (re.compile(".{1,34}", re.DOTALL), "1 to 34 characters"),
    "debtor_name": (_most(140), "140 characters"),
    "creditor_account": (_most(34), "34 characters"),
    "creditor_name": (_most(140), "140 characters"),
    "creditor_agent": (re.compile("(?:[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)?"), "a BIC"),
    "charge_bearer": (re.compile("(?:DEBT|CRED|SHAR|SLEV)?"), "DEBT, CRED, SHAR or SLEV"),
    "remittance_unstructured": (_most(140), "140 characters"),
    "remittance_reference": (_most(35), "35 characters"),
    "creditor_street": (_most(70), "70 characters"),
    "creditor_building": (_most(16), "16 characters"),
    "creditor_postcode": (_most(16), "16 characters"),
    "creditor_town": (_most(35), "35 characters"),
    "creditor_country": (re.compile("(?:[A-Z]{2})?"), "two capital letters"),
    "client": (_most(140), "140 characters"),
}
"""Field → what its element in pain.001.001.09 takes, and in words. An empty field has no element."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the message's header says. `new_keys`: payments are identified by their places in it."""

    message_id: str
    client: str
    created_at: datetime
    number_of_transactions: int
    control_sum: str
    new_keys: bool


def plan(found: Iterable[Placed], client: str, created_at: datetime, message_id: str = "") -> Plan:
    """Look through all instructions: whether a message can say them, and what its header will.

    Without a `message_id` the payments' keys must be those that a message gives (MsgId/PmtInf/transaction,
    counted from 1), for they are what keeps a payment from being made twice; with one they are made anew,
    and must not repeat: the hashes of all are held meanwhile.
    Raises InvalidFile with the line and field of what cannot be said, 100 at most.
    """
    faults, total, parts = Faults(), Total(), Parts(message_id)
    for placed in found:
        _check(placed, client, faults)
        parts.begins(placed, faults)
        total.add(placed.instruction.amount_minor, placed.instruction.currency)
    faults.end()
    number = _decimal(total, faults)
    return Plan(parts.message_id, client, created_at, total.count, number, bool(message_id))


class Parts:
    """Which PmtInf an instruction stands in: one for a run of the same debtor and day, or as the keys say."""

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.index = 0
        self._by_keys = not message_id
        self._transaction = 0
        self._of: tuple[object, ...] = ()
        self._keys: set[int] = set()

    def begins(self, placed: Placed, faults: Faults) -> bool:
        """Whether a PmtInf begins with this one; notes a key that is not of this place."""
        instruction = placed.instruction
        of = (
            instruction.debtor_account,
            instruction.debtor_name,
            instruction.requested_execution_date,
        )
        begins = of != self._of
        if self._by_keys:
            _check_characters("idempotency_key", instruction.idempotency_key, placed.line, faults)
            begins = self._follow(placed, faults, begins)
        else:
            self._check_repeats(placed, faults)
        self._of = of
        if begins:
            self.index += 1
            self._transaction = 0
        self._transaction += 1
        return begins

    def _check_repeats(self, placed: Placed, faults: Faults) -> None:
        key = placed.instruction.idempotency_key
        known = len(self._keys)
        self._keys.add(hash(key))
        if len(self._keys) == known:
            why = f"{key[:80]!r} stands twice: under new keys the payment would be made twice"
            faults.note(TRANSACTION_NOT_SUPPORTED, placed.line, "idempotency_key", why)

    def _follow(self, placed: Placed, faults: Faults, differs: bool) -> bool:
        key = placed.instruction.idempotency_key
        found = _KEY.fullmatch(key)
        if found is not None and not self.message_id:
            self.message_id = found[1]
        here = f"{self.message_id}/{self.index}/{self._transaction + 1}"
        following = f"{self.message_id}/{self.index + 1}/1"
        if found is None or key not in (here, following):
            wanted = following if differs else here
            why = (
                f"{key[:80]!r}: a pain.001 knows payments by MsgId and place, here {wanted[:80]!r};"
                " a message id of its own would give them new keys"
            )
            faults.note(TRANSACTION_NOT_SUPPORTED, placed.line, "idempotency_key", why)
            return differs
        if key == here and differs:
            why = f"{key[:80]!r} shares a PmtInf with others, but not their debtor's account, name and date"
            faults.note(TRANSACTION_NOT_SUPPORTED, placed.line, "idempotency_key", why)
        return key == following


def _check(placed: Placed, client: str, faults: Faults) -> None:
    instruction = placed.instruction
    for name, (pattern, words) in _TAKES.items():
        text: str = getattr(instruction, name)
        if pattern.fullmatch(text) is None:
            why = f"{text[:40]!r}: pain.001 takes {words}"
            faults.note(TRANSACTION_NOT_SUPPORTED, placed.line, name, why)
        _check_characters(name, text, placed.line, faults)
    lines = instruction.creditor_address_lines
    if len(lines) > _MOST_ADDRESS_LINES or not all(0 < len(line) <= 70 for line in lines):
        why = f"pain.001 takes {_MOST_ADDRESS_LINES} lines of 1 to 70 characters"
        faults.note(TRANSACTION_NOT_SUPPORTED, placed.line, "creditor_address_lines", why)
    _check_characters("creditor_address_lines", "\n".join(lines), placed.line, faults)
    if instruction.client != client:
        why = f"{instruction.client[:40]!r} is not {client[:40]!r}: a pain.001 is of one client, who sends it"
        faults.note(TRANSACTION_NOT_SUPPORTED, placed.line, "client", why)


def _check_characters(name: str, text: str, line: int, faults: Faults) -> None:
    try:
        escape(text)
    except Unwritable as fault:
        faults.note(CONTENT_INCORRECT, line, name, str(fault))


def _decimal(total: Total, faults: Faults) -> str:
    if total.count == 0:
        faults.note(MANDATORY_ELEMENT_MISSING, 1, "", "there is no payment, and a pain.001 has one at least")
        faults.end()
    if len(total.amount.as_tuple().digits) > _MOST_SUM_DIGITS:
        why = f"the amounts add up to more than the {_MOST_SUM_DIGITS} digits of a control sum"
        faults.note(INVALID_CONTROL_SUM, 1, "amount", why)
        faults.end()
    return decimal_number("CtrlSum", total.amount)
