"""Measurements, each a command: they print what they measured and check every row afterwards."""
