"""NACHA records and files for tests: one batch of payroll, returns, changes, and a payment abroad."""

HEADER = "101 091000019" + "1234567890" + "2603020930A094101" + "FIRST BANK".ljust(23)
HEADER += "ADA WORKS".ljust(23) + "REF00001"
PAYROLL = "5220ADA WORKS".ljust(40) + "1234567890PPDPAYROLL   260302260303   1091000010000001"
CREDIT = (
    "622011401533"
    + "0072".ljust(17)
    + "0000124050"
    + "E1".ljust(15)
    + "JANE DOE".ljust(22)
    + "  0091000010000001"
)
DEBIT = (
    "627091000019"
    + "1899".ljust(17)
    + "0000124050"
    + "E2".ljust(15)
    + "ACME LLC".ljust(22)
    + "  0091000010000002"
)
FILLER = "9" * 94


def batch_control(header: str, count: int, hashed: int, debit: int, credit: int) -> str:
    company = " " * 10 if header[50:53] == "IAT" else header[40:50]
    sums = f"{count:06}{hashed:010}{debit:012}{credit:012}"
    return "8" + header[1:4] + sums + company + " " * 25 + header[79:]


def file_control(batches: int, records: int, count: int, hashed: int, debit: int, credit: int) -> str:
    return f"9{batches:06}{-(-records // 10):06}{count:08}{hashed:010}{debit:012}{credit:012}".ljust(94)


def whole(header: str, *records: str, advices: bool = False) -> list[str]:
    """A file of one batch with its controls, filled; advices have amounts of twelve digits."""
    entries = [each for each in records if each[0] == "6"]
    hashed = sum(int(each[3:11]) for each in entries)
    amount = slice(27, 39) if advices else slice(29, 39)
    credits_ = sum(int(each[amount]) for each in entries if each[2] in ("1357" if advices else "1234"))
    debits = sum(int(each[amount]) for each in entries) - credits_
    lines = [HEADER, header, *records]
    if advices:
        lines += [
            f"8280{len(records):06}{hashed:010}{debits:020}{credits_:020}".ljust(79) + header[79:],
            f"9{1:06}{1:06}{len(records):08}{hashed:010}{debits:020}{credits_:020}".ljust(94),
        ]
    else:
        lines.append(batch_control(header, len(records), hashed, debits, credits_))
        lines.append(file_control(1, len(lines) + 1, len(records), hashed, debits, credits_))
    return [*lines, *[FILLER] * (-len(lines) % 10)]


def raw(lines: list[str], line_break: str = "\n") -> bytes:
    return "".join(line + line_break for line in lines).encode("utf-8")


def put(record: str, first: int, text: str) -> str:
    """The record with that text from a position on, which counts from 1."""
    return record[: first - 1] + text + record[first - 1 + len(text) :]


MIXED = put(PAYROLL, 2, "200")
SMALL = whole(MIXED, CREDIT, DEBIT)


def changed(line: int, first: int, text: str, lines: list[str] = SMALL) -> list[str]:
    """The file with that text in its line, both from 1."""
    return [*lines[: line - 1], put(lines[line - 1], first, text), *lines[line:]]


RETURNED = put(put(CREDIT, 2, "21"), 79, "1")


def addenda(text: str, tail: str = "091000010000001") -> str:
    return "7" + text.ljust(93 - len(tail)) + tail


RETURN = addenda("99R01" + "011401530000009" + " " * 6 + "01140153" + "NOT ENOUGH")
DISHONORED = addenda(
    "99R68" + "011401530000009" + " " * 6 + "01140153" + "   " + "091000010000003" + "06201LATE"
)
CONTESTED = addenda(
    "99R73"
    + "011401530000009"
    + "260301"
    + "01140153"
    + "060"
    + "091000010000003"
    + "06201"
    + "1" * 15
    + "06368"
)
CHANGE = addenda("98C01" + "011401530000009" + " " * 6 + "01140153" + "12345678")
REFUSED = addenda("98C62" + "011401530000009" + " " * 6 + "01140153" + "12345678".ljust(29) + "C010000042")


IAT = "5220" + " " * 16 + "FF3".ljust(18) + "DE1234567890IATINVOICE   USDEUR260303   1091000010000001"
IAT_ENTRY = (
    "6220114015330007" + " " * 13 + "0000124050" + "DE89370400440532013000".ljust(35) + "    1091000010000001"
)
IAT_ADDENDA = [
    addenda("10BUS" + "0" * 18 + " " * 22 + "MAX MUELLER", "0000001"),
    addenda("11ADA WORKS".ljust(37) + "1 MAIN STREET", "0000001"),
    addenda("12ANYTOWN*VA\\".ljust(37) + "US*12345\\", "0000001"),
    addenda("13FIRST BANK".ljust(37) + "01091000019".ljust(36) + "US", "0000001"),
    addenda("14ZWEITE BANK".ljust(37) + "02COBADEFFXXX".ljust(36) + "DE", "0000001"),
    addenda("15".ljust(17) + "HAUPTSTR 1", "0000001"),
    addenda("16KOELN\\".ljust(37) + "DE*50667\\", "0000001"),
]

ABROAD = whole(IAT, IAT_ENTRY, *IAT_ADDENDA)
