"""The SEPA character set and what becomes of other characters."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.rails.sepa_text import is_basic, is_identifier, transliterate


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Müller & Söhne GmbH", "Muller + Sohne GmbH"),
        ("Straße", "Strase"),
        ("Ærø Fiskeri Øst", "Aro Fiskeri Ost"),
        ("Łódź", "Lodz"),
        ("Œuvre", "Ouvre"),
        ("5 € [net] {a}", "5 E (net) (a)"),
        ("a_b~c;d@e", "a-b-c,d.e"),
        ("“quoted” – it’s…", "'quoted' - it's..."),
        ("Ελλάδα Θεός", "Ellada THeos"),
        ("България Щастие", "Balgariya SHTastie"),
        ("Žarko Đorđević", "Zarko Dordevic"),
        ("x²", "x2"),
        ("支付", ".."),
        ("👍", "."),
    ],
)
def test_other_characters_are_written_in_the_basic_set(written: str, sent: str) -> None:
    assert transliterate(written, 70) == sent


def test_a_letter_and_its_combining_accent_are_one_letter() -> None:
    assert transliterate("Mu\u0308ller", 70) == "Muller"


def test_control_characters_and_line_ends_become_one_space_and_invisible_ones_nothing() -> None:
    assert transliterate("a\r\n\tb\x00c\u00a0d\u200be\ufefff", 70) == "a b c def"


@pytest.mark.parametrize("text", ["/a", "a/", "//a//", " / a / ", "a" * 69 + "/b"])
def test_no_slash_or_space_stands_at_an_end(text: str) -> None:
    sent = transliterate(text, 70)
    assert sent
    assert not sent.startswith(("/", " "))
    assert not sent.endswith(("/", " "))


def test_text_is_cut_at_the_limit_after_it_grew() -> None:
    assert transliterate("Θ" * 70, 70) == "TH" * 35


@given(st.text(), st.integers(1, 140))
def test_whatever_comes_in_the_result_is_in_the_set_and_within_the_limit(text: str, limit: int) -> None:
    sent = transliterate(text, limit)
    assert is_basic(sent)
    assert len(sent) <= limit
    assert transliterate(sent, limit) == sent


def test_every_character_of_unicode_has_an_answer() -> None:
    outside = [code for code in range(0, sys.maxunicode + 1, 7) if not is_basic(transliterate(chr(code), 70))]
    assert outside == []


@pytest.mark.parametrize("reference", ["A", "E2E-1", "a/b", "x" * 35, "RE 2026/11:7", "NOTPROVIDED"])
def test_a_reference_of_the_basic_set_is_an_identifier(reference: str) -> None:
    assert is_identifier(reference)


@pytest.mark.parametrize(
    "reference", ["", " ", "x" * 36, "/a", "a/", "a//b", "ä", "a\n", "a_b", " a", "a ", "a\x00"]
)
def test_a_reference_that_a_bank_would_change_or_refuse_is_none(reference: str) -> None:
    assert not is_identifier(reference)
