"""What field 86 says in a structure: references, remittance, the counterparty. The text itself stays.

The codes of German banks (`166?00GUTSCHRIFT?20EREF+…`, DFÜ-Abkommen, appendix 3, MT940) are read by the
mt-940 library, but for references: it glues the next text to one that ended before its subfield was full.
Code words between slashes (`/EREF/…//REMI/…`, as Dutch banks and SWIFT's own lists have them) are read here.
"""

import re
from typing import Any, Final

from mt940.models import Transactions
from mt940.options import Options
from mt940.processors import transaction_details_post_processor
from mt940.tags import TransactionDetails

from goodfunds.files.mt_records import Details

LONGEST_STRUCTURE: Final = 4096
"""Characters of a text in which structure is looked for: the standard's 390, and what banks make of them."""

_GERMAN: Final = re.compile(r"[0-9]{3}\?[0-9]{2}", re.ASCII)
_PURPOSE: Final = re.compile(r"\?(?:2[0-9]|6[0-3])([^?]*)", re.ASCII)
_PURPOSE_LENGTH: Final = 27
_IDENTIFIER: Final = re.compile(
    r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|PURP|MDAT|SQTP|ORCR|ORMR|DDAT|COAM|OAMT)\+", re.ASCII
)
_LONGEST_REFERENCE: Final = 35
_RETURN: Final = re.compile(r"9[01][0-9]", re.ASCII)

_WORD: Final = re.compile(r"/([A-Z]{3,4})(?=/)", re.ASCII)
_WORDS: Final = frozenset(
    (
        *("EREF", "PREF", "MARF", "CSID", "REMI", "RTRN", "NAME", "IBAN", "CNTP", "BENM", "ORDP", "TRTP"),
        *("TRCD", "USTD", "STRD", "ISDT", "ULTD", "ULTC", "PURP", "NRTX", "OCMT", "ADDR", "BIC", "BBAN"),
    )
)
_NO_REFERENCE: Final = frozenset(("NOTPROVIDED", "NONREF", "NOTPROVIDED+"))
_TAG: Final = TransactionDetails()
_COLLECTION: Final = Transactions(options=Options.all())


def read_details(information: str) -> Details:
    """The structured parts of a text; all empty where it has none that is known."""
    text = "".join(information.split("\n")).strip()
    if len(text) > LONGEST_STRUCTURE:
        return Details()
    if _GERMAN.match(text):
        return _german(text)
    if text.startswith("/"):
        return _slashed(text)
    return Details()


def _german(text: str) -> Details:
    given = {"transaction_details": text}
    found: dict[str, Any] = transaction_details_post_processor(_COLLECTION, _TAG, given, dict(given))
    references = _german_references(text)
    extension = _text(found, "return_debit_notes")
    return Details(
        business_transaction_code=_text(found, "transaction_code"),
        end_to_end_id=_reference(references.get("EREF", "")),
        mandate_id=_reference(references.get("MREF", "")),
        creditor_id=_reference(references.get("CRED", "")),
        remittance=_text(found, "purpose"),
        counterparty_name=_text(found, "applicant_name"),
        counterparty_account=_text(found, "applicant_iban"),
        # ?34 adds to the code of any transaction; only these values are reasons of a return.
        return_reason=extension if _RETURN.fullmatch(extension) else "",
    )


def _german_references(text: str) -> dict[str, str]:
    """What follows each identifier, into the next subfield only where its own is full."""
    found: dict[str, str] = {}
    open_word, is_full = "", False
    for content in _PURPOSE.findall(text):
        more, *named = _IDENTIFIER.split(content)
        if open_word and is_full:
            found[open_word] += more
        for word, value in zip(named[::2], named[1::2], strict=True):
            open_word = word
            found[open_word] = value
        is_full = len(content) >= _PURPOSE_LENGTH
        open_word = open_word if is_full else ""
    return found


def _slashed(text: str) -> Details:
    found: dict[str, str] = {}
    marks = [mark for mark in _WORD.finditer(text) if mark[1] in _WORDS]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        found.setdefault(mark[1], text[mark.end() : end].strip("/ "))
    counterparty = found.get("CNTP", "").split("/")
    return Details(
        business_transaction_code=found.get("TRTP", ""),
        end_to_end_id=_reference(found.get("EREF", "")),
        mandate_id=_reference(found.get("MARF", "")),
        creditor_id=_reference(found.get("CSID", "")),
        remittance=found.get("REMI") or found.get("USTD") or found.get("STRD", ""),
        counterparty_name=found.get("NAME") or (counterparty[2] if len(counterparty) > 2 else ""),
        counterparty_account=found.get("IBAN") or counterparty[0],
        return_reason=found.get("RTRN", ""),
    )


def _reference(text: str) -> str:
    """A reference, empty where there is none or where it is longer than any."""
    reference = text.strip()
    return "" if reference in _NO_REFERENCE or len(reference) > _LONGEST_REFERENCE else reference


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value.strip() if isinstance(value, str) else ""
