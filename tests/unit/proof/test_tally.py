"""Sums of the same payments, told apart from sums that merely agree."""

from goodfunds.proof.tally import Tally, fingerprint

FIRST, SECOND = bytes([1] * 16), bytes([2] * 16)


def tally(first_minor: int, second_minor: int) -> Tally:
    """Two payments of lane 3."""
    return Tally.of(
        {"lane": 3, "currency": "EUR", "amount_minor": minor, "fingerprint": fingerprint(payment_id, minor)}
        for payment_id, minor in ((FIRST, first_minor), (SECOND, second_minor))
    )


def test_payments_that_have_exchanged_their_amounts_differ_though_the_sums_agree() -> None:
    assert tally(100, 200).differing(tally(200, 100)) == [3]
    assert tally(100, 200).differing(tally(100, 200)) == []
    assert tally(100, 200).differing(tally(100, 201)) == [3]
