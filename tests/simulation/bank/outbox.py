"""The bank's outbox: answers that lie there, and those held back, lost, doubled or half written on order."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

PAIN002, CAMT054, CAMT053 = "pain.002", "camt.054", "camt.053"
KINDS = (PAIN002, CAMT054, CAMT053)


class Fate(StrEnum):
    """What becomes of an answer. The value is the kind of the fault that it is."""

    ON_TIME = ""
    LATE = "late_answer"
    LOST = "lost_answer"
    DOUBLED = "doubled_answer"
    DOUBLED_BYTES = "doubled_bytes"
    HALF_WRITTEN = "half_written_answer"


@dataclass(slots=True)
class Answer:
    """A message that the bank owes. `appeared`: its place among all writings; 0 while it lies nowhere."""

    kind: str
    name: str
    message_id: str
    content: bytes
    fate: Fate
    appeared: int = 0
    whole: bool = False


Render = Callable[[str], bytes]
"""The content of an answer with that message id."""


class Outbox:
    """The answers in the order in which they were owed."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._fates: dict[str, deque[Fate]] = defaultdict(deque)
        self._holding: set[str] = set()
        self._writings = 0

    def put(self, kind: str, day: date, render: Render) -> Fate:
        """Owe an answer; what becomes of it."""
        fates = self._fates[kind]
        fate = fates.popleft() if fates else Fate.LATE if kind in self._holding else Fate.ON_TIME
        first = self._owe(kind, day, render, fate)
        if fate is Fate.DOUBLED:
            self._owe(kind, day, render, fate)
        elif fate is Fate.DOUBLED_BYTES:
            self._owe(kind, day, lambda _: first.content, fate)
        return fate

    def meet_next(self, kind: str, fate: Fate, count: int = 1) -> None:
        """The next answers of a kind meet that fate. No statement gets lost: nothing else says it all."""
        if kind not in KINDS or (kind, fate) == (CAMT053, Fate.LOST):
            raise ValueError(f"{kind} cannot be a {fate.value}")
        self._fates[kind].extend([fate] * count)

    def hold(self, *kinds: str) -> None:
        """Hold back answers of these kinds (none given: all) from now on, until they are released."""
        self._holding.update(kinds or KINDS)

    def release(self, kind: str = "", count: int | None = None, last_first: bool = False) -> list[str]:
        """Let held answers of a kind (none given: all) appear, and half-written ones be whole; their names.

        `last_first`: of `count` those that were owed last. Later ones are no longer held back, unless
        `count` says how many are.
        """
        waiting = [
            each
            for each in self.answers
            if kind in ("", each.kind) and each.fate in (Fate.LATE, Fate.HALF_WRITTEN) and not each.whole
        ]
        if last_first:
            waiting.reverse()
        if count is None:
            self._holding -= {kind} if kind else self._holding.copy()
        chosen = waiting[:count]
        for each in chosen:
            self._write(each, whole=True)
        return [each.name for each in chosen]

    def settle_down(self) -> list[str]:
        """Everything late appears, nothing more goes wrong; what is lost stays lost. The names."""
        self._fates.clear()
        return self.release()

    def listing(self) -> list[tuple[str, str]]:
        """(name, mark) of what lies there, by name; the mark is another once the content is."""
        return sorted((each.name, f"{len(_lying(each))} {each.appeared}") for each in self._there())

    def content(self, name: str) -> bytes | None:
        """The bytes under a name, None where nothing lies there."""
        return next((_lying(each) for each in self._there() if each.name == name), None)

    def _there(self) -> list[Answer]:
        return [each for each in self.answers if each.appeared]

    def _owe(self, kind: str, day: date, render: Render, fate: Fate) -> Answer:
        number = len(self.answers) + 1
        short = kind.replace(".", "")
        message_id = f"SIM{short.upper()}-{day:%Y%m%d}-{number:08d}"
        answer = Answer(kind, f"{short}-{day:%Y%m%d}-{number:08d}.xml", message_id, render(message_id), fate)
        self.answers.append(answer)
        if fate not in (Fate.LATE, Fate.LOST):
            self._write(answer, whole=fate is not Fate.HALF_WRITTEN)
        return answer

    def _write(self, answer: Answer, whole: bool) -> None:
        self._writings += 1
        answer.appeared, answer.whole = self._writings, whole


def _lying(answer: Answer) -> bytes:
    return answer.content if answer.whole else answer.content[: len(answer.content) // 2]
