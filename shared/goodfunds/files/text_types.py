"""Text of ISO 20022: its simple types as the dictionary of types writes them, made into checks.

`one A B` is one of these codes, `text 1 35` so many characters, `like …` a pattern, `decimal 18 5 0` so many
digits, of them decimal places, and the least value; else a type of XML Schema. `@Ccy …`: an attribute.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from goodfunds.files.fields import MIDNIGHT, SPACE, ZONE, check_moment, matching, read_date, read_flag
from goodfunds.files.schema_types import Check, TextType
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_AMOUNT,
    INVALID_DATE,
    INVALID_TRANSACTION_CURRENCY,
)

_NO_SPACE = str.maketrans("", "", SPACE)
_ATTRIBUTE = re.compile(r"(.*?) @(\w+) (.*)", re.DOTALL)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_TIME = rf"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|{MIDNIGHT}){ZONE}"
# XML Schema part 2, 3.2.16: of the bits that a last, incomplete group leaves over none is set.
_BASE_64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?")


class TextTypes(Mapping[str, TextType]):
    """The simple types of a dictionary by name, each made when it is first asked for."""

    def __init__(self, written: Mapping[str, str]) -> None:
        self._written = written
        self._made: dict[str, TextType] = {}

    def __getitem__(self, name: str) -> TextType:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = text_type(self._written[name])
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def text_type(written: str) -> TextType:
    """The type of such text. Raises KeyError for what is none."""
    found = _ATTRIBUTE.fullmatch(written)
    if found is not None:
        allowed = matching(found[3], f"what {found[2]} may be")
        attributes = MappingProxyType({found[2]: allowed})
        return TextType(_check(found[1]), INVALID_AMOUNT, attributes, INVALID_TRANSACTION_CURRENCY)
    return TextType(_check(written), _CODES.get(written, CONTENT_INCORRECT))


def _check(written: str) -> Check:
    kind, _, rest = written.partition(" ")
    if kind == "text":
        return _of_length(*rest.split())
    if kind == "one":
        return _one_of(rest.split())
    if kind == "like":
        return matching(rest, "text of its type")
    if kind == "decimal":
        return _decimal(*rest.split())
    return _XML_SCHEMA[kind]


def _of_length(least: str, most: str = "") -> Check:
    shortest, longest = int(least), int(most or 1 << 30)

    def check(text: str) -> None:
        if not shortest <= len(text) <= longest:
            raise ValueError(f"{text[:40]!r} is not text of {least} to {most or 'any number of'} characters")

    return check


def _one_of(codes: list[str]) -> Check:
    known = frozenset(codes)

    def check(text: str) -> None:
        if text not in known:
            told = ", ".join(codes[:8]) + (" …" if len(codes) > 8 else "")
            raise ValueError(f"{text[:40]!r} is none of {told}")

    return check


def _decimal(digits: str, places: str, least: str = "") -> Check:
    """xs:decimal: zeros that say nothing do not count as digits."""
    most_digits, most_places = int(digits), int(places)
    smallest = Decimal(least) if least else None

    def check(text: str) -> None:
        text = text.strip(SPACE)
        if _DECIMAL.fullmatch(text) is None:
            raise ValueError(f"{text[:40]!r} is not a decimal number")
        whole, _, fraction = text.lstrip("+-").partition(".")
        whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
        if len(fraction) > most_places or len(whole) + len(fraction) > most_digits:
            why = f"has more than {digits} digits or {places} decimal places"
            raise ValueError(f"{text[:40]!r} {why}")
        if smallest is not None and Decimal(text) < smallest:
            raise ValueError(f"{text[:40]!r} is less than {least}")

    return check


def _plain_date(text: str) -> None:
    if "T" in text:
        raise ValueError(f"{text[:40]!r} is not a date")
    read_date(text)


def _base_64(text: str) -> None:
    if _BASE_64.fullmatch(text.translate(_NO_SPACE)) is None:
        raise ValueError(f"{text[:40]!r} is not text in Base64")


def _collapsed(check: Callable[[str], object]) -> Check:
    return lambda text: check(text.strip(SPACE))


_CODES: Final = {"date": INVALID_DATE, "dateTime": INVALID_DATE}

_XML_SCHEMA: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "date": _plain_date,
        "dateTime": check_moment,
        "time": _collapsed(matching(_TIME, "a time of day")),
        "gYear": _collapsed(matching(rf"\d{{4}}{ZONE}", "a year")),
        "gYearMonth": _collapsed(matching(rf"\d{{4}}-(?:0[1-9]|1[0-2]){ZONE}", "a month")),
        "boolean": read_flag,
        "base64Binary": _base_64,
    }
)
