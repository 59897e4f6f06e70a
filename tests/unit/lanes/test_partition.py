"""The lane of an account is the partition that Kafka's own clients choose."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.lanes import lane_of, murmur2


# Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2 (signed there).
@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_murmur2_gives_kafkas_own_values(text: str, signed: int) -> None:
    assert murmur2(text.encode()) == signed & 0xFFFFFFFF


@given(st.binary(max_size=80))
def test_murmur2_agrees_with_the_client_library(data: bytes) -> None:
    assert murmur2(data) == reference(data) & 0xFFFFFFFF


@given(st.text(min_size=1, max_size=40), st.integers(1, 200))
def test_a_default_producer_keyed_by_account_lands_on_the_accounts_lane(
    account: str, partitions: int
) -> None:
    every = list(range(partitions))
    assert DefaultPartitioner()(account.encode(), every, every) == lane_of(account, partitions)
