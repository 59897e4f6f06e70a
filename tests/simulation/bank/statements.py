"""The bank's account reports: notes of what it booked (camt.054.001.08) and statements (camt.053.001.08)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.simulation.bank.books import RETURN, Account, Booking, Line, Payment, Terms
from tests.simulation.bank.markup import account, direction, document, moment, money, tag, text


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says of a run of lines. `damages`: line number → (minor units more, left out).

    `number` is its ElctrncSeqNb, which a correction shares with what it corrects. `part`: which of how many
    of the day, from 0.
    """

    number: int
    statement_id: str
    day: date
    opening_minor: int
    closing_minor: int
    lines: tuple[Line, ...]
    part: tuple[int, int] = (0, 1)
    damages: Mapping[int, tuple[int, bool]] = field(default_factory=dict)


def statement_message(
    message_id: str, at: datetime, terms: Terms, of: Account, statements: Sequence[Statement]
) -> bytes:
    """A camt.053 of one or more statements of an account.

    ISO 20022 Message Definition Report, Bank-to-Customer Cash Management 2019 (camt.053.001.08).
    """
    return document(
        "camt.053.001.08",
        tag(
            "BkToCstmrStmt",
            tag("GrpHdr", text("MsgId", message_id, 35), text("CreDtTm", moment(at))),
            *(_statement(each, at, terms, of) for each in statements),
        ),
    )


def _statement(stated: Statement, at: datetime, terms: Terms, of: Account) -> str:
    reference = "SIM" if terms.same_references else "SIMSTM"
    entries = []
    for line in stated.lines:
        more_minor, left_out = stated.damages.get(line.number, (0, False))
        if not left_out:
            entries.append(_entry(line, f"{reference}{line.number:010d}", more_minor))
    return tag(
        "Stmt",
        text("Id", stated.statement_id, 35),
        text("ElctrncSeqNb", str(stated.number)),
        text("LglSeqNb", str(stated.number)),
        text("CreDtTm", moment(at)),
        _span(stated.day, *stated.part),
        _held(of, terms.bic),
        _balance("OPBD", stated.opening_minor, of.currency, stated.day),
        _balance("CLBD", stated.closing_minor, of.currency, stated.day),
        *entries,
    )


def _span(day: date, part: int = 0, parts: int = 1) -> str:
    start, end = 24 * part // parts, 24 * (part + 1) // parts - 1
    return tag("FrToDt", text("FrDtTm", f"{day}T{start:02d}:00:00"), text("ToDtTm", f"{day}T{end:02d}:59:59"))


def _balance(kind: str, signed_minor: int, currency: str, day: date) -> str:
    return tag(
        "Bal",
        tag("Tp", tag("CdOrPrtry", text("Cd", kind))),
        money("Amt", signed_minor, currency),
        direction(signed_minor),
        tag("Dt", text("Dt", day.isoformat())),
    )


def notification(message_id: str, at: datetime, terms: Terms, of: Account, lines: Sequence[Line]) -> bytes:
    """A camt.054 of lines of an account."""
    reference = "SIM" if terms.same_references else "SIMNTF"
    return document(
        "camt.054.001.08",
        tag(
            "BkToCstmrDbtCdtNtfctn",
            tag("GrpHdr", text("MsgId", message_id, 35), text("CreDtTm", moment(at))),
            tag(
                "Ntfctn",
                text("Id", f"NTF-{lines[0].number:08d}", 35),
                text("CreDtTm", moment(at)),
                _span(lines[0].booked_on),
                _held(of, terms.bic),
                *(_entry(each, f"{reference}{each.number:010d}") for each in lines),
            ),
        ),
    )


def _held(of: Account, bic: str) -> str:
    """The account that a report is about."""
    servicer = tag("Svcr", tag("FinInstnId", text("BICFI", bic)))
    return account("Acct", of.account, text("Ccy", of.currency), servicer)


def _entry(line: Line, reference: str, more_minor: int = 0) -> str:
    """Ntry: the line, its amount with a damage, and what its booking tells of its payments."""
    day = line.booked_on.isoformat()
    sub_family = "RRTN" if line.kind == RETURN else "ESCT"
    family = tag("Fmly", text("Cd", "ICDT"), text("SubFmlyCd", sub_family))
    batch, transactions = "", tuple(_details(each, line, reference) for each in line.payments)
    if line.booking is not Booking.INDIVIDUAL:
        named = line.payments[0]
        batch = tag(
            "Btch",
            text("MsgId", named.file.message_id, 35),
            text("PmtInfId", named.order.information, 35),
            text("NbOfTxs", str(len(line.payments))),
            money("TtlAmt", line.amount_minor, line.currency),
            direction(line.signed_minor),
        )
        if line.booking is Booking.WITHOUT_DETAILS:
            transactions = ()
    return tag(
        "Ntry",
        text("NtryRef", reference, 35),
        money("Amt", line.amount_minor + more_minor, line.currency),
        direction(line.signed_minor),
        tag("Sts", text("Cd", "BOOK")),
        tag("BookgDt", text("Dt", day)),
        tag("ValDt", text("Dt", day)),
        text("AcctSvcrRef", reference, 35),
        tag("BkTxCd", tag("Domn", text("Cd", "PMNT"), family)),
        tag("NtryDtls", batch, *transactions),
    )


def _details(payment: Payment, line: Line, reference: str) -> str:
    order, returned = payment.order, line.kind == RETURN
    known = not payment.echo_only
    return tag(
        "TxDtls",
        tag(
            "Refs",
            text("MsgId", payment.file.message_id, 35) if known else "",
            text("AcctSvcrRef", reference, 35),
            text("PmtInfId", order.information, 35) if known else "",
            text("InstrId", payment.instruction_id, 35) if known else "",
            text("EndToEndId", order.end_to_end_id, 35),
        ),
        money("Amt", order.amount_minor, order.currency),
        direction(line.signed_minor),
        tag(
            "RltdPties",
            account("DbtrAcct", order.debtor_account),
            tag("Cdtr", tag("Pty", text("Nm", order.creditor_name))),
            account("CdtrAcct", order.creditor_account),
        ),
        tag("RmtInf", text("Ustrd", order.remittance)),
        tag("RtrInf", tag("Rsn", text("Cd", payment.return_code, 4))) if returned else "",
    )
