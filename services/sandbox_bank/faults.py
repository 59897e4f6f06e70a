"""Seeded faults: which of them is drawn for which subject, the same for the same seed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b


class Fault(StrEnum):
    """What the bank can do wrong on purpose, and what it is drawn for."""

    REJECT = "reject"  # a payment
    RETURN = "return"  # a payment
    CONTRADICTORY_ANSWER = "contradictory_answer"  # a payment
    ECHO_END_TO_END_ONLY = "echo_end_to_end_only"  # a payment
    LOST_ANSWER = "lost_answer"  # a pain.002 or camt.054
    DOUBLED_ANSWER = "doubled_answer"  # a pain.002 or camt.054
    LATE_ANSWER = "late_answer"  # a pain.002 or camt.054
    DROP_UPLOAD = "drop_upload"  # a file name, once
    TIMEOUT_AFTER_UPLOAD = "timeout_after_upload"  # a file name, once
    SHORT_STATEMENT = "short_statement"  # a line of a camt.053
    WRONG_AMOUNT_LINE = "wrong_amount_line"  # a line of a camt.053


@dataclass(frozen=True, slots=True)
class FaultSetting:
    """How often a fault is committed, and how.

    `rate` 0..1 of its subjects; `count` (if given) bounds how many, and alone means the first ones.
    `reason`: the code of a reject, return or contradiction. `answers`: the kinds that lost, doubled and late
    answers are drawn from. `seconds`: a late answer's delay (none: until the day is advanced).
    `order`: whether a contradiction's RJCT comes `before` or `after` the booking (empty: drawn).
    """

    rate: float = 0.0
    count: int | None = None
    reason: str = ""
    answers: tuple[str, ...] = ("pain.002", "camt.054")
    seconds: float | None = None
    order: str = ""


NEVER = FaultSetting()
_WHOLE = 1 << 64


def drawn_number(seed: int, *words: str) -> int:
    """An evenly spread number below 2**64 that depends on nothing but the seed and the words."""
    digest = blake2b("\0".join((str(seed), *words)).encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


@dataclass(slots=True)
class Draw:
    """The draws of one decision: the seed, the settings, and how often each fault was committed so far."""

    seed: int
    settings: Mapping[str, FaultSetting]
    committed: dict[str, int] = field(default_factory=dict)

    def setting(self, fault: Fault) -> FaultSetting:
        """The setting in force; one that never strikes where none was made."""
        return self.settings.get(fault.value, NEVER)

    def strikes(self, fault: Fault, subject: str) -> bool:
        """Whether the fault is committed on this subject; counts it if so."""
        setting = self.settings.get(fault.value)
        if setting is None:
            return False
        so_far = self.committed.get(fault.value, 0)
        if setting.count is not None and so_far >= setting.count:
            return False
        rate = setting.rate if setting.rate or setting.count is None else 1.0
        if drawn_number(self.seed, fault.value, subject) >= int(rate * _WHOLE):
            return False
        self.committed[fault.value] = so_far + 1
        return True

    def variant(self, fault: Fault, subject: str, ways: int) -> int:
        """Which of `ways` variants of a fault the subject gets, drawn apart from whether it strikes."""
        return drawn_number(self.seed, fault.value, subject, "variant") % ways
