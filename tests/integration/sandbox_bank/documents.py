"""What the bank's messages say, read here by path and by nothing that the bank uses."""

from dataclasses import dataclass

from lxml import etree

from goodfunds.money import parse_amount


@dataclass(frozen=True)
class Report:
    """A pain.002: group status and reason, and (reference, reason) of each transaction told RJCT."""

    message_id: str
    original_message_id: str
    status: str
    reason: str
    rejected: tuple[tuple[str, str], ...]
    informations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """An entry of a camt: signed minor units, and what its transactions echo and say."""

    amount_minor: int
    reference: str
    booked_on: str
    instruction_ids: tuple[str, ...]
    end_to_end_ids: tuple[str, ...]
    informations: tuple[str, ...]
    return_reasons: tuple[str, ...]
    counts: tuple[str, ...]
    details: int


@dataclass(frozen=True)
class Account:
    """A camt.053 statement or camt.054 notification."""

    message_id: str
    account: str
    number: str
    opening_minor: int
    closing_minor: int
    entries: tuple[Entry, ...]


def _texts(element: etree._Element, path: str) -> tuple[str, ...]:
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    found = element.xpath(f".//{steps}")
    assert isinstance(found, list)
    return tuple(each.text or "" for each in found if isinstance(each, etree._Element))


def _elements(element: etree._Element, name: str) -> list[etree._Element]:
    return list(element.iter("{*}" + name))


def _first(element: etree._Element, path: str) -> str:
    return next(iter(_texts(element, path)), "")


def report(content: bytes) -> Report:
    root = etree.fromstring(content)
    (group,) = _elements(root, "OrgnlGrpInfAndSts")
    return Report(
        _first(root, "GrpHdr/MsgId"),
        _first(group, "OrgnlMsgId"),
        _first(group, "GrpSts"),
        _first(group, "StsRsnInf/Rsn/Cd"),
        tuple(
            (
                _first(each, "OrgnlInstrId") or _first(each, "OrgnlEndToEndId"),
                _first(each, "StsRsnInf/Rsn/Cd"),
            )
            for each in _elements(root, "TxInfAndSts")
            if _first(each, "TxSts") == "RJCT"
        ),
        tuple(
            (_first(each, "OrgnlPmtInfId"), _first(each, "PmtInfSts"))
            for each in _elements(root, "OrgnlPmtInfAndSts")
        ),
    )


def _signed(element: etree._Element) -> int:
    amount = next(each for each in element if etree.QName(each).localname == "Amt")
    sign = next(each.text for each in element if etree.QName(each).localname == "CdtDbtInd")
    minor = parse_amount(amount.text or "", str(amount.get("Ccy")))
    return minor if sign == "CRDT" else -minor


def _entry(element: etree._Element) -> Entry:
    assert _first(element, "Sts/Cd") == "BOOK" or _first(element, "Sts") == "BOOK"
    return Entry(
        _signed(element),
        _first(element, "AcctSvcrRef"),
        _first(element, "BookgDt/Dt"),
        _texts(element, "Refs/InstrId"),
        _texts(element, "Refs/EndToEndId"),
        _texts(element, "Refs/PmtInfId") + _texts(element, "Btch/PmtInfId"),
        _texts(element, "RtrInf/Rsn/Cd"),
        _texts(element, "Btch/NbOfTxs"),
        len(_elements(element, "TxDtls")),
    )


def account(content: bytes) -> Account:
    root = etree.fromstring(content)
    balances = {_first(each, "Tp/CdOrPrtry/Cd"): _signed(each) for each in _elements(root, "Bal")}
    return Account(
        _first(root, "GrpHdr/MsgId"),
        _first(root, "Acct/Id/IBAN"),
        _first(root, "ElctrncSeqNb"),
        balances.get("OPBD", 0),
        balances.get("CLBD", 0),
        tuple(_entry(each) for each in _elements(root, "Ntry")),
    )
