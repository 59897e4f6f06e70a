"""What a NACHA entry must be beyond its fields: its code, amount and addenda by its Standard Entry Class.

Nacha Operating Rules, Appendix Three (Glossary: Amount, Transaction Code, Addenda Record Indicator) and the
classes' own rules (Article Two). What operators refuse is an error, what they mend or bear a warning.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from goodfunds.files.nacha_addenda_records import (
    ContestedReturn,
    DishonoredReturn,
    InternationalInformation,
    NotificationOfChange,
    PaymentRelatedInformation,
    Return,
    TerminalInformation,
)
from goodfunds.files.nacha_codes import (
    ACCOUNTING_ADVICES,
    ADVICE,
    CLASSES,
    CREDIT,
    CREDITS_ONLY,
    DEBIT,
    DEBITS_ONLY,
    IAT_MANDATORY,
    IAT_MOST,
    LIVE,
    PRENOTE,
    RETURNED,
    TRANSACTION_CODES,
    ZERO_DOLLAR,
    EntryClass,
    TransactionCode,
)
from goodfunds.files.nacha_fields import AchFindings, is_date
from goodfunds.files.nacha_records import (
    AccountingAdvice,
    BatchHead,
    Entry,
    EntryDetail,
    InternationalBatchHeader,
    InternationalEntryDetail,
)
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_DATE,
    INVALID_NUMBER_OF_TRANSACTIONS,
    MANDATORY_ELEMENT_MISSING,
    NOT_ALLOWED_AMOUNT,
    TRANSACTION_NOT_SUPPORTED,
    ZERO_AMOUNT,
)

_ZERO_DOLLAR_CLASSES: Final = frozenset({"ACK", "ATX", "CCD", "CTX", "IAT"})
_NAME: Final = "IndividualName"
_BACK: Final = (Return, DishonoredReturn, ContestedReturn, NotificationOfChange)
_OF_DEATH: Final = frozenset({"R14", "R15"})


def check_batch(header: BatchHead, findings: AchFindings) -> None:
    """What a batch header must be as a whole."""
    advices = header.service_class_code == ACCOUNTING_ADVICES
    if advices != (header.standard_entry_class == "ADV"):
        why = f"{header.service_class_code} with {header.standard_entry_class}: 280 is for ADV, and it alone"
        findings.error(CONTENT_INCORRECT, "ServiceClassCode", why)
    description = header.company_entry_description
    fixed = {"RCK": "REDEPCHECK", "ENR": "AUTOENROLL"}.get(header.standard_entry_class)
    if fixed is not None and description not in (fixed, "REVERSAL"):
        findings.error(CONTENT_INCORRECT, "CompanyEntryDescription", f"{description!r} is not {fixed}")


def check_entry(entry: Entry, header: BatchHead, stated: int | None, findings: AchFindings) -> None:
    """An entry with all its addenda. `stated`: how many it says it has, None where it does not say."""
    code = TRANSACTION_CODES.get(entry.transaction_code)
    name = header.standard_entry_class
    rules = CLASSES.get(name)
    if code is None:
        # Nobody knows whether its amount is a debit or a credit.
        why = f"{entry.transaction_code!r} is no transaction code"
        findings.error(CONTENT_INCORRECT, "TransactionCode", why)
        findings.refused = True
    if code is None or rules is None:
        return
    back = [each for each in entry.addenda if isinstance(each, _BACK)]
    _check_direction(code, header, findings)
    if name == "COR":
        _check_change(entry, code, findings)
    if isinstance(entry, InternationalEntryDetail):
        _check_international(entry, name == "COR", bool(back), stated, findings)
    elif name == "COR" or back:
        pass
    elif code.kind == RETURNED:
        why = f"{entry.transaction_code} is a return or change, and no addenda says which"
        findings.warning(MANDATORY_ELEMENT_MISSING, "Addenda", why)
    else:
        _check_forward(entry, code, header, rules, findings)
        _check_addenda(entry, rules, stated, findings)
    if not back or name == "COR":
        _check_amount(entry.amount_minor, code, header, rules, findings)
    if back:
        _check_back(entry, back, code, header, findings)


def _check_direction(code: TransactionCode, header: BatchHead, findings: AchFindings) -> None:
    if (code.kind == ADVICE) != (header.standard_entry_class == "ADV"):
        findings.error(CONTENT_INCORRECT, "TransactionCode", "codes 81 to 88 are for ADV, and it alone")
    wanted = {CREDITS_ONLY: CREDIT, DEBITS_ONLY: DEBIT}.get(header.service_class_code)
    if wanted is not None and code.direction != wanted:
        why = f"{code.direction} in a batch of service class {header.service_class_code}"
        findings.error(CONTENT_INCORRECT, "TransactionCode", why)


def _check_amount(
    minor: int, code: TransactionCode, header: BatchHead, rules: EntryClass, findings: AchFindings
) -> None:
    change_of_iat = header.standard_entry_class == "COR" and isinstance(header, InternationalBatchHeader)
    nothing = (
        code.kind in (PRENOTE, ZERO_DOLLAR) or not rules.moves_money or header.standard_entry_class == "COR"
    )
    if nothing and minor and not change_of_iat:
        findings.error(NOT_ALLOWED_AMOUNT, "Amount", f"{minor} where the amount must be zero")
    if code.kind == ZERO_DOLLAR and header.standard_entry_class not in _ZERO_DOLLAR_CLASSES:
        why = f"zero dollar entries are not of {header.standard_entry_class}"
        findings.error(CONTENT_INCORRECT, "TransactionCode", why)
    if code.kind == LIVE and not minor and not nothing:
        findings.error(ZERO_AMOUNT, "Amount", "the amount is zero in an entry that moves money")
    if rules.most_minor and minor > rules.most_minor:
        why = f"{minor} is more than the {rules.most_minor} cents of {header.standard_entry_class}"
        findings.error(NOT_ALLOWED_AMOUNT, "Amount", why)


def _check_forward(
    entry: Entry, code: TransactionCode, header: BatchHead, rules: EntryClass, findings: AchFindings
) -> None:
    """A reversal goes the other way than the class does (Article Two, Reversing Entries)."""
    reverses = header.company_entry_description == "REVERSAL"
    if len(rules.directions) == 1 and (code.direction in rules.directions) == reverses:
        way = "a reversal" if reverses else "an entry"
        why = f"{code.direction} is not what {way} of {header.standard_entry_class} can be"
        findings.error(TRANSACTION_NOT_SUPPORTED, "TransactionCode", why)
    if code.kind == LIVE and not rules.moves_money:
        why = f"{entry.transaction_code} in {header.standard_entry_class}, which moves no money"
        findings.warning(CONTENT_INCORRECT, "TransactionCode", why)
    named = isinstance(entry, EntryDetail) and entry.individual_name.strip("0 ")
    if header.standard_entry_class == "TEL" and not named:
        findings.error(MANDATORY_ELEMENT_MISSING, _NAME, "the receiver's name must be there in TEL")


def _check_addenda(entry: Entry, rules: EntryClass, stated: int | None, findings: AchFindings) -> None:
    count = len(entry.addenda)
    types = {"05": PaymentRelatedInformation, "02": TerminalInformation}
    wanted = types.get(rules.addenda)
    if any(wanted is None or not isinstance(each, wanted) for each in entry.addenda):
        findings.error(CONTENT_INCORRECT, "Addenda", "an addenda that entries of this class do not have")
    elif not rules.least_addenda <= count <= rules.most_addenda:
        why = f"{count} addenda, {rules.least_addenda} to {rules.most_addenda} can be"
        findings.error(INVALID_NUMBER_OF_TRANSACTIONS, "Addenda", why)
    if stated is not None and stated != count:
        why = f"{stated} stated, {count} there"
        findings.error(INVALID_NUMBER_OF_TRANSACTIONS, "NumberOfAddendaRecords", why)
    trace = entry.trace_number if isinstance(entry, EntryDetail) else ""
    told = [each for each in entry.addenda if isinstance(each, PaymentRelatedInformation)]
    if any(each.entry_sequence != trace[-7:] for each in told):
        findings.error(CONTENT_INCORRECT, "Addenda05/EntryDetailSequenceNumber", "addenda of another entry")
    if [each.sequence for each in told] != list(range(1, len(told) + 1)):
        findings.warning(CONTENT_INCORRECT, "Addenda05/SequenceNumber", "not numbered from 1 on")


def _check_change(entry: Entry, code: TransactionCode, findings: AchFindings) -> None:
    if code.kind != RETURNED:
        why = f"{entry.transaction_code} is not a code of changes: those end in 1 and 6"
        findings.error(CONTENT_INCORRECT, "TransactionCode", why)
    own = [type(each) for each in entry.addenda if not isinstance(each, _of_original(entry))]
    if own != [NotificationOfChange]:
        findings.error(CONTENT_INCORRECT, "Addenda", "an entry of COR has one addenda, of type 98")


def _check_back(
    entry: Entry,
    back: Sequence[Return | DishonoredReturn | ContestedReturn | NotificationOfChange],
    code: TransactionCode,
    header: BatchHead,
    findings: AchFindings,
) -> None:
    """Warnings only: what comes back says all the same of which entry."""
    if len(back) > 1:
        findings.warning(CONTENT_INCORRECT, "Addenda", "more than one return or change of an entry")
    if code.kind not in (RETURNED, ADVICE) and header.standard_entry_class != "COR":
        why = f"{entry.transaction_code} is not a code of returns: those end in 1 and 6"
        findings.warning(CONTENT_INCORRECT, "TransactionCode", why)
    if not all(isinstance(each, (*_BACK, *_of_original(entry))) for each in entry.addenda):
        findings.warning(CONTENT_INCORRECT, "Addenda", "an addenda of another kind beside a return or change")
    for each in back:
        name = "Addenda98" if isinstance(each, NotificationOfChange) else "Addenda99"
        if not isinstance(entry, AccountingAdvice) and each.trace_number != entry.trace_number:
            why = f"{each.trace_number} in the addenda, {entry.trace_number} in its entry"
            findings.warning(CONTENT_INCORRECT, f"{name}/TraceNumber", why)
        if (
            isinstance(each, Return)
            and each.return_reason_code in _OF_DEATH
            and not is_date(each.date_of_death)
        ):
            why = f"{each.date_of_death!r} is no day, YYMMDD, and {each.return_reason_code} tells of a death"
            findings.warning(INVALID_DATE, f"{name}/DateOfDeath", why)


def _of_original(entry: Entry) -> tuple[type, ...]:
    """The addenda that may be repeated from the original entry beside a return or change."""
    return (InternationalInformation,) if isinstance(entry, InternationalEntryDetail) else ()


def _check_international(
    entry: InternationalEntryDetail, change: bool, back: bool, stated: int | None, findings: AchFindings
) -> None:
    """A return repeats what its original said of the parties; a notification of change need not."""
    told = [each for each in entry.addenda if isinstance(each, InternationalInformation)]
    types = Counter(each.type_code for each in told)
    missing = [each for each in IAT_MANDATORY if types[each] != 1]
    if missing and (told or not change):
        why = f"addenda {', '.join(missing)} must be there once"
        findings.error(MANDATORY_ELEMENT_MISSING, "Addenda", why)
    for kind, most in IAT_MOST.items():
        if types[kind] > most:
            why = f"{types[kind]} addenda {kind}, at most {most} can be"
            findings.error(INVALID_NUMBER_OF_TRANSACTIONS, "Addenda", why)
    if not back and len(told) != len(entry.addenda):
        findings.error(CONTENT_INCORRECT, "Addenda", "an addenda that entries of IAT do not have")
    if any(each.entry_sequence != entry.trace_number[-7:] for each in told):
        findings.error(CONTENT_INCORRECT, "Addenda/EntryDetailSequenceNumber", "addenda of another entry")
    if stated is not None and stated != len(entry.addenda):
        # Gateways count the mandatory seven alone; the batch control counts them all.
        why = f"{stated} stated, {len(entry.addenda)} there"
        findings.warning(INVALID_NUMBER_OF_TRANSACTIONS, "NumberOfAddendaRecords", why)
