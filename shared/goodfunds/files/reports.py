"""The shapes of a bank's account reports: statements, notifications, their entries (camt.052 to camt.054).

The same conventions as `records`: amounts are positive minor units unless said to be signed, an empty string
is an absent field, `line` is 1-based and takes no part in comparison.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from goodfunds.files.records import FileError
from goodfunds.frozen import made_fast


@dataclass(frozen=True, slots=True)
class Balance:
    """camt Bal. `kind` OPBD, PRCD, CLBD, …; `amount_minor` signed, credit positive.

    `has_sign` is False where the bank gave no CdtDbtInd: the amount then counts as credit, with a warning.
    """

    kind: str
    amount_minor: int
    currency: str
    on: date | None
    has_sign: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """camt.053 Stmt, camt.052 Rpt or camt.054 Ntfctn without its entries.

    Dates inclusive; None where the bank gave none.
    `sequence` is ElctrncSeqNb, `legal_sequence` LglSeqNb. A camt.054 has no balances. `currency`: of the
    account, where stated. `number` counts from 1 in the message.
    """

    number: int
    message_id: str
    statement_id: str
    created_at: str
    account: str
    currency: str = ""
    sequence: str = ""
    legal_sequence: str = ""
    from_date: date | None = None
    to_date: date | None = None
    account_owner: str = ""
    account_servicer: str = ""
    balances: tuple[Balance, ...] = ()
    line: int = field(default=0, compare=False)

    def balance(self, *kinds: str) -> Balance | None:
        """The balance of the first of these kinds that the statement has, the account's currency first."""
        for kind in kinds:
            found = [balance for balance in self.balances if balance.kind == kind]
            for balance in found:
                if balance.currency == self.currency:
                    return balance
            if found:
                return found[0]
        return None

    @property
    def opening(self) -> Balance | None:
        """Booked balance at the start: OPBD, else the previous closing PRCD, which it equals."""
        return self.balance("OPBD", "PRCD")

    @property
    def closing(self) -> Balance | None:
        """Booked balance at the end: CLBD."""
        return self.balance("CLBD")


@made_fast
@dataclass(frozen=True, slots=True)
class EntryBatch:
    """camt NtryDtls/Btch: what the bank says of a batch that it booked as one entry."""

    message_id: str = ""
    payment_information_id: str = ""
    number_of_transactions: int | None = None
    amount_minor: int | None = None
    currency: str = ""


@made_fast
@dataclass(frozen=True, slots=True)
class EntryTransaction:
    """camt TxDtls. `amount_minor` is None where the bank gave none (then it is the entry's, if it is alone).

    `is_return`: it has RtrInf, with `return_code` where that has a code. `credit_debit` may be empty.
    `charges_minor` is what Chrgs adds up to, `original_minor` what InstdAmt or TxAmt says in this currency.
    """

    end_to_end_id: str = ""
    instruction_id: str = ""
    payment_information_id: str = ""
    message_id: str = ""
    bank_reference: str = ""
    transaction_id: str = ""
    uetr: str = ""
    amount_minor: int | None = None
    currency: str = ""
    credit_debit: str = ""
    is_return: bool = False
    return_code: str = ""
    return_reason: str = ""
    debtor_name: str = ""
    debtor_account: str = ""
    creditor_name: str = ""
    creditor_account: str = ""
    remittance_unstructured: str = ""
    remittance_reference: str = ""
    information: str = ""
    charges_minor: int = 0
    original_minor: int | None = None
    line: int = field(default=0, compare=False)


@made_fast
@dataclass(frozen=True, slots=True)
class Entry:
    """camt Ntry, its number counting from 1 in its statement. `credit_debit` CRDT or DBIT is the direction

    of the money also where `reversal` (RvslInd) is set. `status` BOOK, PDNG, INFO or the bank's own.
    `transactions` are those of all its NtryDtls; none where the bank gave no details, `batches` none where
    it says nothing of a batch. `bank_transaction_code`: `domain/family/subfamily`, or the bank's own.
    """

    number: int
    amount_minor: int
    currency: str
    credit_debit: str
    status: str = "BOOK"
    reversal: bool = False
    booking_date: date | None = None
    value_date: date | None = None
    entry_reference: str = ""
    bank_reference: str = ""
    bank_transaction_code: str = ""
    batches: tuple[EntryBatch, ...] = ()
    transactions: Sequence[EntryTransaction] = ()
    information: str = ""
    charges_minor: int = 0
    line: int = field(default=0, compare=False)

    @property
    def signed_minor(self) -> int:
        """The amount as it moves the account: credit positive, debit negative."""
        return self.amount_minor if self.credit_debit == "CRDT" else -self.amount_minor


@dataclass(frozen=True, slots=True)
class StatementEnd:
    """After a statement's entries: what was in it. `statement` has all balances, also those that stood late.

    `booked_minor`: signed sum of the entries that are BOOK, None if they have several currencies or none.
    `warnings`: where the bank broke the schema without harm to money or identity.
    """

    statement: Statement
    entries: int
    booked_minor: int | None
    warnings: tuple[FileError, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountReport:
    """A camt.053 or camt.054 to be written: its statements or notifications, each with its entries.

    `created_at`: UTC, also of a statement that has none. Their message id, number and line are not written.
    An entry has one batch at most.
    """

    message_id: str
    created_at: datetime
    statements: Sequence[tuple[Statement, Sequence[Entry]]]
    recipient: str = ""
