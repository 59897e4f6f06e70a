"""FIN messages of any type: recognised by their blocks, refused where form or money is not the standard's."""

from io import BytesIO
from random import Random

import pytest

from goodfunds.files import mt940, mt_messages
from goodfunds.files.mt_records import FinMessage
from goodfunds.files.records import InvalidFile
from goodfunds.rails import reasons as code
from tests.fuzz.mutating import mutated
from tests.unit.files.bank_texts import MT103

ACKNOWLEDGEMENT = b"{1:F21HOUSEDEFAXXX0000000000}{4:{177:2601021200}{451:0}}"


def messages(raw: bytes) -> list[FinMessage]:
    return list(mt_messages.read(BytesIO(raw)))


def test_a_message_has_its_blocks_fields_and_amounts() -> None:
    (found,) = messages(MT103)
    assert (found.kind, found.reference) == ("mt103", "PAY-1")
    assert (found.sender, found.receiver) == ("BANKDEFFAXXX", "HOUSEDEFAXXX")
    assert found.uetr == "7a562c67-ca16-48ba-b074-65581be6f001"
    assert found.amounts == (("32A", 123450, "EUR"),)
    assert found.fields[4] == ("50K", "/1\nAda")


def test_acknowledgements_are_no_messages() -> None:
    one = MT103.removesuffix(b"\n")
    raw = ACKNOWLEDGEMENT + one + ACKNOWLEDGEMENT + one + b"{5:{CHK:000000000000}}\n" + one
    assert [each.kind for each in messages(raw)] == ["mt103"] * 3
    found = mt940.inspect(BytesIO(raw))
    assert (found.format, found.valid, found.entries, found.sums) == ("mt103", True, 3, {"EUR": 370350})


def test_a_bulk_has_an_entry_for_each_amount() -> None:
    raw = MT103.replace(b"{2:O103", b"{2:O101").replace(b":33B:USD1300,", b":32B:JPY7,\n:32B:EUR0,05")
    found = mt940.inspect(BytesIO(raw))
    assert (found.format, found.entries, found.sums) == ("mt101", 3, {"EUR": 123455, "JPY": 7})


@pytest.mark.parametrize(
    ("kind", "settled"),
    [("102", ":32A:260102EUR30,\n:19:30,"), ("104", ":32B:EUR30,\n:19:30,"), ("107", ":32B:EUR30,")],
)
def test_what_settles_a_bulk_is_no_entry_of_it_but_must_be_an_amount(kind: str, settled: str) -> None:
    transactions = ":21:1\n:32B:EUR10,\n:21:2\n:21C:M\n:32B:EUR20,\n"
    raw = f"{{2:I{kind}HOUSEDEFXXXXN}}{{4:\n:20:R\n:23:CREDIT\n{transactions}{settled}\n-}}\n".encode()
    found = mt940.inspect(BytesIO(raw))
    assert (found.format, found.valid, found.entries, found.sums) == (f"mt{kind}", True, 2, {"EUR": 3000})
    assert [each[1] for each in messages(raw)[0].amounts] == [1000, 2000]
    assert not mt940.inspect(BytesIO(raw.replace(b"EUR30,", b"EUR30.00"))).valid


@pytest.mark.parametrize("kind", ["103", "202", "205", "900", "910"])
def test_a_transfer_has_one_settled_amount(kind: str) -> None:
    raw = MT103.replace(b"{2:O103", f"{{2:O{kind}".encode())
    settled = b":32A:260102EUR1234,5\n"
    assert mt940.inspect(BytesIO(raw)).valid
    for wrong in (raw.replace(settled, b""), raw.replace(settled, settled * 2)):
        found = mt940.inspect(BytesIO(wrong))
        assert (found.valid, found.readable, [each.path for each in found.errors]) == (False, False, ["32A"])


@pytest.mark.parametrize("missing", [b":23B:CRED\n", b":50K:/1\nAda\n", b":59:/2\nBruno\n", b":71A:SHA\n"])
def test_a_customer_transfer_without_one_of_its_fields_is_refused(missing: bytes) -> None:
    raw = MT103.replace(missing, b"")
    assert raw != MT103
    with pytest.raises(InvalidFile) as refused:
        messages(raw)
    assert refused.value.errors[0].code == code.MANDATORY_ELEMENT_MISSING


def test_fields_behind_the_last_message_are_refused() -> None:
    assert not mt940.inspect(BytesIO(MT103 + b":20:X\n:32A:260102EUR1,\n")).readable
    assert mt940.inspect(BytesIO(MT103 + b"\n   \n$\n")).valid


@pytest.mark.parametrize(
    ("right", "wrong", "reason", "path"),
    [
        (b"EUR1234,5", b"EUR1234.50", code.INVALID_AMOUNT, "32A"),
        (b"EUR1234,5", b"EUR1234", code.INVALID_AMOUNT, "32A"),
        (b"EUR1234,5", b"EUR1234,567", code.INVALID_AMOUNT, "32A"),
        (b"EUR1234,5", b"JPY1234,00", code.INVALID_AMOUNT, "32A"),
        (b"EUR1234,5", b"QQQ1234,5", code.INVALID_TRANSACTION_CURRENCY, "32A"),
        (b"EUR1234,5", b"", code.INVALID_AMOUNT, "32A"),
        (b"EUR1234,5", b"EUR1234\n,5", code.INVALID_AMOUNT, "32A"),
        (b":32A:260102", b":32A:", code.INVALID_AMOUNT, "32A"),
        (b":32A:260102", b":32A:260230", code.INVALID_DATE, "32A"),
        (b":20:PAY-1", b":20:", code.MANDATORY_ELEMENT_MISSING, "20"),
        (b":20:PAY-1\n", b"", code.MANDATORY_ELEMENT_MISSING, "20"),
        (b"-}\n", b"", code.INVALID_FILE_FORMAT, "4"),
        (b":20:PAY-1", b"hello\n:20:PAY-1", code.INVALID_FILE_FORMAT, "4"),
    ],
)
def test_a_payment_that_is_not_to_the_letter_is_refused(
    right: bytes, wrong: bytes, reason: str, path: str
) -> None:
    raw = MT103.replace(right, wrong, 1)
    with pytest.raises(InvalidFile) as refused:
        messages(raw)
    assert [(each.code, each.path) for each in refused.value.errors] == [(reason, path)]
    found = mt940.inspect(BytesIO(raw))
    assert (found.valid, found.readable) == (False, False)


@pytest.mark.parametrize("raw", [b"", b"hello", b"{1:F01}{2:I103}", b"{4:\n:20:X\n-}", b"{" * 1_000_000])
def test_what_holds_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidFile):
        messages(raw)


def test_mutated_messages_end_in_records_or_a_refusal() -> None:
    random = Random(22)
    for _ in range(400):
        raw = mutated(MT103 + MT103, random)
        found = mt_messages.inspect_messages([raw], "mt103")
        try:
            messages(raw)
        except InvalidFile:
            assert not found.readable
        else:
            assert found.readable


def test_hostile_repeats_end_soon() -> None:
    for raw in (
        b"{2:I103}\n" * 30_000,
        MT103.replace(b"-}\n", b":32B:EUR1,\n" * 100_000 + b"-}\n"),
        MT103[:-3] + b"x\n" * 1_000_000,
    ):
        assert not mt_messages.inspect_messages([raw], "mt103").valid
