"""Large files of our own making: pain.001 and camt.053 whose transactions are all alike, or all unlike."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

from goodfunds.local.demo_file import iban
from goodfunds.money import format_amount

_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd"
_CREDITORS: Final = tuple(iban("DE", f"50010517{number:010d}") for number in range(1_000))
_HOUSE: Final = iban("DE", "500105179999999999")

Has = Callable[[], bool]
"""Whether the next of the elements that may be left out stands there."""


def write(path: Path, message: str, unlike: bool, size: int, seed: int = 1) -> int:
    """Write such a message of at least so many bytes; how many transactions it has.

    Alike: each has the same elements, as most banks' have. Unlike: each draws which of some twenty elements
    it has, so that hardly two of a file have the same.
    """
    random = Random(seed)
    transaction, whole = _MESSAGES[message]
    has: Has = (lambda: random.random() < 0.5) if unlike else (lambda: True)
    made: list[str] = []
    total = minor = 0
    while total < size:
        amount = random.randrange(1, 1_000_00)
        text = transaction(len(made) + 1, format_amount(amount, "EUR"), has, random)
        made.append(text)
        total, minor = total + len(text), minor + amount
    with path.open("w", encoding="utf-8") as file:
        file.writelines(whole(made, minor))
    return len(made)


def _payment(number: int, amount: str, has: Has, random: Random) -> str:
    return (
        f"<CdtTrfTxInf><PmtId>{_of(has, 'InstrId', f'I{number}')}<EndToEndId>E2E-{number}</EndToEndId>"
        f"{_of(has, 'UETR', _uetr(random))}</PmtId>"
        f"{_of(has, 'PmtTpInf', '<SvcLvl><Cd>SEPA</Cd></SvcLvl>')}"
        f'<Amt><InstdAmt Ccy="EUR">{amount}</InstdAmt></Amt>{_of(has, "ChrgBr", "SLEV")}'
        f"{_of(has, 'UltmtDbtr', f'<Nm>Customer {number}</Nm>')}"
        f"{_of(has, 'CdtrAgt', '<FinInstnId><BICFI>INGDDEFFXXX</BICFI></FinInstnId>')}"
        f"<Cdtr><Nm>Creditor {number}</Nm>{_of(has, 'PstlAdr', _address(number, has))}</Cdtr>"
        f"<CdtrAcct><Id><IBAN>{random.choice(_CREDITORS)}</IBAN></Id>{_of(has, 'Ccy', 'EUR')}</CdtrAcct>"
        f"{_of(has, 'UltmtCdtr', f'<Nm>Payee {number}</Nm>')}{_of(has, 'Purp', '<Cd>SUPP</Cd>')}"
        f"{_of(has, 'RmtInf', f'<Ustrd>Invoice {number}</Ustrd>')}</CdtTrfTxInf>\n"
    )


def _address(number: int, has: Has) -> str:
    return (
        f"{_of(has, 'StrtNm', 'Hauptstrasse')}{_of(has, 'BldgNb', f'{number % 200}')}"
        f"{_of(has, 'PstCd', '10115')}{_of(has, 'TwnNm', 'Berlin')}<Ctry>DE</Ctry>"
    )


def _entry(number: int, amount: str, has: Has, random: Random) -> str:
    money, name, account = f'<Amt Ccy="EUR">{amount}</Amt>', f"Debtor {number}", random.choice(_CREDITORS)
    day = "<Dt>2026-03-02</Dt>"
    return (
        f"<Ntry>{_of(has, 'NtryRef', f'{number}')}{money}<CdtDbtInd>CRDT</CdtDbtInd>"
        f"{_of(has, 'RvslInd', 'false')}<Sts><Cd>BOOK</Cd></Sts>{_of(has, 'BookgDt', day)}"
        f"{_of(has, 'ValDt', day)}{_of(has, 'AcctSvcrRef', f'B{number}')}<BkTxCd><Domn><Cd>PMNT</Cd><Fmly>"
        "<Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs>"
        f"{_of(has, 'MsgId', f'M{number}')}{_of(has, 'AcctSvcrRef', f'B{number}')}"
        f"{_of(has, 'InstrId', f'I{number}')}<EndToEndId>E2E-{number}</EndToEndId>"
        f"{_of(has, 'UETR', _uetr(random))}{_of(has, 'TxId', f'T{number}')}</Refs>"
        f"{money}<CdtDbtInd>CRDT</CdtDbtInd>{_of(has, 'AmtDtls', f'<TxAmt>{money}</TxAmt>')}<RltdPties>"
        f"{_of(has, 'Dbtr', f'<Pty><Nm>{name}</Nm></Pty>')}"
        f"{_of(has, 'DbtrAcct', f'<Id><IBAN>{account}</IBAN></Id>')}"
        f"<Cdtr><Pty><Nm>goodfunds house</Nm></Pty></Cdtr></RltdPties>"
        f"{_of(has, 'Purp', '<Cd>SUPP</Cd>')}{_of(has, 'RmtInf', f'<Ustrd>Invoice {number}</Ustrd>')}"
        f"{_of(has, 'AddtlTxInf', 'SEPA credit transfer')}</TxDtls></NtryDtls>"
        f"{_of(has, 'AddtlNtryInf', 'credit')}</Ntry>\n"
    )


def _of(has: Has, name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>" if has() else ""


def _uetr(random: Random) -> str:
    drawn = f"{random.getrandbits(128):032x}"
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-8{drawn[17:20]}-{drawn[20:]}"


def _pain001(made: list[str], minor: int) -> Iterator[str]:
    count, total = len(made), format_amount(minor, "EUR")
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}:pain.001.001.09">'
        f"<CstmrCdtTrfInitn><GrpHdr><MsgId>LARGE</MsgId><CreDtTm>2026-03-02T08:00:00</CreDtTm><NbOfTxs>"
        f"{count}</NbOfTxs><CtrlSum>{total}</CtrlSum><InitgPty><Nm>goodfunds</Nm></InitgPty></GrpHdr><PmtInf>"
        "<PmtInfId>P1</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>2026-03-02</Dt></ReqdExctnDt>"
        f"<Dbtr><Nm>goodfunds</Nm></Dbtr><DbtrAcct><Id><IBAN>{_HOUSE}</IBAN></Id></DbtrAcct>"
        "<DbtrAgt><FinInstnId><BICFI>INGDDEFFXXX</BICFI></FinInstnId></DbtrAgt>\n"
    )
    yield from made
    yield "</PmtInf></CstmrCdtTrfInitn></Document>\n"


def _camt053(made: list[str], minor: int) -> Iterator[str]:
    def balance(kind: str, total: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="EUR">{format_amount(total, "EUR")}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
            "<Dt><Dt>2026-03-02</Dt></Dt></Bal>"
        )

    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}:camt.053.001.08">'
        "<BkToCstmrStmt><GrpHdr><MsgId>LARGE</MsgId><CreDtTm>2026-03-02T19:00:00</CreDtTm></GrpHdr><Stmt>"
        f"<Id>1</Id><Acct><Id><IBAN>{_HOUSE}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{balance('OPBD', 0)}{balance('CLBD', minor)}\n"
    )
    yield from made
    yield "</Stmt></BkToCstmrStmt></Document>\n"


_MESSAGES: Final[Mapping[str, tuple[Callable[..., str], Callable[[list[str], int], Iterator[str]]]]] = (
    MappingProxyType({"pain.001": (_payment, _pain001), "camt.053": (_entry, _camt053)})
)
