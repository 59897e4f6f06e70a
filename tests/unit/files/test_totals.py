"""Control sums of amounts whose currencies have different minor units."""

from decimal import Decimal

import pytest

from goodfunds.files.totals import Total
from goodfunds.money import UnknownCurrency


def test_a_control_sum_adds_amounts_as_their_decimals_stand_whatever_their_currencies() -> None:
    total = Total()
    for minor, currency in ((1_234, "KWD"), (5, "JPY"), (1_05, "EUR"), (1, "KWD")):
        total.add(minor, currency)
    assert (total.count, total.amount) == (4, Decimal("7.285"))
    with pytest.raises(UnknownCurrency):
        total.add(1, "XXX")
    assert total.count == 4
