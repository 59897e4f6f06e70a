"""Refusals, and the ISO 20022 reason codes that they and our banks use.

ISO 20022 External Code Sets, ExternalStatusReason1Code (name: what the standard says):

| code | name | meaning |
|---|---|---|
| AC01 | IncorrectAccountNumber | the account number is invalid or missing |
| AC02 | InvalidDebtorAccountNumber | the debtor's account number is invalid or missing |
| AC03 | InvalidCreditorAccountNumber | the creditor's account number is invalid or missing |
| AC04 | ClosedAccountNumber | the account is closed on the books of its bank |
| AC05 | ClosedDebtorAccountNumber | the debtor's account is closed |
| AC06 | BlockedAccount | the account is blocked: nothing may be posted against it |
| AC10 | InvalidDebtorAccountCurrency | the debtor's account currency is invalid or missing |
| AC11 | InvalidCreditorAccountCurrency | the creditor's account is in another currency |
| AG01 | TransactionForbidden | the transaction is forbidden on this type of account |
| AG03 | TransactionNotSupported | the transaction type is not supported or authorized on this account |
| AM01 | ZeroAmount | the amount is zero |
| AM02 | NotAllowedAmount | the amount is greater than the allowed maximum |
| AM03 | NotAllowedCurrency | the currency cannot be processed, outside of an existing agreement |
| AM04 | InsufficientFunds | the funds available do not cover the amount |
| AM05 | Duplication | duplication |
| AM09 | WrongAmount | the amount received is not the one agreed or expected |
| AM10 | InvalidControlSum | the instructed amounts do not add up to the control sum |
| AM11 | InvalidTransactionCurrency | the transaction's currency is invalid or missing |
| AM12 | InvalidAmount | the amount is invalid or missing |
| AM18 | InvalidNumberOfTransactions | the number of transactions is invalid or missing |
| BE04 | MissingCreditorAddress | the creditor's address, which is required, is missing or not correct |
| BE11 | InvalidCreditorCountry | the creditor's country code is missing or invalid |
| BE19 | InvalidChargeBearerCode | the charge bearer code for the transaction type is invalid |
| BE20 | InvalidNameLength | a name is longer than local rules for the payment type allow |
| BE22 | MissingCreditorName | the creditor's name is missing |
| CH16 | ElementContentFormallyIncorrect | the content is incorrect |
| CH21 | RequiredCompulsoryElementMissing | a mandatory element is missing |
| DT01 | InvalidDate | the date is invalid (wrong or missing settlement date) |
| DU01 | DuplicateMessageID | the message identification is not unique |
| DU02 | DuplicatePaymentInformationID | the payment information block is not unique |
| DU03 | DuplicateTransaction | transactions are not unique |
| DU04 | DuplicateEndToEndID | the end-to-end id is not unique |
| DU05 | DuplicateInstructionID | the instruction id is not unique |
| ED05 | SettlementFailed | settlement of the transaction has failed |
| FF01 | InvalidFileFormat | the file format is incomplete or invalid |
| FF08 | InvalidEndToEndId | the end-to-end id is missing or invalid |
| MS03 | NotSpecifiedReasonAgentGenerated | the agent gave no reason |
| NARR | Narrative | the reason is given as text |
| RC07 | InvalidCreditorBICIdentifier | the creditor's BIC is invalid or missing |
| RR07 | RemittanceInformationInvalid | remittance information breaks the payment type's rules |
| RR09 | InvalidStructuredCreditorReference | the structured creditor reference is invalid or missing |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

INCORRECT_ACCOUNT_NUMBER: Final = "AC01"
INVALID_DEBTOR_ACCOUNT: Final = "AC02"
INVALID_CREDITOR_ACCOUNT: Final = "AC03"
CLOSED_ACCOUNT: Final = "AC04"
CLOSED_DEBTOR_ACCOUNT: Final = "AC05"
BLOCKED_ACCOUNT: Final = "AC06"
INVALID_DEBTOR_ACCOUNT_CURRENCY: Final = "AC10"
INVALID_CREDITOR_ACCOUNT_CURRENCY: Final = "AC11"
TRANSACTION_FORBIDDEN: Final = "AG01"
TRANSACTION_NOT_SUPPORTED: Final = "AG03"
ZERO_AMOUNT: Final = "AM01"
NOT_ALLOWED_AMOUNT: Final = "AM02"
NOT_ALLOWED_CURRENCY: Final = "AM03"
INSUFFICIENT_FUNDS: Final = "AM04"
DUPLICATION: Final = "AM05"
WRONG_AMOUNT: Final = "AM09"
INVALID_CONTROL_SUM: Final = "AM10"
INVALID_TRANSACTION_CURRENCY: Final = "AM11"
INVALID_AMOUNT: Final = "AM12"
INVALID_NUMBER_OF_TRANSACTIONS: Final = "AM18"
MISSING_CREDITOR_ADDRESS: Final = "BE04"
INVALID_CREDITOR_COUNTRY: Final = "BE11"
INVALID_CHARGE_BEARER: Final = "BE19"
INVALID_NAME_LENGTH: Final = "BE20"
MISSING_CREDITOR_NAME: Final = "BE22"
CONTENT_INCORRECT: Final = "CH16"
MANDATORY_ELEMENT_MISSING: Final = "CH21"
INVALID_DATE: Final = "DT01"
DUPLICATE_MESSAGE_ID: Final = "DU01"
DUPLICATE_PAYMENT_INFORMATION_ID: Final = "DU02"
DUPLICATE_TRANSACTION: Final = "DU03"
DUPLICATE_END_TO_END_ID: Final = "DU04"
DUPLICATE_INSTRUCTION_ID: Final = "DU05"
SETTLEMENT_FAILED: Final = "ED05"
INVALID_FILE_FORMAT: Final = "FF01"
INVALID_END_TO_END_ID: Final = "FF08"
NO_REASON_GIVEN: Final = "MS03"
NARRATIVE: Final = "NARR"
INVALID_CREDITOR_BIC: Final = "RC07"
INVALID_REMITTANCE: Final = "RR07"
INVALID_CREDITOR_REFERENCE: Final = "RR09"

PRECEDENCE: Final = (
    INVALID_FILE_FORMAT,
    MANDATORY_ELEMENT_MISSING,
    CONTENT_INCORRECT,
    DUPLICATION,
    INVALID_TRANSACTION_CURRENCY,
    INVALID_AMOUNT,
    ZERO_AMOUNT,
    INVALID_DEBTOR_ACCOUNT,
    CLOSED_DEBTOR_ACCOUNT,
    BLOCKED_ACCOUNT,
    TRANSACTION_NOT_SUPPORTED,
    TRANSACTION_FORBIDDEN,
    NOT_ALLOWED_CURRENCY,
    INVALID_DEBTOR_ACCOUNT_CURRENCY,
    NOT_ALLOWED_AMOUNT,
    INVALID_CREDITOR_ACCOUNT,
    INVALID_CREDITOR_BIC,
    MISSING_CREDITOR_NAME,
    INVALID_NAME_LENGTH,
    INVALID_CREDITOR_COUNTRY,
    MISSING_CREDITOR_ADDRESS,
    INVALID_CHARGE_BEARER,
    INVALID_END_TO_END_ID,
    INVALID_REMITTANCE,
    INVALID_CREDITOR_REFERENCE,
    INVALID_DATE,
    INSUFFICIENT_FUNDS,
)
"""The order in which a client hears of what is wrong: form, then who pays, then where to, then the money."""

_RANK: Final = {code: rank for rank, code in enumerate(PRECEDENCE)}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A business refusal: a value, never an exception. `code` is an ISO 20022 reason code."""

    code: str
    text: str


def first(refusals: Iterable[Refusal]) -> Refusal | None:
    """The refusal that a client hears of: the earliest in PRECEDENCE, of several of one code the first given.

    None where there is none. Raises KeyError for a code outside the table.
    """
    return min(refusals, key=lambda refusal: _RANK[refusal.code], default=None)
