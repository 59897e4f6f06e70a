"""What a pain.001 asks for, read on the auditor's own account: the instructions that a file gives."""

from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from tests.auditor.evidence import Given, GivenAccount, GivenFunding

_EXPONENTS = {"EUR": 2}


def given_by_file(content: bytes, client: str) -> list[Given]:
    """The instructions of a file; the key of each is MsgId / place of its PmtInf / place in it, from 1."""
    document = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    message_id = _text(document, "GrpHdr/MsgId")
    found = []
    for batch_place, batch in enumerate(_all(document, "PmtInf"), 1):
        for place, transfer in enumerate(_all(batch, "CdtTrfTxInf"), 1):
            [amount] = _all(transfer, "Amt/InstdAmt")
            currency = amount.get("Ccy")
            minor = Decimal(amount.text) * 10 ** _EXPONENTS[currency]
            found.append(
                Given(
                    client,
                    f"{message_id}/{batch_place}/{place}",
                    _text(batch, "DbtrAcct/Id/IBAN"),
                    _text(transfer, "CdtrAcct/Id/IBAN"),
                    int(minor),
                    currency,
                    date.fromisoformat(_text(batch, "ReqdExctnDt/Dt")),
                    _text(transfer, "PmtId/EndToEndId"),
                )
            )
    return found


def _all(element: Any, path: str) -> list[Any]:
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    found: list[Any] = element.xpath(f"descendant::{steps}")
    return found


def _text(element: Any, path: str) -> str:
    return str(_all(element, path)[0].text)


def opened_for(given: list[Given], client: str) -> tuple[list[GivenAccount], list[GivenFunding]]:
    """The openings and fundings that a demo asks for: each debtor is funded for the sum of its payments."""
    sums: dict[tuple[str, str], int] = {}
    for each in given:
        place = (each.debtor_account, each.currency)
        sums[place] = sums.get(place, 0) + each.amount_minor
    message_id = given[0].idempotency_key.partition("/")[0] if given else ""
    accounts = [GivenAccount(client, f"open/{account}", account, currency) for account, currency in sums]
    fundings = [
        GivenFunding(client, f"fund/{account}/{message_id}", account, minor, currency)
        for (account, currency), minor in sums.items()
    ]
    return accounts, fundings
