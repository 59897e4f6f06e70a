"""What a story wishes the bank to do wrong: with payments, files, lines of statements, and calls."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from tests.simulation.bank.books import Line

_DUPLICATE_CODES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05"})


class Treatment(StrEnum):
    """What is done to a payment when it is judged. The value is the kind of the fault that it is."""

    REJECT = "reject"
    RETURN = "return"
    CONTRADICT_BEFORE = "contradict_before"
    CONTRADICT_AFTER = "contradict_after"
    ECHO_ONLY = "echo_end_to_end_only"


@dataclass(frozen=True, slots=True)
class Wish:
    """A treatment with its reason code, of a payment by its InstrId or of the next (empty)."""

    treatment: Treatment
    code: str = ""
    instruction_id: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """A line of the next statement that is left out, or states `more_minor` than was moved.

    Of the payment with that InstrId (empty: the first that may be damaged), payment or return (empty: any).
    """

    more_minor: int = 0
    instruction_id: str = ""
    side: str = ""

    @property
    def left_out(self) -> bool:
        return self.more_minor == 0

    def fits(self, line: Line) -> bool:
        """Whether the line may be damaged and is meant.

        What it lacks must be known from a camt.054 and be of one payment about which nothing else is wrong:
        else what the house is to make of it is not one thing.
        """
        payment = line.payments[0]
        sound = len(line.payments) == 1 and not (payment.echo_only or payment.contradicted or payment.blind)
        return (
            sound
            and line.kind in payment.notified
            and line.kind not in payment.damaged
            and self.instruction_id in ("", payment.instruction_id)
            and self.side in ("", line.kind)
        )


class Wishes:
    """Wishes that wait for their moment."""

    def __init__(self) -> None:
        self.damages: list[Damage] = []
        self._payments: deque[Wish] = deque()
        self._files: deque[str] = deque()

    def add(self, wish: Wish) -> None:
        """Of the next payment (in the order of the wishes) or of a named one."""
        check(wish.code)
        self._payments.append(wish)

    def refuse_file(self, code: str) -> None:
        """The next file that could be taken is refused whole."""
        check(code)
        self._files.append(code)

    def next_file(self) -> str:
        """The code for which a file is refused; empty where none is."""
        return self._files.popleft() if self._files else ""

    def next_payment(self, instruction_id: str, unique: bool) -> Wish | None:
        """What is done to a payment. `unique`: its EndToEndId alone tells which it is."""
        for each in self._payments:
            meant = each.instruction_id in ("", instruction_id)
            if meant and (unique or each.treatment is not Treatment.ECHO_ONLY):
                self._payments.remove(each)
                return each
        return None

    def clear(self) -> None:
        """Nothing more is wished."""
        self.damages.clear()
        self._payments.clear()
        self._files.clear()


def check(code: str) -> None:
    """Raise ValueError for a code that says that an earlier copy stands: the house waits for that one."""
    if code in _DUPLICATE_CODES:
        raise ValueError(f"{code} rejects nothing by itself")


class Outages:
    """Calls that fail, before or after their effect, which the caller cannot tell."""

    def __init__(self) -> None:
        self._broken: list[tuple[str, bool]] = []
        self._cut_uploads = 0

    def add(self, count: int, call: str, after: bool) -> None:
        """The next calls of a name (empty: any) fail."""
        self._broken.extend([(call, after)] * count)

    def cut_uploads(self, count: int) -> None:
        """The next uploads break off in the middle."""
        self._cut_uploads += count

    def strikes(self, call: str, after: bool) -> bool:
        """Whether this call fails at this point of it."""
        found = next((each for each in self._broken if each[0] in ("", call) and each[1] == after), None)
        if found is not None:
            self._broken.remove(found)
        return found is not None

    def cuts_upload(self) -> bool:
        """Whether this upload breaks off."""
        cut = self._cut_uploads > 0
        self._cut_uploads -= cut
        return cut

    def clear(self) -> None:
        """The bank can be reached again."""
        self._broken.clear()
        self._cut_uploads = 0
