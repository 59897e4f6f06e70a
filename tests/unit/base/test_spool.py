"""The spool: what was written comes back from any place on, and a write that breaks off leaves nothing."""

import tracemalloc
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.spool import IN_MEMORY, Spool, digest_of, temporary


def _records(count: int, size: int) -> list[bytes]:
    """Of different lengths, none among them."""
    return [b"%d" % number * (number % (size + 1)) for number in range(count)]


@given(
    st.lists(st.integers(0, 1_700), max_size=3),
    st.sampled_from([0, 3, 300]),
    st.integers(0, 4_000),
    st.integers(0, 2_500),
)
def test_what_was_written_is_read_from_any_place_on(
    counts: list[int], size: int, first: int, count: int
) -> None:
    written: list[bytes] = []
    spool = Spool()
    for each in counts:
        spool.write(_records(each, size))
        written += _records(each, size)
        assert spool.read(first, count) == written[first : first + count]
    assert len(spool) == len(written)
    spool.close()


def test_of_a_write_that_breaks_off_nothing_stays_and_the_next_one_follows_what_was_there() -> None:
    def breaking() -> Iterator[bytes]:
        yield from _records(3_000, 300)
        raise ValueError("it breaks off")

    spool = Spool()
    spool.write([b"first"])
    with pytest.raises(ValueError, match="breaks off"):
        spool.write(breaking())
    assert spool.read(0, 9) == [b"first"]
    spool.write([b"second"])
    assert spool.read(0, 9) == [b"first", b"second"]
    spool.close()


def test_of_long_records_only_those_near_the_wanted_one_are_read() -> None:
    spool = Spool()
    spool.write(bytes([number]) * 100_000 for number in range(100))
    tracemalloc.start()
    try:
        assert spool.read(50, 1) == [bytes([50]) * 100_000]
        # Its block, once in one piece and once cut: 3 records of 100,000 bytes make one.
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
        spool.close()


def test_what_is_cleared_is_gone_and_the_next_record_is_the_first() -> None:
    spool = Spool()
    spool.write(_records(3_000, 300))
    spool.clear()
    assert (len(spool), spool.read(0, 9)) == (0, [])
    spool.write([b"first"])
    assert spool.read(0, 9) == [b"first"]
    spool.close()


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY + 1])
def test_a_files_hash_is_that_of_its_whole_content_wherever_it_stands(size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    with temporary() as file:
        file.write(content)
        assert digest_of(file) == sha256(content).digest()
