"""The proof: from the databases alone, that every cent is where the books say, or which is not.

Reads snapshots of all services in an order in which a consumer's is older than its producer's (`reading`),
and judges them without I/O (`judging`).
"""

from goodfunds.proof.check import Check
from goodfunds.proof.judging import PATIENCE_SECONDS, Proof, judge
from goodfunds.proof.reading import read_evidence

__all__ = ["PATIENCE_SECONDS", "Check", "Proof", "judge", "read_evidence"]
