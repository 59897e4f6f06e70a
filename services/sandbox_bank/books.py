"""The bank's books within one transaction: booking, owing answers, opening accounts, faults in force."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path

from goodfunds.postgres import statements
from services.sandbox_bank import decide
from services.sandbox_bank.faults import Draw, FaultSetting
from services.sandbox_bank.model import (
    ON_TIME,
    OPENING_BALANCES,
    Answer,
    Delivery,
    Movement,
    PlantedFault,
)

_HERE = Path(__file__).parent
SQL = statements(_HERE / "sql")


class AccountDiffers(Exception):
    """The account is open already, with another currency, name or opening balance."""


def stamp(instant: datetime) -> str:
    """An instant as the books keep it: one width, so that text order is time order."""
    return instant.isoformat(timespec="microseconds")


class Books:
    """The books inside one open transaction; counters and faults are kept when it ends well."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        day, self.seed, _, self.next_transfer, self.next_entry = connection.execute(SQL["bank"]).fetchone()
        self.day = date.fromisoformat(day)
        settings: dict[str, FaultSetting] = {}
        committed: dict[str, int] = {}
        for kind, setting, count in connection.execute(SQL["fault_settings"]):
            fields = json.loads(setting)
            fields["answers"] = tuple(fields["answers"])
            settings[kind] = FaultSetting(**fields)
            committed[kind] = count
        self.draw = Draw(self.seed, settings, committed)
        self._counted = dict(committed)

    def keep(self) -> None:
        """Write what was counted in memory."""
        self.connection.execute(SQL["keep_bank"], (self.day.isoformat(), self.next_transfer, self.next_entry))
        for kind, count in self.draw.committed.items():
            if count != self._counted.get(kind, 0):
                self.connection.execute(SQL["count_fault"], (count, kind))

    def plant(self, faults: Iterable[PlantedFault]) -> None:
        """Record faults that the bank commits, for whoever audits it."""
        rows = [
            (str(fault.kind), fault.subject, fault.detail, fault.payment, self.day.isoformat())
            for fault in faults
        ]
        self.connection.executemany(SQL["plant_fault"], rows)

    def balances(self) -> dict[decide.Key, int]:
        """Balance in minor units of every account kept here for a customer."""
        return {
            (account, currency): balance
            for account, currency, balance in self.connection.execute(SQL["held_accounts"])
        }

    def book(self, movements: Sequence[Movement]) -> int:
        """Book transfers on the business day, balances with them; the id of the first one."""
        first: int = self.next_transfer
        day = self.day.isoformat()
        self.connection.executemany(
            SQL["add_transfer"],
            [
                (
                    first + index,
                    each.entry,
                    each.payment,
                    each.kind,
                    each.debit_account,
                    each.credit_account,
                    each.amount_minor,
                    each.currency,
                    day,
                )
                for index, each in enumerate(movements)
            ],
        )
        changes: dict[decide.Key, list[int]] = {}
        for each in movements:
            debit = changes.setdefault((each.debit_account, each.currency), [0, 0])
            debit[0] -= each.amount_minor
            debit[1] += 1
            credit = changes.setdefault((each.credit_account, each.currency), [0, 0])
            credit[0] += each.amount_minor
            credit[1] += 1
        self.connection.executemany(
            SQL["move_balance"],
            [(account, currency, "", *change) for (account, currency), change in sorted(changes.items())],
        )
        if movements:
            self.next_transfer += len(movements)
            self.next_entry = movements[-1].entry + 1
        return first

    def owe(self, answer: Answer, delivery: Delivery = ON_TIME, told: Sequence[tuple[int, str]] = ()) -> int:
        """Owe an answer (twice if doubled), with the (payment, RJCT reason) that a pain.002 tells; its id."""
        first = next_answer = self.connection.execute(SQL["next_answer"]).fetchone()[0]
        state, due = "due", answer.created_at
        if delivery.lost:
            state = "lost"
        elif delivery.late_until_advance:
            state = "at_advance"
        elif delivery.late_seconds is not None:
            due += timedelta(seconds=delivery.late_seconds)
        for _ in range(2 if delivery.doubled else 1):
            self._add_answer(next_answer, first, answer, state, stamp(due))
            next_answer += 1
        self.connection.executemany(SQL["tell"], [(first, payment, code) for payment, code in told])
        return int(first)

    def _add_answer(self, number: int, content_of: int, answer: Answer, state: str, due: str) -> None:
        kind = answer.kind.replace(".", "")
        self.connection.execute(
            SQL["add_answer"],
            (
                number,
                answer.kind,
                f"{kind}-{answer.day:%Y%m%d}-{number:08d}.xml",
                f"SB{kind.upper()}-{answer.day:%Y%m%d}-{number:08d}",
                content_of,
                answer.file,
                answer.group_status,
                answer.reason_code,
                answer.account,
                answer.currency,
                answer.booking,
                answer.day.isoformat(),
                answer.from_transfer,
                answer.to_transfer,
                answer.number,
                answer.opening_minor,
                answer.closing_minor,
                stamp(answer.created_at),
                state,
                due,
            ),
        )

    def open_account(self, account: str, currency: str, name: str, balance_minor: int) -> bool:
        """Open an account with a deposit; False where it is open just so already. Raises AccountDiffers."""
        found = self.connection.execute(SQL["account"], (account,)).fetchone()
        if found is not None:
            if (found[0], found[1], found[2]) != (currency, name, balance_minor):
                raise AccountDiffers(f"{account} is open already, and not with these terms")
            return False
        self.connection.execute(SQL["open_account"], (account, currency, name, balance_minor, balance_minor))
        if balance_minor:
            deposit = Movement(
                self.next_entry, 0, "opening", OPENING_BALANCES, account, balance_minor, currency
            )
            self.book([deposit])
        # Statements begin after the deposit: it is the first opening balance, not a line.
        self.connection.execute(SQL["cover_transfers"], (self.next_transfer - 1, account, currency))
        return True

    def set_faults(self, settings: Mapping[str, FaultSetting], seed: int | None = None) -> None:
        """Put these faults in force instead of the ones before; their counts begin anew."""
        self.connection.execute(SQL["clear_fault_settings"])
        self.connection.executemany(
            SQL["set_fault"], [(kind, json.dumps(asdict(setting))) for kind, setting in settings.items()]
        )
        if seed is not None:
            self.connection.execute(SQL["keep_seed"], (seed,))
            self.seed = seed
        self.draw = Draw(self.seed, dict(settings))
        self._counted = {}
