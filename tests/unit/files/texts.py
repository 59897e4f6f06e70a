"""Bank messages as text: small, with every part that the readers look at, to be cut, damaged and changed."""

STATUS_REPORT = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>A1</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts>
<TxInfAndSts><OrgnlInstrId>I1</OrgnlInstrId><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></StsRsnInf></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>
"""

ENTRY = """<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>
<AcctSvcrRef>SB1</AcctSvcrRef><BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>
<NtryDtls><Btch><PmtInfId>P1</PmtInfId><NbOfTxs>1</NbOfTxs></Btch><TxDtls><Refs><InstrId>I1</InstrId>
<EndToEndId>E1</EndToEndId></Refs><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls></NtryDtls>
</Ntry>"""

_BALANCE = """<Bal><Tp><CdOrPrtry><Cd>{}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"""


def statement(*entries: str, version: str = "08", opening: str = "100.00", closing: str = "90.00") -> bytes:
    """A camt.053 of these entries."""
    balances = _BALANCE.format("OPBD", opening) + _BALANCE.format("CLBD", closing)
    return _report("camt.053.001." + version, "BkToCstmrStmt", "Stmt", balances + "".join(entries))


def notification(*entries: str, version: str = "08") -> bytes:
    """A camt.054 of these entries."""
    return _report("camt.054.001." + version, "BkToCstmrDbtCdtNtfctn", "Ntfctn", "".join(entries))


def _report(name: str, root: str, part: str, content: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><{root}>
<GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-03-02T19:00:00Z</CreDtTm></GrpHdr>
<{part}><Id>1</Id><CreDtTm>2026-03-02T19:00:00Z</CreDtTm>
<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
{content}</{part}></{root}></Document>
""".encode()


STATEMENT = statement(ENTRY)
NOTIFICATION = notification(ENTRY)
