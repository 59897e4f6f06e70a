"""Writes what camt.053 and camt.054 share, an account's entries: the same bytes for the same records."""

from collections.abc import Sequence
from functools import lru_cache
from textwrap import wrap

from goodfunds.files.markup import (
    Unwritable,
    account,
    agent,
    amount,
    day,
    document,
    element,
    moment,
    nest,
)
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryBatch, EntryTransaction, Statement


def write_report(report: AccountReport, namespace: str, message: str, part: str) -> bytes:
    """A message of statements or notifications. Raises Unwritable, UnknownCurrency.

    ISO 20022 Message Definition Report, Bank-to-Customer Cash Management 2019 (camt.053/054.001.08).
    """
    created_at = moment(report.created_at)
    header = (
        element("MsgId", report.message_id, 35)
        + element("CreDtTm", created_at)
        + nest("MsgRcpt", element("Nm", report.recipient, 140))
    )
    parts = "".join(
        f"<{part}>{_head(statement, created_at)}{''.join([_entry(each) for each in entries])}</{part}>"
        for statement, entries in report.statements
    )
    return document(namespace, f"<{message}><GrpHdr>{header}</GrpHdr>{parts}</{message}>")


def _head(statement: Statement, created_at: str) -> str:
    if not statement.statement_id or not statement.account:
        raise Unwritable("a statement has an identification and an account")
    servicer = agent("Svcr", statement.account_servicer)
    owner = nest("Ownr", element("Nm", statement.account_owner, 140))
    identification = account("Acct", statement.account, statement.currency)
    return (
        element("Id", statement.statement_id, 35)
        + element("ElctrncSeqNb", statement.sequence, 18)
        + element("LglSeqNb", statement.legal_sequence, 18)
        + element("CreDtTm", statement.created_at or created_at)
        + _span(statement)
        + identification.replace("</Acct>", f"{owner}{servicer}</Acct>")
        + "".join(map(_balance, statement.balances))
    )


def _span(statement: Statement) -> str:
    start, end = statement.from_date, statement.to_date
    if start is None or end is None:
        return ""
    return (
        f"<FrToDt><FrDtTm>{start.isoformat()}T00:00:00</FrDtTm>"
        f"<ToDtTm>{end.isoformat()}T23:59:59</ToDtTm></FrToDt>"
    )


def _balance(balance: Balance) -> str:
    kind = element("Cd" if len(balance.kind) <= 4 else "Prtry", balance.kind, 35)
    if balance.on is None:
        raise Unwritable("a balance has a date")
    return (
        "<Bal>"
        + nest("Tp/CdOrPrtry", kind)
        + amount("Amt", abs(balance.amount_minor), balance.currency)
        + element("CdtDbtInd", "DBIT" if balance.amount_minor < 0 else "CRDT")
        + day("Dt", balance.on)
        + "</Bal>"
    )


def _entry(entry: Entry) -> str:
    if len(entry.batches) > 1:
        raise Unwritable("an entry is written with one batch at most")
    batch = _batch(entry.batches[0], entry.credit_debit) if entry.batches else ""
    return (
        "<Ntry>"
        + element("NtryRef", entry.entry_reference, 35)
        + amount("Amt", entry.amount_minor, entry.currency)
        + element("CdtDbtInd", entry.credit_debit)
        + ("<RvslInd>true</RvslInd>" if entry.reversal else "")
        + nest("Sts", element("Cd" if len(entry.status) <= 4 else "Prtry", entry.status, 35))
        + day("BookgDt", entry.booking_date)
        + day("ValDt", entry.value_date)
        + element("AcctSvcrRef", entry.bank_reference, 35)
        + f"<BkTxCd>{_bank_transaction_code(entry.bank_transaction_code)}</BkTxCd>"
        + _charges(entry.charges_minor, entry.currency)
        + nest("NtryDtls", batch + "".join([_transaction(each) for each in entry.transactions]))
        + element("AddtlNtryInf", entry.information, 500)
        + "</Ntry>"
    )


@lru_cache(maxsize=64)
def _bank_transaction_code(code: str) -> str:
    parts = code.split("/")
    if [0 < len(part) <= 4 for part in parts] != [True, True, True]:
        return nest("Prtry", element("Cd", code, 35))
    domain, family, subfamily = parts
    inner = nest("Fmly", element("Cd", family, 4) + element("SubFmlyCd", subfamily, 4))
    return nest("Domn", element("Cd", domain, 4) + inner)


def _batch(batch: EntryBatch, credit_debit: str) -> str:
    count, total = batch.number_of_transactions, ""
    if batch.amount_minor is not None:
        total = amount("TtlAmt", batch.amount_minor, batch.currency) + element("CdtDbtInd", credit_debit)
    return nest(
        "Btch",
        element("MsgId", batch.message_id, 35)
        + element("PmtInfId", batch.payment_information_id, 35)
        + element("NbOfTxs", "" if count is None else str(count), 15)
        + total,
    )


def _transaction(found: EntryTransaction) -> str:
    references = (
        element("MsgId", found.message_id, 35)
        + element("AcctSvcrRef", found.bank_reference, 35)
        + element("PmtInfId", found.payment_information_id, 35)
        + element("InstrId", found.instruction_id, 35)
        + element("EndToEndId", found.end_to_end_id, 35)
        + element("UETR", found.uetr, 36)
        + element("TxId", found.transaction_id, 35)
    )
    money = ""
    if found.amount_minor is not None:
        money = amount("Amt", found.amount_minor, found.currency)
    parties = (
        nest("Dbtr/Pty", element("Nm", found.debtor_name, 140))
        + account("DbtrAcct", found.debtor_account)
        + nest("Cdtr/Pty", element("Nm", found.creditor_name, 140))
        + account("CdtrAcct", found.creditor_account)
    )
    return (
        "<TxDtls>"
        + nest("Refs", references)
        + money
        + element("CdtDbtInd", found.credit_debit)
        + _charges(found.charges_minor, found.currency)
        + nest("RltdPties", parties)
        + nest("RmtInf", _remittance(found))
        + _return(found)
        + element("AddtlTxInf", found.information, 500)
        + "</TxDtls>"
    )


def _charges(minor: int, currency: str) -> str:
    record = amount("Amt", minor, currency) + element("CdtDbtInd", "DBIT") if minor else ""
    return nest("Chrgs/Rcrd", record)


def _remittance(found: EntryTransaction) -> str:
    unstructured = "".join(element("Ustrd", line, 140) for line in _lines(found.remittance_unstructured, 140))
    return unstructured + nest("Strd/CdtrRefInf", element("Ref", found.remittance_reference, 35))


def _return(found: EntryTransaction) -> str:
    if not found.is_return:
        return ""
    code = found.return_code
    reason = nest("Rsn", element("Cd", code) if len(code) <= 4 else element("Prtry", code, 35))
    lines = "".join(element("AddtlInf", line, 105) for line in _lines(found.return_reason, 105))
    return f"<RtrInf>{reason}{lines}</RtrInf>"


def _lines(text: str, limit: int) -> Sequence[str]:
    return (text,) if 0 < len(text) <= limit else wrap(text, limit)
