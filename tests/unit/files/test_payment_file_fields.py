"""Which element of a pain.001 is which field: parts at two levels, remittance, addresses, dates."""

import re
from datetime import date
from io import BytesIO

import pytest

from goodfunds.files import pain001
from goodfunds.files.records import Address, CreditTransfer
from goodfunds.local.demo_file import demo_file

FILE = demo_file(2, 1, date(2026, 3, 2))
"""A PmtInf with two transactions, in pain.001.001.09."""

REFERENCE = (
    "<CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref></CdtrRefInf>"
)


def transfers(pattern: str, to: str, raw: bytes = FILE) -> tuple[CreditTransfer, ...]:
    """The transactions of the file with the first of a pattern replaced."""
    made, count = re.subn(pattern.encode(), to.encode(), raw, count=1, flags=re.DOTALL)
    assert count == 1
    return pain001.read_whole(BytesIO(made)).transfers


def test_what_stands_at_a_transaction_counts_there_and_else_that_of_its_pmtinf() -> None:
    urgent = "<PmtTpInf><SvcLvl><Cd>URGP</Cd></SvcLvl></PmtTpInf>"
    first, second = transfers("</PmtId>", f"</PmtId>{urgent}")
    assert (first.service_level, second.service_level) == ("URGP", "SEPA")
    first, second = transfers("</Amt>", "</Amt><ChrgBr>DEBT</ChrgBr>")
    assert (first.charge_bearer, second.charge_bearer) == ("DEBT", "SLEV")


def test_an_ultimate_debtor_of_a_pmtinf_is_that_of_each_transaction_without_its_own() -> None:
    of_all = FILE.replace(b"<ChrgBr>", b"<UltmtDbtr><Nm>Parent</Nm></UltmtDbtr><ChrgBr>", 1)
    first, second = transfers("</Amt>", "</Amt><UltmtDbtr><Nm>Child</Nm></UltmtDbtr>", of_all)
    assert (first.ultimate_debtor_name, second.ultimate_debtor_name) == ("Child", "Parent")


@pytest.mark.parametrize(
    ("structured", "reference", "left_out"),
    [
        (f"<Strd>{REFERENCE}</Strd>", "RF18539007547034", False),
        ("<Strd/>", "", False),
        (f"<Strd>{REFERENCE}</Strd>" * 2, "RF18539007547034", True),
        ("<Strd><RfrdDocInf><Nb>INV-1</Nb></RfrdDocInf></Strd>", "", True),
        ("<Strd><RfrdDocInf/></Strd>", "", True),
        (f"<Strd>{REFERENCE}<AddtlRmtInf>more</AddtlRmtInf></Strd>", "RF18539007547034", True),
    ],
)
def test_what_is_not_read_of_structured_remittance_information_is_said_to_be_left_out(
    structured: str, reference: str, left_out: bool
) -> None:
    first, second = transfers("<RmtInf>.*?</RmtInf>", f"<RmtInf>{structured}</RmtInf>")
    assert (first.remittance_reference, first.remittance_left_out) == (reference, left_out)
    assert not second.remittance_left_out


def test_an_address_may_be_in_elements_and_lines_at_once() -> None:
    hybrid = "<PstlAdr><TwnNm>Paris</TwnNm><Ctry>FR</Ctry><AdrLine>a</AdrLine><AdrLine>b</AdrLine></PstlAdr>"
    first, _ = transfers("<PstlAdr>.*?</PstlAdr>", hybrid)
    assert first.creditor_address == Address(town="Paris", country="FR", lines=("a", "b"))


@pytest.mark.parametrize(
    ("version", "element"),
    [
        ("09", "<Dt>2026-03-04</Dt>"),
        ("09", "<Dt>2026-03-04+13:00</Dt>"),
        ("09", "<DtTm>2026-03-04T23:59:59-05:00</DtTm>"),
        ("03", "2026-03-04"),
        ("03", " 2026-03-04Z\n"),
    ],
)
def test_the_requested_date_is_the_day_as_it_stands_in_every_version(version: str, element: str) -> None:
    raw = FILE.replace(b"001.09", f"001.{version}".encode())
    if version == "03":
        raw = raw.replace(b"BICFI>", b"BIC>")
    wanted = f"<ReqdExctnDt>{element}</ReqdExctnDt>".encode()
    made = re.sub(b"<ReqdExctnDt>.*?</ReqdExctnDt>", wanted, raw)
    (information,) = pain001.read_whole(BytesIO(made)).payment_informations
    assert information.requested_execution_date == date(2026, 3, 4)
