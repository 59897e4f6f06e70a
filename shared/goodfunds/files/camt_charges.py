"""What banks kept of a transaction, and what it was worth before: Chrgs and AmtDtls of camt.053 and camt.054.

Evidence beside the money that moved: what cannot be read, or is in another currency, counts as unstated.
"""

from lxml import etree

from goodfunds.files.fields import ParsedLeaves
from goodfunds.files.leaves import Leaves
from goodfunds.money import InvalidAmount, UnknownCurrency, exponent, parse_amount


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
        return parse_amount(without_idle_zeros(text.strip(), currency), currency)
    except (InvalidAmount, UnknownCurrency):
        return None


def without_idle_zeros(text: str, currency: str) -> str:
    """The amount as `parse_amount` takes it, where it says the same in another way that the schema takes.

    Zeros past the currency's places (banks pad to the five of the schema), no digit beside the point
    (XML Schema part 2, 3.2.3.1: `.5`, `5.`).
    """
    whole, point, fraction = text.partition(".")
    if point and not (whole and fraction) and (whole + fraction).isdigit():
        text, whole, point = (f"0.{fraction}", "0", ".") if fraction else (whole, whole, "")
    places = exponent(currency)
    idle = fraction[places:]
    if not idle or idle.strip("0") or len(fraction) > 5:
        return text
    return whole + (point + fraction[:places] if places else "")


def _signed(amount: etree._Element, currency: str) -> int:
    minor = read_money(amount.text or "", str(amount.get("Ccy") or ""), currency) or 0
    record = amount.getparent()
    beside = record if record is not None else ()
    gives_back = any(
        each.tag.rpartition("}")[2] == "CdtDbtInd" and (each.text or "").strip() == "CRDT" for each in beside
    )
    return -minor if gives_back else minor
