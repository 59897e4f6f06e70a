"""From the leaves of a camt.053 or camt.054 to its records: which element is which field, in all versions.

Lenient where only form is broken, strict where money is: an amount, its currency or its direction that
cannot be read raises Unsound.
"""

from collections.abc import Sequence
from datetime import date

from goodfunds.files.amounts import money_at
from goodfunds.files.camt_charges import charges, read_money
from goodfunds.files.fields import check_moment, read_count, read_date, read_flag
from goodfunds.files.leaves import Leaves, Unsound, Wanted
from goodfunds.files.reports import Balance, Entry, EntryBatch, EntryTransaction, Statement
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_DATE, MANDATORY_ELEMENT_MISSING


def _account(name: str) -> tuple[str, str]:
    """Where the identification of an account is, by the versions."""
    return f"{name}/Id/IBAN", f"{name}/Id/Othr/Id"


def _party(name: str) -> tuple[str, str, str]:
    """Where the name of a party is, by the versions."""
    return f"RltdPties/{name}/Pty/Nm", f"RltdPties/{name}/Agt/FinInstnId/Nm", f"RltdPties/{name}/Nm"


_STATUS = ("Sts/Cd", "Sts/Prtry", "Sts")
_BOOKED = ("BookgDt/Dt", "BookgDt/DtTm", "BookgDt")
_VALUED = ("ValDt/Dt", "ValDt/DtTm", "ValDt")
_ENTRY = Wanted(
    "CdtDbtInd", _STATUS, _BOOKED, _VALUED, "NtryRef", "AcctSvcrRef", "BkTxCd/Domn/Cd",
    "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd", "BkTxCd/Prtry/Cd", "AddtlNtryInf",
)  # fmt: skip
_DETAIL = Wanted(
    "CdtDbtInd", "Refs/EndToEndId", "Refs/InstrId", "Refs/PmtInfId", "Refs/MsgId", "Refs/AcctSvcrRef",
    "Refs/TxId", "Refs/UETR", ("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
    _party("Dbtr"), _account("RltdPties/DbtrAcct"), _party("Cdtr"), _account("RltdPties/CdtrAcct"),
    "RmtInf/Strd/CdtrRefInf/Ref", "AddtlTxInf",
)  # fmt: skip


def statement(found: Leaves, number: int, header: Leaves, balances: tuple[Balance, ...]) -> Statement:
    """Stmt or Ntfctn; its time of creation is that of the message where it has none."""
    account = found.stripped(*_account("Acct"))
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
    direction = _direction(found, found.stripped("CdtDbtInd"))
    return Balance(
        kind=found.stripped("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry"),
        amount_minor=-minor if direction == "DBIT" else minor,
        currency=currency,
        on=_date(found, "Dt/Dt", "Dt/DtTm", "Dt"),
        has_sign=bool(direction),
    )


def status(found: Leaves) -> str:
    """Ntry/Sts, empty where the bank gave none."""
    return found.stripped(*_STATUS)


def entry(
    found: Leaves,
    number: int,
    default_status: str,
    batches: list[EntryBatch],
    transactions: Sequence[EntryTransaction],
) -> Entry:
    """Ntry with what its NtryDtls held. Without a status or `default_status` it is refused."""
    minor, currency = money_at(found, "Amt")
    (direction, stands, booked, valued, entry_reference, bank_reference, domain, family, subfamily,
     proprietary, information) = found.all_stripped(_ENTRY)  # fmt: skip
    stands = stands or default_status
    if not _direction(found, direction):
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
        booking_date=_day(found, booked, _BOOKED),
        value_date=_day(found, valued, _VALUED),
        entry_reference=entry_reference,
        bank_reference=bank_reference,
        bank_transaction_code=f"{domain}/{family}/{subfamily}" if domain else proprietary,
        batches=tuple(batches),
        transactions=transactions,
        information=information,
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
    (direction, end_to_end_id, instruction_id, payment_information_id, message_id, bank_reference,
     transaction_id, uetr, return_code, debtor_name, debtor_account, creditor_name, creditor_account,
     remittance_reference, information) = found.all_stripped(_DETAIL)  # fmt: skip
    return EntryTransaction(
        end_to_end_id=end_to_end_id,
        instruction_id=instruction_id,
        payment_information_id=payment_information_id or batch.payment_information_id,
        message_id=message_id or batch.message_id,
        bank_reference=bank_reference,
        transaction_id=transaction_id,
        uetr=uetr,
        amount_minor=minor,
        currency=currency,
        credit_debit=_direction(found, direction),
        is_return=found.has("RtrInf"),
        return_code=return_code,
        return_reason=_joined(found, "RtrInf/AddtlInf"),
        debtor_name=debtor_name,
        debtor_account=debtor_account,
        creditor_name=creditor_name,
        creditor_account=creditor_account,
        remittance_unstructured=_joined(found, "RmtInf/Ustrd"),
        remittance_reference=remittance_reference,
        information=information,
        charges_minor=charges(found, currency),
        original_minor=read_money(found.text(original), found.attribute(original, "Ccy"), currency),
        line=found.line,
    )


def _direction(found: Leaves, text: str) -> str:
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
    return _day(found, found.stripped(*paths), paths)


def _day(found: Leaves, text: str, paths: tuple[str, ...]) -> date | None:
    try:
        return read_date(text) if text else None
    except ValueError as fault:
        raise Unsound(INVALID_DATE, found.line_at(*paths), paths[0], str(fault)) from None


def _moment(found: Leaves, path: str) -> str:
    try:
        return check_moment(found.stripped(path))
    except ValueError as fault:
        raise Unsound(INVALID_DATE, found.line_at(path), path, str(fault)) from None


def _joined(found: Leaves, path: str) -> str:
    texts = found.texts(path)
    return " ".join([text.strip() for text in texts]) if len(texts) > 1 else "".join(texts).strip()
