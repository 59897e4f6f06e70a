"""What banks kept of a transaction, and what it was worth before: Chrgs and AmtDtls of camt.053 and camt.054.

Evidence beside the money that moved: what cannot be read, or is in another currency, counts as unstated.
"""

from lxml import etree

from goodfunds.files.amounts import read_amount
from goodfunds.files.fields import ParsedLeaves
from goodfunds.files.leaves import Leaves
from goodfunds.money import InvalidAmount, UnknownCurrency


def charges(found: Leaves, currency: str) -> int:
    """The sum of Chrgs in minor units: records that charge us less those that give back; never below zero.

    From version 4 on the amounts stand in Rcrd, before in Chrgs itself; the total counts where none do.
    """
    if not found.has("Chrgs"):
        return 0
    assert isinstance(found, ParsedLeaves), "entries with charges are left to the parser"
    records = (*found.elements("Chrgs/Rcrd/Amt"), *found.elements("Chrgs/Amt"))
    kept = sum(_signed(each, currency) for each in records or found.elements("Chrgs/TtlChrgsAndTaxAmt"))
    return max(kept, 0)


def read_money(text: str, of: str, currency: str) -> int | None:
    """Minor units of an amount `of` a currency, where that is this one; None elsewhere."""
    if of != currency:
        return None
    try:
        return read_amount(text.strip(), currency)
    except (InvalidAmount, UnknownCurrency):
        return None


def _signed(amount: etree._Element, currency: str) -> int:
    minor = read_money(amount.text or "", str(amount.get("Ccy") or ""), currency) or 0
    record = amount.getparent()
    beside = record if record is not None else ()
    gives_back = any(
        each.tag.rpartition("}")[2] == "CdtDbtInd" and (each.text or "").strip() == "CRDT" for each in beside
    )
    return -minor if gives_back else minor
