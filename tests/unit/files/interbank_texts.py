"""Messages between banks as text, one of each, small and whole."""

_DATE = "2026-03-02"


def _message(name: str, root: str, content: str) -> bytes:
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{name}"
    return f'<Document xmlns="{namespace}"><{root}>{content}</{root}></Document>'.encode()


def _agent(name: str, bic: str) -> str:
    return f"<{name}><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></{name}>"


def _header(total: str) -> str:
    return f"""<GrpHdr><MsgId>M1</MsgId><CreDtTm>{_DATE}T09:00:00Z</CreDtTm><NbOfTxs>2</NbOfTxs>
{total}<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>"""


def _transfer(number: int) -> str:
    return f"""<CdtTrfTxInf><PmtId><InstrId>I{number}</InstrId><EndToEndId>E{number}</EndToEndId>
<TxId>T{number}</TxId></PmtId><IntrBkSttlmAmt Ccy="EUR">10.0{number}</IntrBkSttlmAmt>
<IntrBkSttlmDt>{_DATE}</IntrBkSttlmDt><ChrgBr>SLEV</ChrgBr><Dbtr><Nm>Ada</Nm></Dbtr>
<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>{_agent("DbtrAgt", "DEUTDEFF")}
{_agent("CdtrAgt", "BNPAFRPP")}<Cdtr><Nm>Bruno</Nm></Cdtr>
<CdtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></CdtrAcct>
<RmtInf><Ustrd>Invoice {number}</Ustrd></RmtInf></CdtTrfTxInf>"""


TOTAL = '<TtlIntrBkSttlmAmt Ccy="EUR">20.03</TtlIntrBkSttlmAmt>'
PACS_008 = _message("pacs.008.001.08", "FIToFICstmrCdtTrf", _header(TOTAL) + _transfer(1) + _transfer(2))

PACS_009 = _message(
    "pacs.009.001.08",
    "FICdtTrf",
    _header("").replace("<NbOfTxs>2<", "<NbOfTxs>1<")
    + f"""<CdtTrfTxInf><PmtId><EndToEndId>E1</EndToEndId></PmtId>
<IntrBkSttlmAmt Ccy="JPY">1000</IntrBkSttlmAmt>{_agent("Dbtr", "DEUTDEFF")}{_agent("Cdtr", "BNPAFRPP")}
</CdtTrfTxInf>""",
)

PACS_004 = _message(
    "pacs.004.001.09",
    "PmtRtr",
    _header("").replace("<NbOfTxs>2<", "<NbOfTxs>1<")
    + """<TxInf><RtrId>R1</RtrId><OrgnlGrpInf><OrgnlMsgId>M0</OrgnlMsgId>
<OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInf><OrgnlEndToEndId>E1</OrgnlEndToEndId>
<OrgnlIntrBkSttlmAmt Ccy="EUR">10.01</OrgnlIntrBkSttlmAmt>
<RtrdIntrBkSttlmAmt Ccy="EUR">9.01</RtrdIntrBkSttlmAmt>
<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></RtrRsnInf></TxInf>""",
)

PACS_002 = _message(
    "pacs.002.001.10",
    "FIToFIPmtStsRpt",
    f"""<GrpHdr><MsgId>S1</MsgId><CreDtTm>{_DATE}T09:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId>
<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>E2</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>""",
)


def _assignment() -> str:
    agents = f"<Assgnr>{_agent('Agt', 'DEUTDEFF')}</Assgnr><Assgne>{_agent('Agt', 'BNPAFRPP')}</Assgne>"
    return f"<Assgnmt><Id>A1</Id>{agents}<CreDtTm>{_DATE}T09:00:00Z</CreDtTm></Assgnmt>"


CAMT_056 = _message(
    "camt.056.001.08",
    "FIToFIPmtCxlReq",
    _assignment()
    + """<Undrlyg><TxInf><CxlId>C1</CxlId><OrgnlEndToEndId>E1</OrgnlEndToEndId>
<OrgnlIntrBkSttlmAmt Ccy="EUR">10.01</OrgnlIntrBkSttlmAmt>
<CxlRsnInf><Rsn><Cd>DUPL</Cd></Rsn></CxlRsnInf></TxInf></Undrlyg>""",
)

CAMT_029 = _message(
    "camt.029.001.09",
    "RsltnOfInvstgtn",
    _assignment()
    + """<Sts><Conf>RJCR</Conf></Sts><CxlDtls><TxInfAndSts><CxlStsId>C1</CxlStsId>
<OrgnlEndToEndId>E1</OrgnlEndToEndId><TxCxlSts>RJCR</TxCxlSts>
<CxlStsRsnInf><Rsn><Cd>ARDT</Cd></Rsn></CxlStsRsnInf></TxInfAndSts></CxlDtls>""",
)

PAIN_008 = _message(
    "pain.008.001.08",
    "CstmrDrctDbtInitn",
    f"""<GrpHdr><MsgId>M1</MsgId><CreDtTm>{_DATE}T09:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs>
<CtrlSum>12.34</CtrlSum><InitgPty><Nm>Bruno</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>P1</PmtInfId><PmtMtd>DD</PmtMtd><ReqdColltnDt>{_DATE}</ReqdColltnDt>
<Cdtr><Nm>Bruno</Nm></Cdtr><CdtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></CdtrAcct>
{_agent("CdtrAgt", "BNPAFRPP")}<DrctDbtTxInf><PmtId><EndToEndId>E1</EndToEndId></PmtId>
<InstdAmt Ccy="EUR">12.34</InstdAmt><DrctDbtTx><MndtRltdInf><MndtId>W1</MndtId></MndtRltdInf></DrctDbtTx>
{_agent("DbtrAgt", "DEUTDEFF")}<Dbtr><Nm>Ada</Nm></Dbtr>
<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></DrctDbtTxInf></PmtInf>""",
)
