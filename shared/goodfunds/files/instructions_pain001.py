"""pain.001 to payment instructions, and what it says that no instruction can: told by line and element."""

import re
from collections.abc import Collection, Iterator
from types import MappingProxyType
from typing import BinaryIO, Final

from goodfunds.files import pain001
from goodfunds.files.fields import SPACE, ParsedLeaves, leaves_of
from goodfunds.files.instructions import RAIL, Faults, Placed, of_transfer
from goodfunds.files.markup import account
from goodfunds.files.pain001_schema import ROOT, ROOT_02, VERSIONS
from goodfunds.files.records import CreditTransfer, FileError, PaymentInformation
from goodfunds.files.shape import Shape
from goodfunds.files.xml import Message, Part
from goodfunds.rails.reasons import TRANSACTION_NOT_SUPPORTED

UNSAID: Final = "no field of an instruction says this"
"""Why an element is refused that `leave_out` may name."""

_SHAPE = Shape(
    kind="pain.001",
    roots=frozenset({ROOT, ROOT_02}),
    parts={"GrpHdr": ("",), "PmtInf": ("",), "CdtTrfTxInf": ("PmtInf",)},
    versions=VERSIONS,
)

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ACCOUNTS = {f"Id/{path}": "" for path in ("IBAN", "Othr/Id", "PrtryAcct/Id", "BBAN", "UPIC")}
_SERVICE = {"PmtTpInf/SvcLvl/Cd": "SEPA", "PmtTpInf/InstrPrty": "NORM"}
_BIC = ("FinInstnId/BIC", "FinInstnId/BICFI")

_SAID: Final = MappingProxyType(
    {
        "GrpHdr": {"MsgId": "", "NbOfTxs": "", "CtrlSum": ""},
        "PmtInf": {
            "PmtMtd": "TRF",
            "NbOfTxs": "",
            "CtrlSum": "",
            "ReqdExctnDt": _DAY,
            "ReqdExctnDt/Dt": _DAY,
            "Dbtr/Nm": "",
            **{f"DbtrAcct/{path}": pattern for path, pattern in _ACCOUNTS.items()},
            "DbtrAcct/Ccy": "",
            "ChrgBr": "",
            **_SERVICE,
        },
        "CdtTrfTxInf": {
            "PmtId/EndToEndId": "",
            "PmtId/UETR": "",
            **_SERVICE,
            "Amt/InstdAmt": "",
            "ChrgBr": "",
            **{f"CdtrAgt/{path}": "" for path in _BIC},
            "Cdtr/Nm": "",
            **{f"Cdtr/PstlAdr/{name}": "" for name in ("StrtNm", "BldgNb", "PstCd", "TwnNm", "Ctry")},
            "Cdtr/PstlAdr/AdrLine": "",
            **{f"CdtrAcct/{path}": pattern for path, pattern in _ACCOUNTS.items()},
            "CdtrAcct/Ccy": "",
            "RmtInf/Ustrd": "",
            "RmtInf/Strd/CdtrRefInf/Ref": "",
            "RmtInf/Strd/CdtrRefInf/Tp/CdOrPrtry/Cd": "SCOR",
        },
    }
)
"""Part → elements that an instruction says too → the only text of theirs that it can; empty where any."""

_OF_THE_MESSAGE: Final = MappingProxyType(
    {
        "GrpHdr": ("CreDtTm", "InitgPty", "Grpg"),
        "PmtInf": ("PmtInfId", "BtchBookg", "DbtrAgt"),
        "CdtTrfTxInf": ("PmtId/InstrId", "RmtInf/Strd/CdtrRefInf/Tp/Issr"),
    }
)
"""What says how the message came and is booked, or what its account says too: left out, and told.

InstrId is "a point to point reference" (ISO 20022) of sender and receiver; a payment's key takes its place.
"""

_ONCE: Final = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref")


def read(source: BinaryIO, client: str) -> Iterator[Placed]:
    """The payments of a file in order, in flat memory, of `client`. Raises InvalidFile, at the end too."""
    message_id = ""
    information: PaymentInformation | None = None
    for record in pain001.read(source):
        if isinstance(record, PaymentInformation):
            information = record
        elif isinstance(record, CreditTransfer):
            assert information is not None
            yield Placed(record.line, of_transfer(client, message_id, information, record))
        else:
            message_id = record.message_id


