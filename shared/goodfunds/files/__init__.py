"""Bank formats: bytes in, records out, and back. Owns the shapes of bank messages; does no I/O of its own.

Readers take a binary file object, stream, and treat every byte as hostile; writers return bytes, the same
for the same records. `records` has the shapes, each other module one format or its grammar.
"""
