"""Fuzzing: whatever reads bytes from outside gets mutated ones, for a bounded time."""
