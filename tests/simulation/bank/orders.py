"""Reading: the orders of a pain.001 as this bank understands it, by paths of its own."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

INVALID_FORMAT = "FF01"
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001."
_MESSAGE_ID = re.compile(rb"<(?:\w+:)?MsgId>\s*([^<]{1,35}?)\s*</")
_PLACES = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
"""Decimal places of currencies that do not have two (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class Order:
    """A CdtTrfTxInf with what its PmtInf adds; amounts in minor units."""

    information: str
    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    execution_date: date
    debtor_account: str
    ultimate_debtor: str
    creditor_account: str
    creditor_name: str
    remittance: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that holds together. `message_name` such as `pain.001.001.09`."""

    message_id: str
    message_name: str
    created_at: str
    orders: tuple[Order, ...]


class Unusable(ValueError):
    """A file that is refused whole, and why."""


def minor(text: str, currency: str) -> int:
    """An amount in minor units. Raises Unusable."""
    try:
        scaled = Decimal(text).scaleb(_PLACES.get(currency, 2))
    except InvalidOperation:
        raise Unusable(f"{text!r} is no amount") from None
    if scaled != scaled.to_integral_value() or scaled < 0:
        raise Unusable(f"{text} is no amount of {currency}")
    return int(scaled)


def major(amount_minor: int, currency: str) -> str:
    """The amount as a message states it."""
    places = _PLACES.get(currency, 2)
    return f"{Decimal(amount_minor).scaleb(-places):.{places}f}"


def message_id_of(content: bytes) -> str:
    """The MsgId of a file that may be unusable otherwise; empty where there is none."""
    found = _MESSAGE_ID.search(content)
    return found[1].decode("utf-8", "replace") if found else ""


def read_orders(content: bytes) -> Submission:
    """The file's orders in their order. Raises Unusable where counts, sums or elements do not hold."""
    try:
        return _Reader(content).submission()
    except ValueError as fault:
        raise Unusable(str(fault)) from None


class _Reader:
    """One reading of a file. Raises Unusable for what is none."""

    def __init__(self, content: bytes) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            self._root = etree.fromstring(content, parser)
        except etree.XMLSyntaxError as fault:
            raise Unusable(f"no XML: {fault}") from None
        self._namespace = etree.QName(self._root).namespace or ""
        if not self._namespace.startswith(_NAMESPACE):
            raise Unusable(f"{self._namespace!r} is not a payment file")

    def submission(self) -> Submission:
        """The whole file."""
        header = "n:CstmrCdtTrfInitn/n:GrpHdr"
        message_id = self._text(self._root, f"{header}/n:MsgId")
        orders = [
            self._order(information, transaction)
            for information in self._elements(self._root, "n:CstmrCdtTrfInitn/n:PmtInf")
            for transaction in self._elements(information, "n:CdtTrfTxInf")
        ]
        if not message_id or not orders:
            raise Unusable("no message identification, or no payment")
        if int(self._text(self._root, f"{header}/n:NbOfTxs") or 0) != len(orders):
            raise Unusable("NbOfTxs is not the number of payments")
        total = self._text(self._root, f"{header}/n:CtrlSum")
        amounts = (Decimal(major(each.amount_minor, each.currency)) for each in orders)
        if total and Decimal(total) != sum(amounts):
            raise Unusable("CtrlSum is not the sum of the payments")
        name = self._namespace.rpartition(":")[2]
        return Submission(message_id, name, self._text(self._root, f"{header}/n:CreDtTm"), tuple(orders))

    def _order(self, information: Any, transaction: Any) -> Order:
        (money,) = self._elements(transaction, "n:Amt/n:InstdAmt")
        currency = str(money.get("Ccy"))
        day = self._text(information, "n:ReqdExctnDt/n:Dt") or self._text(information, "n:ReqdExctnDt")
        return Order(
            information=self._text(information, "n:PmtInfId"),
            instruction_id=self._text(transaction, "n:PmtId/n:InstrId"),
            end_to_end_id=self._text(transaction, "n:PmtId/n:EndToEndId"),
            amount_minor=minor(str(money.text), currency),
            currency=currency,
            execution_date=date.fromisoformat(day),
            debtor_account=self._account(information, "n:DbtrAcct"),
            ultimate_debtor=self._text(transaction, "n:UltmtDbtr/n:Nm"),
            creditor_account=self._account(transaction, "n:CdtrAcct"),
            creditor_name=self._text(transaction, "n:Cdtr/n:Nm"),
            remittance=self._text(transaction, "n:RmtInf/n:Ustrd")
            or self._text(transaction, "n:RmtInf/n:Strd/n:CdtrRefInf/n:Ref"),
        )

    def _account(self, element: Any, path: str) -> str:
        return self._text(element, f"{path}/n:Id/n:IBAN") or self._text(element, f"{path}/n:Id/n:Othr/n:Id")

    def _elements(self, element: Any, path: str) -> list[Any]:
        found = element.xpath(path, namespaces={"n": self._namespace})
        return list(found)

    def _text(self, element: Any, path: str) -> str:
        found = self._elements(element, path)
        return (found[0].text or "").strip() if found else ""
