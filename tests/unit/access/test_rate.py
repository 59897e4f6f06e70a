"""The bucket of a token: as many at once as it holds, then as many as flow in; in bounded memory."""

from goodfunds.access.rate import Buckets, Rate


class Elapsed:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_is_let_in_and_then_one_at_a_time_as_the_rate_has_it() -> None:
    elapsed = Elapsed()
    buckets = Buckets(Rate(per_second=2, burst=3), elapsed)
    assert [buckets.take(b"one") for _ in range(4)] == [0, 0, 0, 0.5]
    elapsed.seconds += 0.25
    assert buckets.take(b"one") == 0.25
    elapsed.seconds += 0.25
    assert [buckets.take(b"one") for _ in range(2)] == [0, 0.5]


def test_whoever_waits_long_has_a_full_bucket_and_no_more() -> None:
    elapsed = Elapsed()
    buckets = Buckets(Rate(per_second=2, burst=3), elapsed)
    buckets.take(b"one")
    elapsed.seconds += 3_600
    assert [bool(buckets.take(b"one")) for _ in range(4)] == [False, False, False, True]


def test_one_token_does_not_drink_from_anothers_bucket() -> None:
    buckets = Buckets(Rate(per_second=1, burst=1), Elapsed())
    assert [buckets.take(each) for each in (b"one", b"two", b"one")] == [0, 0, 1]


def test_buckets_that_are_full_again_are_forgotten() -> None:
    elapsed = Elapsed()
    buckets = Buckets(Rate(per_second=1, burst=1), elapsed)
    for number in range(5_000):
        elapsed.seconds += 1
        assert buckets.take(b"%d" % number) == 0
    assert len(buckets._held) <= 1_000
