"""The shapes of messages between banks: transfers, their statuses, returns and recalls.

The same conventions as `records`: amounts are positive minor units, an empty string is an absent field,
`line` is 1-based and takes no part in comparison. Names spell out those of ISO 20022 (pacs, camt.056,
camt.029); original ids are those of the payment that a message is about.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from goodfunds.files.records import FileError


@dataclass(frozen=True, slots=True)
class InterbankHeader:
    """GrpHdr. `total_minor`: TtlIntrBkSttlmAmt or TtlRtrdIntrBkSttlmAmt; `settlement_method` INDA, CLRG, …"""

    message_name: str
    message_id: str
    created_at: str
    number_of_transactions: int | None = None
    control_sum: Decimal | None = None
    total_minor: int | None = None
    total_currency: str = ""
    settlement_date: date | None = None
    settlement_method: str = ""
    instructing_agent: str = ""
    instructed_agent: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class InterbankTransfer:
    """pacs.008 or pacs.009 CdtTrfTxInf; in a pacs.009 debtor and creditor are banks, named by their BIC.

    `amount_minor` is what is settled between the banks. Agents are BICs, else members of a clearing system.
    """

    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    uetr: str
    amount_minor: int
    currency: str
    settlement_date: date | None
    charge_bearer: str
    debtor_name: str
    debtor_account: str
    debtor_agent: str
    creditor_name: str
    creditor_account: str
    creditor_agent: str
    remittance_unstructured: tuple[str, ...] = ()
    remittance_reference: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Original:
    """How a message names the payment, or the batch of payments, that it is about."""

    instruction_id: str = ""
    end_to_end_id: str = ""
    transaction_id: str = ""
    uetr: str = ""
    message_id: str = ""
    message_name: str = ""
    amount_minor: int | None = None
    currency: str = ""
    payment_information_id: str = ""


@dataclass(frozen=True, slots=True)
class InterbankStatus:
    """pacs.002 OrgnlGrpInfAndSts or TxInfAndSts (`whole_message` False): `status` ACSC, RJCT, …"""

    original: Original
    status: str
    whole_message: bool
    reason_code: str = ""
    reason: str = ""
    clearing_reference: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PaymentReturn:
    """pacs.004 TxInf: money that comes back, `amount_minor` of it.

    `whole_message`: of all of the original message's payments in one (GrpRtr), which are not named.
    """

    return_id: str
    original: Original
    amount_minor: int
    currency: str
    settlement_date: date | None = None
    reason_code: str = ""
    reason: str = ""
    whole_message: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """camt.056 or camt.029 Assgnmt, the message's header: who asks or answers whom, by BIC."""

    message_name: str
    message_id: str
    created_at: str
    assigner: str = ""
    assignee: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class CancellationRequest:
    """camt.056 TxInf: a payment is asked back; `whole_message`: all of the original message's are."""

    cancellation_id: str
    original: Original
    case_id: str = ""
    reason_code: str = ""
    reason: str = ""
    whole_message: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class CancellationStatus:
    """camt.029 TxInfAndSts: `status` CNCL, RJCR, PDCR, …

    `whole_message`: Sts of all that was asked, or the status of an original message, or of its PmtInf, that
    is then named; transactions of a PmtInf come before it.
    """

    original: Original
    status: str
    whole_message: bool
    cancellation_id: str = ""
    reason_code: str = ""
    reason: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class InterbankEnd:
    """After the records of a message that was read leniently; `warnings`: where it breaks the standard."""

    entries: int
    warnings: tuple[FileError, ...] = ()
