"""What a pain.001 must look like, as far as money and identity go: versions 02 to 13 and two dialects.

ISO 20022 message definitions pain.001.001.02 to .13; DFÜ agreement appendix 3 (Die Deutsche Kreditwirtschaft)
for pain.001.002.03 and pain.001.003.03. What moves no money is not looked into here, where reasons are told
by their codes; the dictionary of types looks into all of it.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from lxml import etree

from goodfunds.files import type_dictionary
from goodfunds.files.fields import (
    ParsedLeaves,
    check_moment,
    matching,
    read_count,
    read_date,
    read_decimal,
    read_flag,
)
from goodfunds.files.leaves import TextLeaves
from goodfunds.files.records import FileError
from goodfunds.files.schema import Schema
from goodfunds.files.schema_types import TextType
from goodfunds.files.xml import MOST_ERRORS, line_of
from goodfunds.rails.reasons import (
    INVALID_CONTROL_SUM,
    INVALID_DATE,
    INVALID_FILE_FORMAT,
    INVALID_NUMBER_OF_TRANSACTIONS,
)

ROOT: Final = "CstmrCdtTrfInitn"
ROOT_02: Final = "pain.001.001.02"
VERSIONS: Final = (2, 13)
_SUPPLEMENT: Final = "SplmtryData"
_FIRST_WITH_SUPPLEMENT: Final = 4

_BRANCH_CODE = "(?:[A-Z0-9]{3})?"
_BIC = TextType(matching(f"[A-Z]{{6}}[A-Z2-9][A-NP-Z0-9]{_BRANCH_CODE}", "a BIC"))
_BICFI = TextType(matching(f"[A-Z0-9]{{4}}[A-Z]{{2}}[A-Z0-9]{{2}}{_BRANCH_CODE}", "a BIC"))


def _text(most: int) -> TextType:
    return TextType(matching(f".{{1,{most}}}", f"text of 1 to {most} characters"))


_TEXTS: Final = {
    **{f"Max{most}": _text(most) for most in (4, 16, 34, 35, 70, 140)},
    "SepaId": TextType(matching(r"[A-Za-z0-9+?/\-:().,' |]{1,35}", "an identification in the SEPA set")),
    "Moment": TextType(check_moment, INVALID_DATE),
    "Date": TextType(read_date, INVALID_DATE),
    "Flag": TextType(read_flag),
    "Count": TextType(read_count, INVALID_NUMBER_OF_TRANSACTIONS),
    "Sum": TextType(read_decimal, INVALID_CONTROL_SUM),
    "Method": TextType(matching("CHK|TRF|TRA", "CHK, TRF or TRA")),
    "Transfer": TextType(matching("TRF", "TRF")),
    "Grouping": TextType(matching("SNGL|GRPD|MIXD", "SNGL, GRPD or MIXD")),
    "Bearer": TextType(matching("DEBT|CRED|SHAR|SLEV", "DEBT, CRED, SHAR or SLEV")),
    "Slev": TextType(matching("SLEV", "SLEV")),
    "Priority": TextType(matching("HIGH|NORM", "HIGH or NORM")),
    "Country": TextType(matching("[A-Z]{2}", "a country's code of two letters")),
    "Currency": TextType(matching("[A-Z]{3}", "a currency's code of three letters")),
    "Iban": TextType(matching("[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}", "an IBAN")),
    "Uetr": TextType(
        matching("[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}", "a UUID version 4")
    ),
    "Lei": TextType(matching("[A-Z0-9]{18}[0-9]{2}", "an LEI")),
    # The amount is read with its currency, which stands in an attribute.
    "Amount": TextType(lambda text: text),
}

_TYPES: Final = {
    "GrpHdr": "MsgId:Max35 CreDtTm:Moment Authstn{0,2}:any BtchBookg?@-2:Flag NbOfTxs:Count CtrlSum?:Sum"
    " Grpg@-2:Grouping InitgPty:Party FwdgAgt?:Agent InitnSrc?@10-:any",
    "PmtInf": "PmtInfId?@-2:Max35 PmtInfId@3-:Max35 PmtMtd:Method ReqdAdvcTp?@10-:any BtchBookg?@3-:Flag"
    " NbOfTxs?@3-:Count CtrlSum?@3-:Sum PmtTpInf?:PaymentType ReqdExctnDt@-7:Date"
    " ReqdExctnDt@8-:DateOrMoment PoolgAdjstmntDt?:Date Dbtr:Party DbtrAcct:Account DbtrAgt:Agent"
    " DbtrAgtAcct?:Account InstrForDbtrAgt?@8-:Max140 UltmtDbtr?:Party ChrgBr?:Bearer ChrgsAcct?:Account"
    " ChrgsAcctAgt?:Agent CdtTrfTxInf+:any",
    "CdtTrfTxInf": "PmtId:PaymentIdentification PmtTpInf?:PaymentType Amt:AmountType XchgRateInf?:any"
    " ChrgBr?:Bearer MndtRltdInf?@10-:any ChqInstr?:any UltmtDbtr?:Party IntrmyAgt1?:Agent"
    " IntrmyAgt1Acct?:Account IntrmyAgt2?:Agent IntrmyAgt2Acct?:Account IntrmyAgt3?:Agent"
    " IntrmyAgt3Acct?:Account CdtrAgt?:Agent CdtrAgtAcct?:Account Cdtr?:Party CdtrAcct?:Account"
    " UltmtCdtr?:Party InstrForCdtrAgt*:any InstrForDbtrAgt?:any Purp?:any RgltryRptg{0,10}:any Tax?:any"
    " RltdRmtInf{0,10}:any RmtInf?:Remittance SplmtryData*@4-:any",
    "PaymentIdentification": "InstrId?:Max35 EndToEndId:Max35 UETR?@9-:Uetr",
    "PaymentType": "InstrPrty?:Priority SvcLvl?@-8:Code SvcLvl*@9-:Code ClrChanl?@-2:any LclInstrm?:any"
    " CtgyPurp?:any",
    "Code": "| Cd:Max4 Prtry:Max35",
    "DateOrMoment": "| Dt:Date DtTm:Moment",
    "AmountType": "| InstdAmt:Amount EqvtAmt:any",
    "Party": "Nm?@-2:Max70 Nm?@3-:Max140 PstlAdr?:Address Id?:any CtryOfRes?:Country CtctDtls?@3-:any",
    "Address": "AdrTp?:any Dept?@3-:Max70 SubDept?@3-:Max70 AdrLine{0,5}@-2:Max70 StrtNm?:Max70 BldgNb?:Max16"
    " BldgNm?@9-:Max35 Flr?@9-:Max70 PstBx?@9-:Max16 Room?@9-:Max70 PstCd?:Max16 TwnNm?:Max35"
    " TwnLctnNm?@9-:Max35 DstrctNm?@9-:Max35 CtrySubDvsn?:Max35 Ctry?@3-:Country Ctry@-2:Country"
    " AdrLine{0,7}@3-:Max70",
    "Account": "Id@-9:AccountIdentification Id?@10-:AccountIdentification Tp?:any Ccy?:Currency Nm?:Max70"
    " Prxy?@8-:any",
    "AccountIdentification": "| IBAN:Iban BBAN@-2:any UPIC@-2:any PrtryAcct@-2:OtherAccount"
    " Othr@3-:OtherAccount",
    "OtherAccount": "Id:Max34 SchmeNm?@3-:any Issr?@3-:Max35",
    "Agent": "FinInstnId:Institution BrnchId?:any",
    "Institution": "BIC?@-3:Bic BICFI?@4-8:Bic BICFI?@9-:Bicfi ClrSysMmbId?:any NmAndAdr?@-2:any"
    " PrtryId?@-2:any CmbndId?@-2:any LEI?@8-:Lei Nm?@3-:Max140 PstlAdr?@3-:Address Othr?@3-:OtherAgent",
    "OtherAgent": "Id:Max35 SchmeNm?:any Issr?:Max35",
    "Remittance": "Ustrd*:Max140 Strd*:Structured",
    "Structured": "RfrdDocInf*:any RfrdDocRltdDt?@-2:any RfrdDocAmt*@-2:any RfrdDocAmt?@3-:any"
    " CdtrRefInf?@-2:any CdtrRefInf?@3-:CreditorReference Invcr?:any Invcee?:any TaxRmt?@6-:any"
    " GrnshmtRmt?@6-:any AddtlRmtInf{0,3}:Max140",
    "CreditorReference": "Tp?:any Ref?:Max35",
}

_SEPA: Final = {
    "GrpHdr": "MsgId:SepaId CreDtTm:Moment NbOfTxs:Count CtrlSum?:Sum InitgPty:Ultimate",
    "PmtInf": "PmtInfId:SepaId PmtMtd:Transfer BtchBookg?:Flag NbOfTxs?:Count CtrlSum?:Sum"
    " PmtTpInf?:PaymentType ReqdExctnDt:Date Dbtr:Party DbtrAcct:Account DbtrAgt:Agent UltmtDbtr?:Ultimate"
    " ChrgBr?:Slev CdtTrfTxInf+:any",
    "CdtTrfTxInf": "PmtId:PaymentIdentification PmtTpInf?:PaymentType Amt:AmountType ChrgBr?:Slev"
    " UltmtDbtr?:Ultimate CdtrAgt?:Agent Cdtr:Party CdtrAcct:Account UltmtCdtr?:Ultimate Purp?:any"
    " RmtInf?:Remittance",
    "PaymentIdentification": "InstrId?:SepaId EndToEndId:SepaId",
    "PaymentType": "InstrPrty?:Priority SvcLvl:Code CtgyPurp?:any",
    "Code": "Cd:Max4",
    "AmountType": "InstdAmt:Amount",
    "Ultimate": "Nm?:Max70 Id?:any",
    "Party": "Nm:Max70 PstlAdr?:Address Id?:any",
    "Address": "Ctry?:Country AdrLine{0,2}:Max70",
    "Account": "Id:AccountIdentification Ccy?:Currency",
    "AccountIdentification": "IBAN:Iban",
    "Agent": "FinInstnId:Institution",
    "Institution": "| BIC:Bic Othr:OtherAgent",
    "OtherAgent": "Id:Max35",
    "Remittance": "| Ustrd:Max140 Strd:Structured",
    "Structured": "CdtrRefInf?:CreditorReference",
    "CreditorReference": "Tp:any Ref:Max35",
}

DIALECTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        # Its bank agents are known by their BIC alone.
        "pain.001.002.03": {**_SEPA, "Institution": "BIC:Bic"},
        "pain.001.003.03": _SEPA,
    }
)
"""Message name → types of a dialect that is narrower than the ISO message."""


_PLACES: Final = {"GrpHdr": ("GrpHdr",), "PmtInf": ("PmtInf",), "CdtTrfTxInf": ("PmtInf", "CdtTrfTxInf")}


class PaymentSchema(Schema):
    """The schema of a pain.001: what is sound by the types above is also checked by the dictionary's."""

    def __init__(self, message_name: str, tag_prefix: str) -> None:
        texts = {**_TEXTS, "Bic": _BIC, "Bicfi": _BICFI}
        dialect = DIALECTS.get(message_name)
        version = int(message_name[-2:])
        super().__init__(dialect or _TYPES, texts, version, tag_prefix, euro_only=dialect is not None)
        self._whole = type_dictionary.schema(tag_prefix)
        self._message_type = type_dictionary.type_at(message_name, tag_prefix)
        self._whole_types = {
            name: type_dictionary.type_at(message_name, tag_prefix, *place) for name, place in _PLACES.items()
        }

    def check(
        self, element: etree._Element, name: str, path: str, errors: list[FileError], unread: str = ""
    ) -> ParsedLeaves:
        before = len(errors)
        found = super().check(element, name, path, errors, unread)
        whole = self._whole_types[name]
        if whole is not None and len(errors) == before:
            self._whole.check(element, whole.name, path, errors, unread="CdtTrfTxInf")
        return found

    def check_attributes(self, element: etree._Element, path: str, errors: list[FileError]) -> None:
        self._whole.check_attributes(element, path, errors)

    def check_message(self, element: etree._Element, errors: list[FileError]) -> None:
        """Check what a message has beside its parts: no attributes, and SplmtryData from version 04 on."""
        document = element.getparent()
        if document is not None:
            self.check_attributes(document, "Document", errors)
        self.check_attributes(element, "", errors)
        for child in element.iterchildren(f"{self._prefix}{_SUPPLEMENT}"):
            if self._message_type is not None:
                self._whole.check_child(child, self._message_type, "", "", ParsedLeaves(0), errors)
            elif self._version < _FIRST_WITH_SUPPLEMENT and len(errors) < MOST_ERRORS:
                why = f"{_SUPPLEMENT} is not expected here"
                errors.append(FileError(INVALID_FILE_FORMAT, line_of(child), "", why))

    def check_again(self, leaves: TextLeaves, name: str) -> None:
        whole = self._whole_types[name]
        if whole is None:
            super().check_again(leaves, name)
        else:
            # Text that is sound by the dictionary is so by the types above: they look into less.
            self.check_holdings(leaves, name)
            self._whole.check_again(leaves, whole.name)


@lru_cache(maxsize=64)
def schema(message_name: str, tag_prefix: str) -> PaymentSchema:
    """The schema of a message (`pain.001.001.09`) in its namespace."""
    return PaymentSchema(message_name, tag_prefix)
