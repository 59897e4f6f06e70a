"""The addenda (record type 7) of a NACHA file: remittance, terminals, IAT parties, returns, changes.

Nacha Operating Rules, Appendix Three (05, 02, IAT), Four (99) and Five (98).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PaymentRelatedInformation:
    """Addenda 05. `entry_sequence`: the last seven digits of its entry's trace number."""

    information: str
    sequence: int
    entry_sequence: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TerminalInformation:
    """Addenda 02, of MTE, POS and SHR. `transaction_date` MMDD."""

    reference_1: str
    reference_2: str
    terminal_identification: str
    serial_number: str
    transaction_date: str
    authorization_code_or_card_expiration_date: str
    location: str
    city: str
    state: str
    trace_number: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class InternationalInformation:
    """Addenda 10 to 18 of IAT. `values` by the fields' names; `sequence` of 17 and 18, else 0."""

    type_code: str
    values: Mapping[str, str]
    sequence: int
    entry_sequence: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Return:
    """Addenda 99: the entry comes back. `date_of_death` YYMMDD, of R14 and R15; of IAT the `information`

    begins with the original entry's amount.
    """

    return_reason_code: str
    original_trace_number: str
    original_receiving_dfi: str
    trace_number: str
    date_of_death: str = ""
    information: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class DishonoredReturn:
    """Addenda 99 with R61, R62, R67 to R70: the ODFI sends a return back.

    `return_reason`: the return's own, two digits without R.
    """

    return_reason_code: str
    original_trace_number: str
    original_receiving_dfi: str
    return_trace_number: str
    return_settlement_date: str
    return_reason: str
    information: str
    trace_number: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ContestedReturn:
    """Addenda 99 with R71 to R77: the RDFI contests a dishonored return. Other reasons: digits, without R."""

    return_reason_code: str
    original_trace_number: str
    original_returned_on: str
    original_receiving_dfi: str
    original_settlement_date: str
    return_trace_number: str
    return_settlement_date: str
    return_reason: str
    dishonored_trace_number: str
    dishonored_settlement_date: str
    dishonored_reason: str
    trace_number: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class NotificationOfChange:
    """Addenda 98: what the next entry must have. `refused_change_code`: of C61 to C69, what was refused, and

    `refused_sequence` the last seven digits of its trace number.
    """

    change_code: str
    original_trace_number: str
    original_receiving_dfi: str
    corrected_data: str
    trace_number: str
    refused_change_code: str = ""
    refused_sequence: str = ""
    line: int = field(default=0, compare=False)


Addenda = (
    PaymentRelatedInformation
    | TerminalInformation
    | InternationalInformation
    | Return
    | DishonoredReturn
    | ContestedReturn
    | NotificationOfChange
)
