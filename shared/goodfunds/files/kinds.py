"""The kinds of ISO 20022 messages that are walked over: their parts, their entries, where amounts are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from goodfunds.files.outline import Kind
from goodfunds.files.shape import Shape
from goodfunds.files.type_dictionary import newest, roots

_OF_MESSAGE: Final[tuple[str, ...]] = ("",)


@dataclass(frozen=True, slots=True)
class MessageKind:
    """A kind of message (`pacs.008`). `parts`: name → parents, "" for the message's element itself.

    `entry`: the part that counts, empty for a message that is checked and not counted. `amounts`: where an
    entry's may be, which a control sum adds; `moves`: they are the message's sums, too. `header`: the part
    that tells how many entries there are; `total`: the element of it that tells their sum, if any. `group`:
    the part with its own count and sum. `whole`: the part, and its flag, that means all of a group without
    naming its entries. `newest`: the last version that is read.
    """

    name: str
    newest: int
    parts: Mapping[str, tuple[str, ...]]
    entry: str
    amounts: tuple[str, ...] = ()
    moves: bool = True
    header: str = "GrpHdr"
    total: str = ""
    group: str = ""
    whole: tuple[str, str] = ("", "")
    recurring: tuple[Kind, ...] = field(default=())

    @property
    def _first_roots(self) -> frozenset[str]:
        """The elements of first versions, which bore the message's whole name, or their own at the end."""
        names = {f"{self.name}.001.{version:02}" for version in (1, 2)}
        return frozenset(names | {f"{root}V01" for root in roots(self.name)})

    @property
    def shape(self) -> Shape:
        """What is read of it: with a namespace or without, in a Document or bare."""
        return Shape(
            self.name,
            roots(self.name) | self._first_roots,
            self.parts,
            versions=(1, self.newest),
            unqualified=True,
            bare=bool(self.entry),
            lenient=self.name in STATEMENTS,
        )


def _of_transactions(
    name: str,
    newest: int,
    entry: str,
    *amounts: str,
    moves: bool = True,
    total: str = "",
    header: str = "GrpHdr",
    group: str = "",
    parts: tuple[str, ...] = (),
    inner: tuple[str, ...] = (),
    also_in: tuple[str, ...] = (),
    whole: tuple[str, str] = ("", ""),
) -> MessageKind:
    """`parts` of the message beside its header, `inner` ones of the group, which may hold entries, too, as

    may what is in `also_in`.
    """
    tree: dict[str, tuple[str, ...]] = dict.fromkeys(("GrpHdr", header, *parts), _OF_MESSAGE)
    if group:
        tree |= {group: _OF_MESSAGE, **dict.fromkeys(inner, (group,))}
    tree[entry] = (group, *inner, *also_in)
    counted = group if group == "PmtInf" else ""
    return MessageKind(
        name, newest, tree, entry, amounts, moves, header, total, counted, whole, recurring=(Kind(entry),)
    )


def _of_entries(name: str, part: str) -> MessageKind:
    details = (("NtryDtls", "Ntry"), ("Btch", "NtryDtls"), ("TxDtls", "NtryDtls"))
    tree = {
        **dict.fromkeys(("GrpHdr", part), _OF_MESSAGE),
        **dict.fromkeys(("Bal", "Ntry"), (part,)),
        "NtryDtls": ("Ntry",),
        "TxDtls": ("NtryDtls",),
    }
    recurring = (Kind("Ntry", details), Kind("TxDtls"))
    return MessageKind(name, 14, tree, "Ntry", ("Amt",), group=part, recurring=recurring)


_SETTLED: Final = "IntrBkSttlmAmt"
_TOTAL: Final = "TtlIntrBkSttlmAmt"

STATEMENTS: Final[Mapping[str, MessageKind]] = MappingProxyType(
    {
        "camt.052": _of_entries("camt.052", "Rpt"),
        "camt.053": _of_entries("camt.053", "Stmt"),
        "camt.054": _of_entries("camt.054", "Ntfctn"),
    }
)
"""Reports of an account."""

TRANSACTIONS: Final[Mapping[str, MessageKind]] = MappingProxyType(
    {
        each.name: each
        for each in (
            _of_transactions(
                "pain.001", 13, "CdtTrfTxInf", "Amt/InstdAmt", "Amt/EqvtAmt/Amt", group="PmtInf"
            ),
            _of_transactions(
                "pain.002",
                15,
                "TxInfAndSts",
                group="OrgnlPmtInfAndSts",
                parts=("OrgnlGrpInfAndSts",),
                # In version 02 they stand beside the group's status.
                also_in=_OF_MESSAGE,
            ),
            _of_transactions("pain.008", 12, "DrctDbtTxInf", "InstdAmt", group="PmtInf"),
            _of_transactions("pacs.002", 16, "TxInfAndSts", parts=("OrgnlGrpInfAndSts",)),
            _of_transactions(
                "pacs.004",
                15,
                "TxInf",
                "RtrdIntrBkSttlmAmt",
                total="TtlRtrdIntrBkSttlmAmt",
                parts=("OrgnlGrpInf",),
            ),
            _of_transactions("pacs.008", 14, "CdtTrfTxInf", _SETTLED, total=_TOTAL),
            _of_transactions("pacs.009", 13, "CdtTrfTxInf", _SETTLED, total=_TOTAL),
            _of_transactions(
                "camt.029",
                14,
                "TxInfAndSts",
                group="CxlDtls",
                parts=("Assgnmt", "Sts"),
                inner=("OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts"),
            ),
            _of_transactions(
                "camt.056",
                12,
                "TxInf",
                "OrgnlIntrBkSttlmAmt",
                moves=False,
                header="CtrlData",
                group="Undrlyg",
                parts=("Assgnmt", "Case"),
                inner=("OrgnlGrpInfAndCxl",),
                whole=("OrgnlGrpInfAndCxl", "GrpCxl"),
            ),
        )
    }
)
"""Messages of payments, and of what became of them."""


def kind_named(name: str) -> MessageKind:
    """The kind of that name (`pacs.008`); one that is not listed above is checked and not counted."""
    known = STATEMENTS.get(name) or TRANSACTIONS.get(name)
    return known or MessageKind(name, newest(name), {}, entry="")
