"""Identity: derived ids repeat, and references carry their lane there and back."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from goodfunds import ids

sixteen = st.binary(min_size=16, max_size=16)


@given(st.integers(0, 2**47), st.text(), st.text())
def test_deciding_again_gives_the_same_uuid_version_7(now_ms: int, client: str, key: str) -> None:
    first = ids.payment_id(now_ms, client, key)
    assert first == ids.payment_id(now_ms, client, key)
    shape = uuid.UUID(bytes=first)
    assert shape.version == 7
    assert shape.variant == uuid.RFC_4122
    assert int.from_bytes(first[:6], "big") == now_ms


def test_client_and_key_are_not_run_together() -> None:
    assert ids.payment_id(0, "ab", "c") != ids.payment_id(0, "a", "bc")


@given(st.integers(0, 9999), sixteen)
def test_a_reference_carries_its_lane_and_id(lane: int, identifier: bytes) -> None:
    reference = ids.reference(lane, identifier)
    assert len(reference) == 31
    assert ids.read_reference(reference) == (lane, identifier)


@given(st.text(max_size=40))
def test_foreign_references_are_not_mistaken_for_ours(text: str) -> None:
    found = ids.read_reference(text)
    assert found is None or ids.reference(*found) == text


@given(sixteen)
def test_ids_read_back_from_text(identifier: bytes) -> None:
    assert ids.parse(ids.text(identifier)) == identifier
    assert ids.from_base32(ids.base32(identifier)) == identifier
