"""From the characters of a NACHA addenda record (type 7) to its fields, by its type code and reason.

Nacha Operating Rules, Appendix Three (05, 02, IAT), Four (99) and Five (98).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from goodfunds.files.nacha_addenda_records import (
    Addenda,
    ContestedReturn,
    DishonoredReturn,
    InternationalInformation,
    NotificationOfChange,
    PaymentRelatedInformation,
    Return,
    TerminalInformation,
)
from goodfunds.files.nacha_codes import (
    CHANGE_CODES,
    CONTESTED,
    DISHONORED,
    IAT_TRANSACTION_TYPES,
    REFUSED_CHANGES,
    RETURN_REASONS,
)
from goodfunds.files.nacha_fields import Fields
from goodfunds.rails.reasons import CONTENT_INCORRECT, MANDATORY_ELEMENT_MISSING

_ADDRESS: Final = (4, 38), (39, 73)

_INTERNATIONAL: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = MappingProxyType(
    {
        "10": {
            "transaction_type_code": (4, 6),
            "foreign_payment_amount": (7, 24),
            "foreign_trace_number": (25, 46),
            "receiver_name": (47, 81),
        },
        "11": {"originator_name": _ADDRESS[0], "originator_street": _ADDRESS[1]},
        "12": {"originator_city_and_state": _ADDRESS[0], "originator_country_and_postcode": _ADDRESS[1]},
        "13": {
            "originating_dfi_name": (4, 38),
            "originating_dfi_qualifier": (39, 40),
            "originating_dfi_identification": (41, 74),
            "originating_dfi_country": (75, 77),
        },
        "14": {
            "receiving_dfi_name": (4, 38),
            "receiving_dfi_qualifier": (39, 40),
            "receiving_dfi_identification": (41, 74),
            "receiving_dfi_country": (75, 77),
        },
        "15": {"receiver_identification": (4, 18), "receiver_street": (19, 53)},
        "16": {"receiver_city_and_state": _ADDRESS[0], "receiver_country_and_postcode": _ADDRESS[1]},
        "17": {"information": (4, 83)},
        "18": {
            "correspondent_bank_name": (4, 38),
            "correspondent_bank_qualifier": (39, 40),
            "correspondent_bank_identification": (41, 74),
            "correspondent_bank_country": (75, 77),
        },
    }
)
"""Addenda type code → its fields → their positions."""

_OPTIONAL: Final = frozenset({"foreign_payment_amount", "foreign_trace_number", "receiver_identification"})
_QUALIFIERS: Final = frozenset({"01", "02", "03"})
_CHANGES: Final = CHANGE_CODES - REFUSED_CHANGES


def addenda(found: Fields, international: bool, line: int) -> Addenda | None:
    """Record type 7; None with an error where its type code is unknown. `international`: in one of IAT."""
    type_code = found.record[1:3]
    if type_code == "05":
        return PaymentRelatedInformation(
            information=found.left(4, 83),
            sequence=found.number(84, 87, "Addenda05/SequenceNumber"),
            entry_sequence=found.digits(88, 94, "Addenda05/EntryDetailSequenceNumber"),
            line=line,
        )
    if type_code in _INTERNATIONAL:
        return _international(found, type_code, line)
    if type_code == "98":
        return _change(found, international, line)
    if type_code == "99":
        return _return(found, line)
    if type_code == "02":
        return _terminal(found, line)
    found.findings.error(CONTENT_INCORRECT, "AddendaTypeCode", f"{type_code!r} is no addenda type code")
    return None


def _international(found: Fields, type_code: str, line: int) -> InternationalInformation:
    values = {name: found.left(*place) for name, place in _INTERNATIONAL[type_code].items()}
    for name, value in values.items():
        if not value and name not in _OPTIONAL:
            found.findings.error(MANDATORY_ELEMENT_MISSING, f"Addenda{type_code}/{name}", f"{name} is blank")
        elif name.endswith("_qualifier") and value not in _QUALIFIERS:
            why = f"{value!r} is none of 01, 02 and 03"
            found.findings.error(CONTENT_INCORRECT, f"Addenda{type_code}/{name}", why)
    kind = values.get("transaction_type_code", "")
    if kind and kind.upper() not in IAT_TRANSACTION_TYPES:
        why = f"{kind!r} is no transaction type code"
        found.findings.error(CONTENT_INCORRECT, "Addenda10/transaction_type_code", why)
    sequence = found.number(84, 87, f"Addenda{type_code}/SequenceNumber") if type_code in ("17", "18") else 0
    return InternationalInformation(
        type_code=type_code,
        values=MappingProxyType(values),
        sequence=sequence,
        entry_sequence=found.digits(88, 94, f"Addenda{type_code}/EntryDetailSequenceNumber"),
        line=line,
    )


def _change(found: Fields, international: bool, line: int) -> NotificationOfChange:
    code = found.one_of(4, 6, CHANGE_CODES, "Addenda98/ChangeCode")
    refused = code in REFUSED_CHANGES
    # An account abroad is longer; where a change is refused, what was refused stands behind.
    corrected = found.left(36, 70 if international and not refused else 64)
    if not corrected and not refused:
        found.findings.error(
            MANDATORY_ELEMENT_MISSING, "Addenda98/CorrectedData", "what is right must be there"
        )
    return NotificationOfChange(
        change_code=code,
        original_trace_number=found.digits(7, 21, "Addenda98/OriginalEntryTraceNumber"),
        original_receiving_dfi=found.text(28, 35),
        corrected_data=corrected,
        trace_number=found.digits(80, 94, "Addenda98/TraceNumber"),
        refused_change_code=found.one_of(65, 67, _CHANGES, "Addenda98/RefusedChangeCode") if refused else "",
        refused_sequence=found.digits(68, 74, "Addenda98/TraceSequenceNumber") if refused else "",
        line=line,
    )


def _return(found: Fields, line: int) -> Return | DishonoredReturn | ContestedReturn:
    code = found.one_of(4, 6, RETURN_REASONS, "Addenda99/ReturnReasonCode")
    original = found.digits(7, 21, "Addenda99/OriginalEntryTraceNumber")
    receiving_dfi, trace = found.text(28, 35), found.digits(80, 94, "Addenda99/TraceNumber")
    if code in DISHONORED:
        return DishonoredReturn(
            return_reason_code=code,
            original_trace_number=original,
            original_receiving_dfi=receiving_dfi,
            return_trace_number=found.text(39, 53),
            return_settlement_date=found.text(54, 56),
            return_reason=found.text(57, 58),
            information=found.left(59, 79),
            trace_number=trace,
            line=line,
        )
    if code in CONTESTED:
        return ContestedReturn(
            return_reason_code=code,
            original_trace_number=original,
            original_returned_on=found.text(22, 27),
            original_receiving_dfi=receiving_dfi,
            original_settlement_date=found.text(36, 38),
            return_trace_number=found.text(39, 53),
            return_settlement_date=found.text(54, 56),
            return_reason=found.text(57, 58),
            dishonored_trace_number=found.text(59, 73),
            dishonored_settlement_date=found.text(74, 76),
            dishonored_reason=found.text(77, 78),
            trace_number=trace,
            line=line,
        )
    return Return(code, original, receiving_dfi, trace, found.text(22, 27), found.left(36, 79), line)


def _terminal(found: Fields, line: int) -> TerminalInformation:
    return TerminalInformation(
        reference_1=found.text(4, 10),
        reference_2=found.text(11, 13),
        terminal_identification=found.text(14, 19),
        serial_number=found.text(20, 25),
        transaction_date=found.text(26, 29),
        authorization_code_or_card_expiration_date=found.text(30, 35),
        location=found.text(36, 62),
        city=found.text(63, 77),
        state=found.text(78, 79),
        trace_number=found.digits(80, 94, "Addenda02/TraceNumber"),
        line=line,
    )
