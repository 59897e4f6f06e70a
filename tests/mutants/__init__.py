"""Planted bugs, each a patch: what the tests and the simulation are worth is how many of them they find."""
