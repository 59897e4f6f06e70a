"""An explicit-state checker of the lane protocol as built; `make model` runs all of it."""
