"""The dictionary of types is whole: every message can be compiled, and no type is nobody's."""

import re
from collections import Counter

import pytest

from goodfunds.files.kinds import STATEMENTS, TRANSACTIONS
from goodfunds.files.schema import Schema
from goodfunds.files.text_types import text_type
from goodfunds.files.type_dictionary import FILE, definition, definitions, kind_of_root, roots, schema

LINES = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
MESSAGES = [line.split()[1] for line in LINES if line.startswith("message ")]


@pytest.mark.parametrize("kind", [*STATEMENTS, *TRANSACTIONS])
def test_every_version_of_a_kind_can_be_compiled_with_all_its_texts(kind: str) -> None:
    versions = [name for name in MESSAGES if name.startswith(f"{kind}.001.")]
    assert len(versions) > 1
    for name in versions:
        found = definition(name)
        assert found is not None
        assert found.root in roots(kind)
        assert schema("").texts(found.type)


def test_no_type_has_two_children_of_one_name_and_none_is_unused() -> None:
    written = dict(line.split(" ", 1) for line in LINES if not line.startswith("message "))
    used = {line.split()[3] for line in LINES if line.startswith("message ")}
    for line in written.values():
        if not line.startswith("="):
            children = re.findall(r"(\w+)[?*+]?(?:\{[\d,]+\})?:(\w+)", line)
            assert max(Counter(name for name, _ in children).values()) == 1
            used |= {kind for _, kind in children}
    assert used - set(written) == set()
    # Code lists that only an amount's attribute bears are written with the amount.
    assert {name for name in set(written) - used if not written[name].startswith("= ")} == set()


def test_a_version_that_is_not_there_is_those_that_it_lies_between() -> None:
    for name, wanted in (
        ("pacs.004.001.12", ["pacs.004.001.13", "pacs.004.001.11"]),
        ("pacs.004.001.13", ["pacs.004.001.13"]),
        ("pacs.004.001.99", ["pacs.004.001.13"]),
        ("pacs.004.001.01", ["pacs.004.001.09"]),
        ("pacs.004.003.01", []),
    ):
        assert [each.name for each in definitions(name)] == wanted
        found = definition(name)
        assert (None if found is None else found.name) == next(iter(wanted), None)
    assert definition("pacs.004") is None
    assert definition("") is None
    assert (kind_of_root("BkToCstmrStmt"), kind_of_root("Anything")) == ("camt.053", "")


def test_a_choice_among_other_elements_takes_one_of_them() -> None:
    texts = {"Text": text_type("text 0")}
    kind = Schema({"Date": "Tp:Text ( Dt:Text | DtTm:Text )"}, texts, 0, "").type("Date")
    letters = {kind.names[tag]: letter for tag, letter in kind.letters.items()}
    for names, allowed in (
        (("Tp", "Dt"), True),
        (("Tp", "DtTm"), True),
        (("Tp",), False),
        (("Tp", "Dt", "DtTm"), False),
    ):
        assert (kind.order.fullmatch("".join(letters[name] for name in names)) is not None) == allowed


@pytest.mark.parametrize(
    ("written", "sound", "broken"),
    [
        ("text 1 3", ["a", "ßßß", "   "], ["", "abcd"]),
        ("one CRDT DBIT", ["CRDT"], ["crdt", " CRDT", ""]),
        ("like [A-Z]{3,3}", ["EUR"], ["EU", "eur", "EURO", "EUR\n"]),
        ("decimal 5 2 0", ["0", "1.50", "001.5000", "+1", ".5", "5.", " 1 ", "999.99"],
         ["-1", "1.001", "123456", "1e1", ""]),
        ("decimal 3 1", ["-1.5"], ["1.55"]),
        ("date", ["2026-03-02", "2026-03-02Z", " 2026-03-02 ", "2026-03-02+14:00", "2026-03-02-13:59"],
         ["2026-02-30", "2026-03-02T09:00:00", "02.03.2026", "2026-03-02+99:99", "2026-03-02-14:30"]),
        ("dateTime", ["2026-03-02T09:00:00.123+01:00", "2026-03-02T24:00:00", "2026-03-02T24:00:00.00Z"],
         ["2026-03-02", "2026-03-02T25:00:00", "2026-02-30T24:00:00", "2026-03-02T24:00:00.5",
          "2026-03-02T09:00:60", "2026-03-02T09:00:00+25:61"]),
        ("time", ["09:00:00", "23:59:59.9Z", "24:00:00"], ["24:00:01", "9:00"]),
        ("base64Binary", ["", "QUI=", "QU JD\n", "QQ=="],
         ["QUI", "Q", "=", "QR==", "QUJ=", "QUI=QUI=", "QÜJD"]),
        ("gYear", ["2026"], ["26"]),
        ("gYearMonth", ["2026-03"], ["2026-13"]),
        ("boolean", ["true", "0"], ["yes", ""]),
    ],
)  # fmt: skip
def test_text_is_checked_as_xml_schema_says(written: str, sound: list[str], broken: list[str]) -> None:
    kind = text_type(written)
    for text in sound:
        kind.check(text)
    for text in broken:
        with pytest.raises(ValueError, match=r"^\S"):
            kind.check(text)


def test_an_amount_bears_its_currency() -> None:
    kind = text_type("decimal 18 5 0 @Ccy [A-Z]{3,3}")
    kind.check("1.50")
    kind.attributes["Ccy"]("EUR")
    with pytest.raises(ValueError, match="Ccy"):
        kind.attributes["Ccy"]("eu")
