"""What an RDFI sends back about a NACHA entry that it received: its return, or a notification of change.

Nacha Operating Rules, Appendix Four and Five: the batch and the entry are the original's, but that they go
from the RDFI to the ODFI; the addenda says of which entry.
"""

from dataclasses import replace

from goodfunds.files.nacha_addenda_records import NotificationOfChange, Return
from goodfunds.files.nacha_codes import CREDIT, TRANSACTION_CODES, check_digit
from goodfunds.files.nacha_records import BatchHeader, EntryDetail


def returned_header(original: BatchHeader, returning_dfi: str) -> BatchHeader:
    """The header over returns from that bank (its first eight digits); its batch number is open."""
    return replace(original, originating_dfi=returning_dfi[:8], batch_number=0, line=0)


def changed_header(original: BatchHeader, returning_dfi: str) -> BatchHeader:
    """The header over notifications of change from that bank; its batch number is open."""
    return replace(returned_header(original, returning_dfi), standard_entry_class="COR")


def returned_entry(
    original: EntryDetail, header: BatchHeader, reason: str, information: str = "", date_of_death: str = ""
) -> EntryDetail:
    """The return of an entry that came under `header`. `reason` such as R01; `date_of_death` YYMMDD.

    The amount is the original's; its trace number is open. Raises KeyError for an unknown transaction code.
    """
    addenda = Return(
        return_reason_code=reason,
        original_trace_number=original.trace_number,
        original_receiving_dfi=original.receiving_dfi[:8],
        trace_number="",
        date_of_death=date_of_death,
        information=information,
    )
    return replace(_back(original, header), addenda=(addenda,))


def changed_entry(original: EntryDetail, header: BatchHeader, code: str, corrected_data: str) -> EntryDetail:
    """The notification of change for an entry under `header`. `code` such as C01; amount zero.

    `corrected_data` in the form of its code (Appendix Five). Raises KeyError as above.
    """
    addenda = NotificationOfChange(
        change_code=code,
        original_trace_number=original.trace_number,
        original_receiving_dfi=original.receiving_dfi[:8],
        corrected_data=corrected_data,
        trace_number="",
    )
    return replace(_back(original, header), amount_minor=0, addenda=(addenda,))


def _back(original: EntryDetail, header: BatchHeader) -> EntryDetail:
    credit = TRANSACTION_CODES[original.transaction_code].direction == CREDIT
    sender = header.originating_dfi
    return replace(
        original,
        transaction_code=original.transaction_code[0] + ("1" if credit else "6"),
        receiving_dfi=sender + check_digit(sender),
        trace_number="",
        line=0,
    )
