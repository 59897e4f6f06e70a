"""pain.002, customer payment status report: reads a bank's answers to payment files, and writes them."""

from goodfunds.files.pain002_reading import Record, read
from goodfunds.files.pain002_writing import write

__all__ = ["Record", "read", "write"]