def unsaid(source: BinaryIO, leave_out: Collection[str] = ()) -> tuple[FileError, ...]:
    """What is left out of a valid file, each element once with its first line.

    That is what belongs to the message, and what `leave_out` names of what has no field: elements
    (`Purp`) or paths. Raises InvalidFile with all else that no instruction can say, 100 at most.
    """
    looking = _Looking(frozenset(leave_out))
    message, seen = Message(source, _SHAPE), False
    for part in message:
        assert isinstance(part, Part), "nothing that recurs was declared"
        if part.name == "PmtInf" and not part.end:
            seen = False
        elif part.name == "GrpHdr" and part.end:
            looking.look("GrpHdr", "GrpHdr", leaves_of(part.element))
        elif part.name == "CdtTrfTxInf" and not part.end and not seen:
            seen = True
            information = part.element.getparent()
            assert information is not None
            looking.information(leaves_of(information, frozenset({"CdtTrfTxInf"})))
        elif part.name == "CdtTrfTxInf" and part.end:
            looking.transfer(leaves_of(part.element))
    looking.faults.end()
    return tuple(looking.left_out.values())


class _Looking:
    """Looks at parts for what an instruction cannot say."""

    def __init__(self, leave_out: frozenset[str]) -> None:
        self.faults = Faults()
        self.left_out: dict[str, FileError] = {}
        self._leave_out = leave_out
        self._account_currency = ""
        self._has_service_level = False

    def information(self, found: ParsedLeaves) -> None:
        """A PmtInf before its transactions."""
        self._account_currency = found.text("DbtrAcct/Ccy")
        self._has_service_level = bool(found.text("PmtTpInf/SvcLvl/Cd"))
        self.look("PmtInf", "PmtInf", found)
        self._account("DbtrAcct", "PmtInf", found)

    def transfer(self, found: ParsedLeaves) -> None:
        """A transaction."""
        path = "PmtInf/CdtTrfTxInf"
        self.look("CdtTrfTxInf", path, found)
        self._account("CdtrAcct", path, found)
        currency = found.attribute("Amt/InstdAmt", "Ccy")
        accounts = {"PmtInf/DbtrAcct": self._account_currency, f"{path}/CdtrAcct": found.text("CdtrAcct/Ccy")}
        if currency != "EUR" and not (self._has_service_level or found.text("PmtTpInf/SvcLvl/Cd")):
            why = f"{currency[:10]!r} without a service level: an instruction would ask for {RAIL}"
            self._refuse(found.line_at("Amt/InstdAmt"), f"{path}/Amt/InstdAmt", why)
        for whose, told in accounts.items():
            if told and told != currency:
                why = f"{told[:10]!r} is not the payment's currency {currency[:10]!r}"
                self._refuse(found.line, f"{whose}/Ccy", why)
        for once in _ONCE:
            if len(found.texts(once)) > 1:
                self._refuse(found.line_at(once), f"{path}/{once}", "an instruction has room for one")

    def look(self, part: str, path: str, found: ParsedLeaves) -> None:
        """The leaves of a part, each either said, of the message, or refused."""
        said, of_the_message = _SAID[part], _OF_THE_MESSAGE[part]
        for leaf, text in found.items():
            text = text.strip(SPACE)
            only = said.get(leaf)
            if not text or only == "" or (only is not None and re.fullmatch(only, text)):
                continue
            at, whole = found.line_at(leaf), f"{path}/{leaf}"
            if only is not None:
                self._refuse(at, whole, f"{text[:40]!r} cannot be said by an instruction")
            elif _is_below(leaf, of_the_message):
                self._tell(at, whole, "left out: it is the message's, not the payment's")
            elif _is_below(whole, self._leave_out) or not self._leave_out.isdisjoint(whole.split("/")):
                self._tell(at, whole, "left out, as asked for")
            else:
                self._refuse(at, whole, UNSAID)

    def _account(self, name: str, path: str, found: ParsedLeaves) -> None:
        """An account that has the form of an IBAN but is said to be none would become one."""
        other = found.text(*(f"{name}/{each}" for each in _ACCOUNTS if each != "Id/IBAN"))
        if "<IBAN>" in account(name, other):
            self._refuse(found.line, f"{path}/{name}/Id", "it looks like an IBAN and is said to be none")

    def _refuse(self, line: int, path: str, message: str) -> None:
        self.faults.note(TRANSACTION_NOT_SUPPORTED, line, path, message)

    def _tell(self, line: int, path: str, message: str) -> None:
        if path not in self.left_out and len(self.left_out) < 100:
            self.left_out[path] = FileError(TRANSACTION_NOT_SUPPORTED, line, path, message)


def _is_below(path: str, paths: Collection[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in paths)
