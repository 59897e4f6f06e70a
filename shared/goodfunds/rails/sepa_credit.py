"""`sepa-credit`: the SEPA Credit Transfer scheme.

EPC125-05 rulebook 2025 v1.1, in force since 5 October 2025, and the customer-to-bank guidelines EPC132-08.
Finality is *booked*: only a booked debit settles.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from goodfunds.rails import iban
from goodfunds.rails import reasons as code
from goodfunds.rails.calendar import business_day_on_or_after, is_business_day, next_business_day
from goodfunds.rails.rail import Instruction, Rail
from goodfunds.rails.reasons import Refusal, first
from goodfunds.rails.sepa_address import creditor_address
from goodfunds.rails.sepa_text import is_identifier, transliterate

SMALLEST_MINOR: Final = 1
LARGEST_MINOR: Final = 999_999_999_99
"""0.01 to 999,999,999.99 euro: rulebook, AT-T002."""
NAME: Final = 70
REMITTANCE: Final = 140

ZONE: Final = ZoneInfo("Europe/Berlin")
CUT_OFF: Final = time(15, 0)
"""When a day's batch is sealed, in ZONE: the bank needs the file before its own cut-off that day."""
UNKNOWN_AFTER: Final = timedelta(minutes=30)
"""How long after sending the bank's "not found" says that it never had the file."""
DUPLICATE_CODES: Final = frozenset(
    {
        code.DUPLICATION,
        code.DUPLICATE_MESSAGE_ID,
        code.DUPLICATE_PAYMENT_INFORMATION_ID,
        code.DUPLICATE_TRANSACTION,
        code.DUPLICATE_END_TO_END_ID,
        code.DUPLICATE_INSTRUCTION_ID,
    }
)

_BIC: Final = re.compile("[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_RF: Final = re.compile("RF[0-9]{2}[0-9A-Z]{1,21}")


def refusals(instruction: Instruction) -> Refusal | None:
    """Why the scheme does not take the instruction, or None; of several reasons the first by precedence.

    The debtor account may be any id of ours: the house is the debtor towards the bank.
    """
    found = []
    if instruction.currency != "EUR":
        found.append(Refusal(code.NOT_ALLOWED_CURRENCY, "a SEPA credit transfer is in EUR"))
    if not SMALLEST_MINOR <= instruction.amount_minor <= LARGEST_MINOR:
        found.append(Refusal(code.NOT_ALLOWED_AMOUNT, "the amount is outside 0.01 to 999999999.99"))
    if not iban.is_valid(instruction.creditor_account):
        found.append(Refusal(code.INVALID_CREDITOR_ACCOUNT, "the creditor's account is not a valid IBAN"))
    elif not iban.is_sepa(instruction.creditor_account):
        found.append(
            Refusal(code.INVALID_CREDITOR_ACCOUNT, "the country of the creditor's account is outside SEPA")
        )
    if instruction.creditor_agent and _BIC.fullmatch(instruction.creditor_agent) is None:
        found.append(Refusal(code.INVALID_CREDITOR_BIC, "the creditor's agent is not a BIC"))
    if not transliterate(instruction.creditor_name, NAME):
        found.append(Refusal(code.MISSING_CREDITOR_NAME, "the creditor has no name"))
    if len(instruction.creditor_name) > NAME or len(instruction.debtor_name) > NAME:
        found.append(Refusal(code.INVALID_NAME_LENGTH, "a name has more than 70 characters"))
    if instruction.charge_bearer not in ("", "SLEV"):
        found.append(Refusal(code.INVALID_CHARGE_BEARER, "the charge bearer is other than SLEV"))
    if instruction.end_to_end_id and not is_identifier(instruction.end_to_end_id):
        found.append(
            Refusal(code.INVALID_END_TO_END_ID, "the end-to-end id is not 1 to 35 characters that SEPA takes")
        )
    found.extend(each for each in (creditor_address(instruction), _remittance(instruction)) if each)
    return first(found) if found else None


def _remittance(instruction: Instruction) -> Refusal | None:
    unstructured, reference = instruction.remittance_unstructured, instruction.remittance_reference
    if unstructured and reference:
        return Refusal(code.INVALID_REMITTANCE, "remittance information is of both kinds")
    if len(unstructured) > REMITTANCE:
        return Refusal(code.INVALID_REMITTANCE, "remittance information has more than 140 characters")
    if reference and not is_creditor_reference(reference):
        return Refusal(code.INVALID_CREDITOR_REFERENCE, "the creditor reference is not valid")
    return None


def is_creditor_reference(reference: str) -> bool:
    """True for a structured creditor reference: one of ISO 11649 (RF and check digits), or another scheme's.

    References of other schemes have their own check digits, which only the creditor's bank knows.
    """
    if reference[:2] != "RF":
        return is_identifier(reference)
    return _RF.fullmatch(reference) is not None and iban.has_check_digits(reference)


def day_of(now: datetime) -> date:
    """The day that it is in ZONE."""
    return now.astimezone(ZONE).date()


def effective_date(requested: date, today: date) -> date:
    """The TARGET day for a requested date; one that has passed counts as `today`."""
    return business_day_on_or_after(max(requested, today))


def cut_off(day: date) -> datetime:
    """The instant, UTC, that seals the batch of `day`."""
    return datetime.combine(day, CUT_OFF, ZONE).astimezone(UTC)


def batch_date(requested: date, now: datetime) -> tuple[date, datetime]:
    """The day and cut-off of the batch that a payment joins at `now`; at the cut-off itself, the next."""
    day = effective_date(requested, day_of(now))
    sealed_at = cut_off(day)
    if now >= sealed_at:
        day = next_business_day(day)
        sealed_at = cut_off(day)
    return day, sealed_at


SEPA_CREDIT: Final = Rail(
    name="sepa-credit",
    currencies=frozenset({"EUR"}),
    finality="booked",
    is_business_day=is_business_day,
    refusals=refusals,
    day_of=day_of,
    effective_date=effective_date,
    cut_off=cut_off,
    batch_date=batch_date,
    transliterate=transliterate,
    unknown_after=UNKNOWN_AFTER,
    duplicate_codes=DUPLICATE_CODES,
)
