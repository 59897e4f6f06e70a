"""The schemas as a Confluent-compatible registry has them: read-only over HTTP, and pushed to a real one."""

from goodfunds.registry.catalogue import Catalogue, Version, find_schemas, read_catalogue

__all__ = ["Catalogue", "Version", "find_schemas", "read_catalogue"]
