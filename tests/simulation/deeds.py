"""What a story has the bank do, by the words that tell it."""

from collections.abc import Callable, Collection, Mapping

from goodfunds.rails.calendar import next_business_day
from tests.simulation.bank import SimulatedBank
from tests.simulation.bank.books import RETURN
from tests.simulation.bank.outbox import CAMT053, CAMT054, PAIN002, Fate


def _of_booked(deed: Callable[[SimulatedBank, str], object]) -> Callable[[SimulatedBank], object]:
    """Do something about the payment that was booked first and has nothing wrong about it."""

    def do(bank: SimulatedBank) -> object:
        return next((deed(bank, each) for each in bank.open_to_faults()), None)

    return do


DEEDS: Mapping[str, Callable[[SimulatedBank], object]] = {
    "will reject a payment": lambda bank: bank.reject(),
    "will reject a payment of a blocked account": lambda bank: bank.reject(code="AC06"),
    "will refuse a file whole": lambda bank: bank.refuse_file("FF01"),
    "will return a payment": lambda bank: bank.return_later(),
    "returns a booked payment": _of_booked(lambda bank, booked: bank.return_booked(booked)),
    "will tell RJCT and then book": lambda bank: bank.contradict_later(told_first=True),
    "will book and then tell RJCT": lambda bank: bank.contradict_later(told_first=False),
    "tells RJCT of a booked payment": _of_booked(lambda bank, booked: bank.contradict_booked(booked)),
    "will echo an EndToEndId alone": lambda bank: bank.echo_only(),
    "loses its next pain.002": lambda bank: bank.meet_next(PAIN002, Fate.LOST),
    "loses its next camt.054": lambda bank: bank.meet_next(CAMT054, Fate.LOST),
    "doubles its next pain.002": lambda bank: bank.meet_next(PAIN002, Fate.DOUBLED),
    "doubles its next camt.054": lambda bank: bank.meet_next(CAMT054, Fate.DOUBLED),
    "doubles the bytes of its next camt.054": lambda bank: bank.meet_next(CAMT054, Fate.DOUBLED_BYTES),
    "doubles its next camt.053": lambda bank: bank.meet_next(CAMT053, Fate.DOUBLED_BYTES),
    "half writes its next pain.002": lambda bank: bank.meet_next(PAIN002, Fate.HALF_WRITTEN),
    "half writes its next camt.054": lambda bank: bank.meet_next(CAMT054, Fate.HALF_WRITTEN),
    "half writes its next camt.053": lambda bank: bank.meet_next(CAMT053, Fate.HALF_WRITTEN),
    "holds its pain.002 back": lambda bank: bank.outbox.hold(PAIN002),
    "holds its camt.054 back": lambda bank: bank.outbox.hold(CAMT054),
    "holds its statements back": lambda bank: bank.outbox.hold(CAMT053),
    "releases what it held back": lambda bank: bank.outbox.release(),
    "releases its last answer first": lambda bank: bank.outbox.release(count=1, last_first=True),
    "leaves a line out of its next statement": lambda bank: bank.leave_out_line(),
    "leaves a return out of its next statement": lambda bank: bank.leave_out_line(side=RETURN),
    "misstates a line of its next statement": lambda bank: bank.misstate_line(),
    "is out of reach for two calls": lambda bank: bank.break_calls(2),
    "does not answer its next delivery": lambda bank: bank.break_calls(1, "deliver", after=True),
    "cuts the next upload": lambda bank: bank.cut_uploads(),
    "takes files in": lambda bank: bank.judge(),
}
"""Words → what the bank does."""


def end_day(bank: SimulatedBank, parts: int) -> None:
    """End the bank's day, stated in so many parts, each a message of its own."""
    bank.end_day(parts, parts, to=next_business_day(bank.books.day))


def correct(bank: SimulatedBank, read: Collection[str]) -> None:
    """State a day again under its number: the last of those `read` (their Ids) that is not corrected yet."""
    for account in bank.books.accounts:
        for each in reversed(bank.statements(account)):
            if each.statement_id in read and each.lines and bank.correct_statement(account, each.number):
                return
