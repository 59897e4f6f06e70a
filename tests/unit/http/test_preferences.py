"""`Prefer: wait`: as RFC 7240 writes it, bounded, and nothing where it is written otherwise."""

import pytest

from goodfunds.http.preferences import wait_seconds


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0), ("", 0), ("wait=5", 5), ("WAIT=5", 5), ("wait = 5", 5), ('wait="5"', 5), ("wait=0", 0),
        ("respond-async, wait=5", 5), ("wait=5, handling=lenient", 5), ("wait=5; x=y", 5), ("wait=31", 30),
        ("wait=999999", 30), ("wait=9999999", 0), ("wait=-5", 0), ("wait=1.5", 0), ("wait=five", 0),
        ("wait", 0), ("await=5", 0), ("x=wait=5", 0), ("wait=٥", 0),
    ],
)  # fmt: skip
def test_the_seconds_that_a_client_would_wait(prefer: str | None, seconds: int) -> None:
    assert wait_seconds(prefer, 30) == seconds
