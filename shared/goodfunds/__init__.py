"""goodfunds: money movement proved to the cent. The library that services and clients import."""

from goodfunds.money import Money

__all__ = ["Money"]
