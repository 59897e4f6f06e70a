"""What only looks like an element that recurs: hidden, of another namespace, cut: as the parser sees it."""

from unittest.mock import patch

import pytest

from goodfunds.files import camt053, pain001, pain002, recurring
from tests.unit.files.outcome import Read, outcome

_ISO = "urn:iso:std:iso:20022:tech:xsd:"
_PAIN, _CAMT = f"{_ISO}pain.001.001.09", f"{_ISO}camt.053.001.08"
_CHUNK = 1 << 16


def _detail(name: str) -> str:
    return (
        f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>"
        '<Amt Ccy="EUR">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    )


def _entry(name: str, amount: str = "1.00", details: str = "") -> str:
    return (
        f'<Ntry><NtryRef>{name}</NtryRef><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts>{f'<NtryDtls>{details}</NtryDtls>' if details else ''}</Ntry>"
    )


def _statement(content: str, attributes: str = "") -> str:
    account = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
    return f"<Stmt{attributes}><Id>S</Id><CreDtTm>2026-03-02T00:00:00</CreDtTm>{account}{content}</Stmt>"


def _camt(content: str, attributes: str = "") -> bytes:
    return (
        f'<Document xmlns="{_CAMT}"{attributes}><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>'
        f"<CreDtTm>2026-03-02T00:00:00</CreDtTm></GrpHdr>{content}</BkToCstmrStmt></Document>"
    ).encode()


def _transfer(name: str, amount: str = "1.00") -> str:
    return (
        f'<CdtTrfTxInf><PmtId><EndToEndId>{name}</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">{amount}'
        "</InstdAmt></Amt><Cdtr><Nm>Ada</Nm></Cdtr><CdtrAcct><Id><IBAN>BE67174324836762</IBAN></Id></CdtrAcct>"
        "</CdtTrfTxInf>"
    )


def _information(content: str, attributes: str = "", prefix: str = "") -> str:
    head = (
        "<PmtInfId>P</PmtInfId><PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>2026-03-02</Dt></ReqdExctnDt>"
        "<Dbtr><Nm>B</Nm></Dbtr><DbtrAcct><Id><IBAN>DE97500105170000000001</IBAN></Id></DbtrAcct>"
        "<DbtrAgt><FinInstnId><BICFI>INGDDEFFXXX</BICFI></FinInstnId></DbtrAgt>"
    )
    if prefix:
        head = head.replace("</", "\0").replace("<", f"<{prefix}:").replace("\0", f"</{prefix}:")
    name = f"{prefix}:PmtInf" if prefix else "PmtInf"
    return f"<{name}{attributes}>{head}{content}</{name}>"


def _pain(content: str, count: int, attributes: str = "") -> bytes:
    return (
        f'<Document xmlns="{_PAIN}"{attributes}><CstmrCdtTrfInitn><GrpHdr><MsgId>M</MsgId>'
        f"<CreDtTm>2026-03-02T08:00:00Z</CreDtTm><NbOfTxs>{count}</NbOfTxs><InitgPty><Nm>g</Nm></InitgPty>"
        f"</GrpHdr>{content}</CstmrCdtTrfInitn></Document>"
    ).encode()


def _status(name: str, status: str = "ACSC") -> str:
    return f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts></TxInfAndSts>"


def _statuses(content: str) -> bytes:
    return (
        f'<Document xmlns="{_ISO}pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>M</MsgId>'
        "<CreDtTm>2026-03-02T08:00:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>O</OrgnlMsgId>"
        "</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>"
        f"{content}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


_THREE_DETAILS, _THREE_ENTRIES = "".join(map(_detail, "ABC")), "".join(map(_entry, "ABC"))
_THREE_TRANSFERS, _THREE_STATUSES = "".join(map(_transfer, "ABC")), "".join(map(_status, "ABC"))


def _by_parser(read: Read, content: bytes) -> tuple[list[str], str]:
    with patch.object(recurring, "MOST", 0), patch.object(recurring, "MOST_MISSES", 0):
        return outcome(read, content)


@pytest.fixture(params=["by patterns", "from plain markup"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "from plain markup":
        monkeypatch.setattr(recurring, "MOST", 0)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (camt053.read, _camt(_statement(_entry("1", details=(
            f"{_THREE_DETAILS}<TxDtls/><!-- </TxDtls>{_detail('HIDDEN')}{_detail('HIDDEN')} -->"))))),
        (pain002.read, _statuses(
            f"{_THREE_STATUSES}<TxInfAndSts/><!-- </TxInfAndSts>{_status('HIDDEN', 'RJCT')} -->")),
        (pain002.read, _statuses(
            f"{_THREE_STATUSES}<TxInfAndSts/><Foo><TxInfAndSts></TxInfAndSts>{_status('IN', 'RJCT')}</Foo>")),
        (camt053.read, _camt(_statement(f"{_THREE_ENTRIES}<!-- </Ntry>{_entry('HIDDEN')} -->{_entry('D')}"))),
        (camt053.read, _camt(_statement(
            f"{_THREE_ENTRIES}<![CDATA[ </Ntry>{_entry('HIDDEN')} ]]>{_entry('D')}"))),
    ],
)  # fmt: skip
def test_an_element_in_a_comment_or_in_a_stranger_is_not_read(read: Read, content: bytes) -> None:
    assert outcome(read, content) == _by_parser(read, content)


@pytest.mark.parametrize(
    ("read", "content", "closing"),
    [
        (pain001.read, _pain(_information(
            f"{_THREE_TRANSFERS}{_transfer('D').replace('</CdtTrf', '@@</CdtTrf')}"
            f"<!-- </CdtTrfTxInf>{_transfer('HIDDEN')} -->{_transfer('E')}"), 5), "</CdtTrfTxInf>"),
        (camt053.read, _camt(_statement(
            f"{_THREE_ENTRIES}{_entry('D').replace('</Ntry>', '@@</Ntry>')}"
            f"<!-- </Ntry>{_entry('HIDDEN')} -->{_entry('E')}")), "</Ntry>"),
        (camt053.read, _camt(_statement(f"{_THREE_ENTRIES}{_entry('D').replace('</Ntry>', '@@</Ntry>')}")
                             + _statement(f"<!-- </Ntry>{_entry('HIDDEN')} -->{_entry('E')}")), "</Ntry>"),
        (pain002.read, _statuses(
            f"{_THREE_STATUSES}{_status('D').replace('</TxInf', '@@</TxInf')}</OrgnlPmtInfAndSts>"
            f"<OrgnlPmtInfAndSts><!-- </TxInfAndSts>{_status('HIDDEN', 'RJCT')} -->"), "</TxInfAndSts>"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cut", [1, 2, 5, 8])
def test_where_a_chunk_ends_inside_a_closing_tag_what_a_comment_hides_stays_hidden(
    read: Read, content: bytes, closing: str, cut: int
) -> None:
    at = content.index(b"@@")
    padding = b"<!--" + b" " * (_CHUNK - at - 7 - cut) + b"-->"
    padded = content.replace(b"@@", padding)
    assert padded.index(closing.encode(), at) == _CHUNK - cut
    assert outcome(read, padded) == _by_parser(read, padded)


def test_a_transaction_of_another_namespace_is_refused_though_its_tags_are_those_of_others() -> None:
    first = _transfer("D").replace("<CdtTrfTxInf>", f'<CdtTrfTxInf xmlns="{_PAIN}">')
    second = _information(first + _transfer("FOREIGN", "999.00"), ' xmlns="urn:x"', "p")
    content = _pain(_information(_THREE_TRANSFERS) + second, 5, f' xmlns:p="{_PAIN}"')
    assert outcome(pain001.read, content)[1] != ""


def test_a_prefix_that_means_something_else_from_here_on_is_seen() -> None:
    def prefixed(text: str) -> str:
        return text.replace("<Cdtr>", "<q:Cdtr>").replace("</Cdtr>", "</q:Cdtr>")

    first = _information(prefixed(_THREE_TRANSFERS), f' xmlns:q="{_PAIN}"')
    second = _information(_transfer("D") + prefixed(_transfer("E")), ' xmlns:q="urn:evil"')
    assert outcome(pain001.read, _pain(first + second, 5))[1] != ""


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("BE67174324836762", "BE67", "CdtrAcct/Id/IBAN"),
        (">Ada<", f">{'A' * 141}<", "Cdtr/Nm"),
        (">1.00<", ">0.00<", "Amt"),
        (">1.00<", ">1.001<", "Amt"),
        ('"EUR"', '"EUX"', "Amt"),
    ],
)
def test_text_that_breaks_its_type_is_refused_in_a_transaction_of_a_known_outline(
    old: str, new: str, path: str
) -> None:
    content = _pain(_information(_THREE_TRANSFERS + _transfer("D") + _transfer("E").replace(old, new)), 5)
    assert f"PmtInf/CdtTrfTxInf/{path}'" in outcome(pain001.read, content)[1]


@pytest.mark.parametrize("declared", [' xmlns:q="urn:q"', ""])
def test_a_prefix_that_is_declared_no_more_or_never_is_seen(declared: str) -> None:
    def doubled(name: str, first: str, second: str) -> str:
        return _entry(name, second).replace("<Amt ", f'<q:Amt Ccy="EUR">{first}</q:Amt><Amt ', 1)

    begin = "".join(doubled(name, "1.00", "1.00") for name in "ABCD")
    content = _camt(_statement(begin, declared) + _statement(_entry("E") + doubled("F", "9.00", "1.00")))
    assert outcome(camt053.read, content) == _by_parser(camt053.read, content)


@pytest.mark.parametrize("space", ["\x1c", "\xa0", "\u2003", "\u3000", "\x85"])
def test_in_tags_only_the_space_of_xml_is_space(space: str) -> None:
    broken = _transfer("D").replace('Ccy="EUR">', f'Ccy="EUR"{space}>')
    content = _pain(_information(_THREE_TRANSFERS + _transfer("X") + broken), 5)
    assert "not well-formed" in outcome(pain001.read, content)[1]


def test_more_line_breaks_than_the_parser_takes_in_one_run_are_read() -> None:
    spaced = [_entry(str(number)).replace("><", ">" + "\n" * 3_500 + "<") for number in range(450)]
    content = _camt(_statement("".join(spaced)))
    assert content.count(b"\n") > 10_000_000
    found, fault = outcome(camt053.read, content)
    assert (len(found), fault) == (452, "")


def test_a_file_that_ends_after_recurring_elements_is_told_at_its_last_line() -> None:
    content = _camt(_statement("".join(_entry(name) + "\n" for name in "ABCDEF")))
    cut = content[: content.index(b"</Stmt>")]
    assert outcome(camt053.read, cut) == _by_parser(camt053.read, cut)


def test_elements_of_hundreds_of_tags_are_left_to_the_parser() -> None:
    content = _camt(_statement("".join(_entry(name, details=_THREE_DETAILS * 30) for name in "ABCDEF")))
    assert outcome(camt053.read, content) == _by_parser(camt053.read, content)
