"""From the leaves of a camt.053 or camt.054 to its records: which element is which field, in all versions.

Lenient where only form is broken, strict where money is: an amount, its currency or its direction that
cannot be read raises Unsound.
"""

from datetime import date

from goodfunds.files.amounts import money_at
from goodfunds.files.camt_charges import charges, read_money
from goodfunds.files.fields import check_moment, read_count, read_date, read_flag
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.files.reports import Balance, Entry, EntryBatch, EntryTransaction, Statement
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_DATE,
    MANDATORY_ELEMENT_MISSING,
)


def statement(found: Leaves, number: int, header: Leaves, balances: tuple[Balance, ...]) -> Statement:
    """Stmt or Ntfctn; its time of creation is that of the message where it has none."""
    account = found.stripped(*_ACCOUNT)
    if not account:
        raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, "Acct", "the account must be there")
    source = found if found.has("CreDtTm") else header
    return Statement(
        number=number,
        message_id=header.stripped("MsgId"),
        statement_id=found.stripped("Id"),
        created_at=_moment(source, "CreDtTm"),
        account=account,
        currency=found.stripped("Acct/Ccy"),
        sequence=found.stripped("ElctrncSeqNb"),
        legal_sequence=found.stripped("LglSeqNb"),
        from_date=_date(found, "FrToDt/FrDtTm", "FrToDt/FrDt"),
        to_date=_date(found, "FrToDt/ToDtTm", "FrToDt/ToDt"),
        account_owner=found.stripped("Acct/Ownr/Nm"),
        account_servicer=found.stripped("Acct/Svcr/FinInstnId/BICFI", "Acct/Svcr/FinInstnId/BIC"),
        balances=balances,
        line=found.line,
    )


def balance(found: Leaves) -> Balance:
    """Bal; without CdtDbtInd it counts as credit."""
    minor, currency = money_at(found, "Amt")
    direction = _direction(found)
    return Balance(
        kind=found.stripped("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry"),
        amount_minor=-minor if direction == "DBIT" else minor,
        currency=currency,
        on=_date(found, "Dt/Dt", "Dt/DtTm", "Dt"),
        has_sign=bool(direction),
    )


def status(found: Leaves) -> str:
    """Ntry/Sts, empty where the bank gave none."""
    return found.stripped("Sts/Cd", "Sts/Prtry", "Sts")


def entry(
    found: Leaves,
    number: int,
    default_status: str,
    batches: list[EntryBatch],
    transactions: list[EntryTransaction],
) -> Entry:
    """Ntry with what its NtryDtls held. Without a status or `default_status` it is refused."""
    minor, currency = money_at(found, "Amt")
    direction, stands = _direction(found), status(found) or default_status
    if not direction:
        raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, "CdtDbtInd", "CdtDbtInd must be there")
    if not stands:
        raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, "Sts", "the status must be there")
    return Entry(
        number=number,
        amount_minor=minor,
        currency=currency,
        credit_debit=direction,
        status=stands,
        reversal=_flag(found, "RvslInd"),
        booking_date=_date(found, "BookgDt/Dt", "BookgDt/DtTm", "BookgDt"),
        value_date=_date(found, "ValDt/Dt", "ValDt/DtTm", "ValDt"),
        entry_reference=found.stripped("NtryRef"),
        bank_reference=found.stripped("AcctSvcrRef"),
        bank_transaction_code=_bank_transaction_code(found),
        batches=tuple(batches),
        transactions=tuple(transactions),
        information=found.stripped("AddtlNtryInf"),
        charges_minor=charges(found, currency),
        line=found.line,
    )


def entry_batch(found: Leaves) -> EntryBatch:
    """NtryDtls/Btch."""
    minor, currency = money_at(found, "TtlAmt") if found.has("TtlAmt") else (None, "")
    count = found.stripped("NbOfTxs")
    try:
        number = read_count(count) if count else None
    except ValueError as fault:
        raise Unsound(CONTENT_INCORRECT, found.line_at("NbOfTxs"), "NbOfTxs", str(fault)) from None
    return EntryBatch(
        message_id=found.stripped("MsgId"),
        payment_information_id=found.stripped("PmtInfId"),
        number_of_transactions=number,
        amount_minor=minor,
        currency=currency,
    )


