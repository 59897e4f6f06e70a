"""Control sums: amounts added exactly, as their decimals stand and whatever their currencies."""

from decimal import Context, Decimal

from goodfunds.money import exponent

_EXACT = Context(prec=60)


class Total:
    """A running CtrlSum with the number of its transactions."""

    __slots__ = ("_by_places", "count")

    def __init__(self) -> None:
        self.count = 0
        self._by_places: dict[int, int] = {}

    def add(self, minor: int, currency: str) -> None:
        """Count an amount. Raises UnknownCurrency."""
        places = exponent(currency)
        self._by_places[places] = self._by_places.get(places, 0) + minor
        self.count += 1

    @property
    def amount(self) -> Decimal:
        """The exact sum."""
        total = Decimal(0)
        for places, minor in self._by_places.items():
            total = _EXACT.add(total, _EXACT.scaleb(Decimal(minor), -places))
        return total
