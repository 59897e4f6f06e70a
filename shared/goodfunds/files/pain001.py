"""pain.001, customer credit transfer initiation: reads what clients send, writes what goes to a bank."""

from goodfunds.files.pain001_reading import read, read_whole
from goodfunds.files.pain001_writing import write

__all__ = ["read", "read_whole", "write"]