def entry_transaction(found: Leaves, batch: EntryBatch) -> EntryTransaction:
    """TxDtls; message and PmtInf are those of its batch where it names none."""
    minor: int | None = None
    currency = ""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if found.has(path):
            minor, currency = money_at(found, path)
            break
    original = found.first("AmtDtls/InstdAmt/Amt", "AmtDtls/TxAmt/Amt")
    return EntryTransaction(
        end_to_end_id=found.stripped("Refs/EndToEndId"),
        instruction_id=found.stripped("Refs/InstrId"),
        payment_information_id=found.stripped("Refs/PmtInfId") or batch.payment_information_id,
        message_id=found.stripped("Refs/MsgId") or batch.message_id,
        bank_reference=found.stripped("Refs/AcctSvcrRef"),
        transaction_id=found.stripped("Refs/TxId"),
        uetr=found.stripped("Refs/UETR"),
        amount_minor=minor,
        currency=currency,
        credit_debit=_direction(found),
        is_return=found.has("RtrInf"),
        return_code=found.stripped("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        return_reason=_joined(found, "RtrInf/AddtlInf"),
        debtor_name=found.stripped(*_DEBTOR),
        debtor_account=found.stripped(*_DEBTOR_ACCOUNT),
        creditor_name=found.stripped(*_CREDITOR),
        creditor_account=found.stripped(*_CREDITOR_ACCOUNT),
        remittance_unstructured=_joined(found, "RmtInf/Ustrd"),
        remittance_reference=found.stripped("RmtInf/Strd/CdtrRefInf/Ref"),
        information=found.stripped("AddtlTxInf"),
        charges_minor=charges(found, currency),
        original_minor=read_money(found.text(original), found.attribute(original, "Ccy"), currency),
        line=found.line,
    )


def _direction(found: Leaves) -> str:
    text = found.stripped("CdtDbtInd")
    if text not in ("CRDT", "DBIT", ""):
        why = f"{text[:40]!r} is neither CRDT nor DBIT"
        raise Unsound(CONTENT_INCORRECT, found.line_at("CdtDbtInd"), "CdtDbtInd", why)
    return text


def _flag(found: Leaves, path: str) -> bool:
    text = found.stripped(path)
    try:
        return read_flag(text) if text else False
    except ValueError as fault:
        raise Unsound(CONTENT_INCORRECT, found.line_at(path), path, str(fault)) from None


def _date(found: Leaves, *paths: str) -> date | None:
    text = found.stripped(*paths)
    try:
        return read_date(text) if text else None
    except ValueError as fault:
        raise Unsound(INVALID_DATE, found.line_at(*paths), paths[0], str(fault)) from None


def _moment(found: Leaves, path: str) -> str:
    try:
        return check_moment(found.stripped(path))
    except ValueError as fault:
        raise Unsound(INVALID_DATE, found.line_at(path), path, str(fault)) from None


def _bank_transaction_code(found: Leaves) -> str:
    domain = found.stripped("BkTxCd/Domn/Cd")
    if not domain:
        return found.stripped("BkTxCd/Prtry/Cd")
    return f"{domain}/{found.stripped('BkTxCd/Domn/Fmly/Cd')}/{found.stripped('BkTxCd/Domn/Fmly/SubFmlyCd')}"


def _account(name: str) -> tuple[str, str]:
    """Where the identification of an account is, by the versions."""
    return f"{name}/Id/IBAN", f"{name}/Id/Othr/Id"


def _party(name: str) -> tuple[str, str, str]:
    """Where the name of a party is, by the versions."""
    return f"RltdPties/{name}/Pty/Nm", f"RltdPties/{name}/Agt/FinInstnId/Nm", f"RltdPties/{name}/Nm"


_DEBTOR, _CREDITOR = _party("Dbtr"), _party("Cdtr")
_ACCOUNT, _DEBTOR_ACCOUNT, _CREDITOR_ACCOUNT = map(
    _account, ("Acct", "RltdPties/DbtrAcct", "RltdPties/CdtrAcct")
)


def _joined(found: Leaves, path: str) -> str:
    return " ".join(text.strip() for text in found.texts(path))
