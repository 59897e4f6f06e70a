"""The fields of a NACHA record by their positions, and what is found wrong with them.

Positions are the standard's: from 1, both ends included. Numeric fields are ASCII digits, alphameric ones
have characters above hexadecimal 1F (Nacha Operating Rules, Appendix Three, Data Specifications).
"""

from goodfunds.files.findings import Findings
from goodfunds.files.nacha_codes import is_digits
from goodfunds.files.short_dates import short_date
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_AMOUNT, MANDATORY_ELEMENT_MISSING


class AchFindings(Findings):
    """What is wrong with a NACHA file so far. `batch` and `entry` count from 1, 0 outside of one.

    Warnings harm neither money nor the way of a payment. `refused`: a record or an amount was lost.
    """

    def __init__(self) -> None:
        super().__init__(collect=True)
        self.line = 0
        self.batch = 0
        self.entry = 0

    def error(self, code: str, name: str, message: str) -> None:
        """What the file is refused for; `name` of the field or record."""
        self.wrong(code, self.line, self._path(name), message)

    def warning(self, code: str, name: str, message: str) -> None:
        """What is told but lets the file pass."""
        self.warn(code, self.line, self._path(name), message)

    def _path(self, name: str) -> str:
        batch = f"Batch[{self.batch}]/" if self.batch else ""
        entry = f"Entry[{self.entry}]/" if self.entry else ""
        return batch + entry + name


class Fields:
    """One record's fields; what is wrong with them goes to `findings`."""

    __slots__ = ("findings", "record")

    def __init__(self, record: str, findings: AchFindings) -> None:
        self.record = record
        self.findings = findings

    def text(self, first: int, last: int) -> str:
        """An alphameric field without its padding."""
        return self.record[first - 1 : last].strip(" ")

    def left(self, first: int, last: int) -> str:
        """An alphameric field without the padding behind it; blanks before it are its own."""
        return self.record[first - 1 : last].rstrip(" ")

    def number(self, first: int, last: int, name: str) -> int:
        """A numeric field; 0 where it is none."""
        text = self.record[first - 1 : last]
        if is_digits(text):
            return int(text)
        self.findings.error(CONTENT_INCORRECT, name, f"{text!r} is not {last - first + 1} digits")
        return 0

    def digits(self, first: int, last: int, name: str) -> str:
        """A numeric field that is a name, such as a trace number: its digits as they stand."""
        text = self.record[first - 1 : last]
        if not is_digits(text):
            self.findings.error(CONTENT_INCORRECT, name, f"{text!r} is not {last - first + 1} digits")
        return text

    def amount(self, first: int, last: int, name: str = "Amount") -> int:
        """Cents ($$$$$$$$¢¢); 0 where it is no amount, and then the file is unreadable."""
        text = self.record[first - 1 : last]
        if is_digits(text):
            return int(text)
        self.findings.error(INVALID_AMOUNT, name, f"{text!r} is no amount in cents")
        self.findings.refused = True
        return 0

    def one_of(self, first: int, last: int, known: frozenset[str], name: str) -> str:
        """A code of a list."""
        text = self.record[first - 1 : last]
        if text not in known:
            self.findings.error(CONTENT_INCORRECT, name, f"{text!r} is none of the known codes")
        return text

    def mandatory(self, first: int, last: int, name: str) -> str:
        """A mandatory alphameric field."""
        text = self.text(first, last)
        if not text:
            self.findings.error(MANDATORY_ELEMENT_MISSING, name, f"{name} must be there")
        return text

    def named(self, first: int, last: int, name: str) -> str:
        """A name that must be there: zeros alone are refused, as operators do, blanks told of.

        Originators leave the company's name to their bank.
        """
        text = self.text(first, last)
        if not text:
            self.findings.warning(MANDATORY_ELEMENT_MISSING, name, f"{name} is blank")
        elif not text.strip("0 "):
            self.findings.error(MANDATORY_ELEMENT_MISSING, name, f"{name} is zeros")
        return text

    def check_characters(self) -> None:
        """Every character above hexadecimal 1F; beyond ASCII is told of, where it can be a letter."""
        record = self.record
        if record.isascii() and record.isprintable():
            return
        for position, character in enumerate(record, 1):
            if character < " " or "\x7f" <= character < "\xa0" or character == "\ufffd":
                why = f"the character {character!r} at position {position} is not alphameric"
                self.findings.error(CONTENT_INCORRECT, "Record", why)
                return
        self.findings.warning(CONTENT_INCORRECT, "Record", "characters that are not ASCII")


def is_date(text: str) -> bool:
    """Whether it is a day as YYMMDD."""
    return short_date(text) is not None


def is_time(text: str) -> bool:
    """Whether it is a time of day as HHMM."""
    return len(text) == 4 and is_digits(text) and text[:2] < "24" and text[2:] < "60"
