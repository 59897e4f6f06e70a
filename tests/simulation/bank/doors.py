"""The bank's doors, as the gateway and the statement reader know them; every call waits at two gates.

`gate("bank:deliver:before")`, then the effect without a pause, then `gate("bank:deliver:after")`: whoever
drives the loop may freeze, break or kill the caller at either.
"""

from collections.abc import Awaitable, Callable
from typing import BinaryIO, TypeVar

from goodfunds.errors import Unavailable
from services.reconciliation.outbox_folder import Listed
from services.settlement.gateway.bank import FileStanding, Rejection
from tests.simulation.bank.bank import SimulatedBank

Gate = Callable[[str], Awaitable[None]]
_T = TypeVar("_T")


class _Door:
    """Calls that may fail, before or after their effect."""

    def __init__(self, bank: SimulatedBank, gate: Gate) -> None:
        self._bank = bank
        self._gate = gate

    async def _called(self, call: str, effect: Callable[[], _T]) -> _T:
        await self._gate(f"bank:{call}:before")
        bank = self._bank
        if bank.breaks(call, after=False):
            raise Unavailable(f"{call}: the bank cannot be reached")
        found = effect()
        broken = bank.breaks(call, after=True)
        await self._gate(f"bank:{call}:after")
        if broken:
            raise Unavailable(f"{call}: the bank's answer did not arrive")
        return found

    def _fetched(self, name: str) -> bytes:
        content = self._bank.outbox.content(name)
        if content is None:
            raise Unavailable(f"fetch of {name}: it is not in the outbox")
        return content


class GatewayDoor(_Door):
    """What `services.settlement.gateway.bank.Bank` offers."""

    async def upload(self, name: str, attempt: int, content: bytes) -> None:
        """Put the content under a temporary name of the attempt; what earlier attempts left is removed."""
        await self._called("upload", lambda: self._bank.receive_draft(name, attempt, content))

    async def deliver(self, name: str, attempt: int) -> None:
        """Rename the upload to its final name."""
        await self._called("deliver", lambda: self._bank.take_in(name, attempt))

    async def enquire(self, name: str, message_id: str) -> FileStanding:
        """What the bank knows of a file, by name and by message id."""
        return await self._called("enquire", lambda: self._standing(name, message_id))

    async def payment_rejection(self, instruction_id: str, message_id: str) -> Rejection | None:
        """The bank's rejection of a payment of that file; None where it has not rejected it."""
        return await self._called(
            "payment_rejection", lambda: self._rejection(self._bank.rejection_of(message_id, instruction_id))
        )

    async def answers(self) -> list[str]:
        """Names in the outbox, sorted."""
        return await self._called("answers", lambda: [name for name, _ in self._bank.outbox.listing()])

    async def download(self, name: str, into: BinaryIO) -> None:
        """Write the content of an answer to a file."""
        into.write(await self._called("download", lambda: self._fetched(name)))

    async def close(self) -> None:
        """Hang up."""

    def _standing(self, name: str, message_id: str) -> FileStanding:
        found, rejection = self._bank.standing_of(name, message_id)
        return FileStanding(found, self._rejection(rejection))

    def _rejection(self, told: tuple[str, str] | None) -> Rejection | None:
        return Rejection(*told) if told is not None else None


class StatementDoor(_Door):
    """What the statement reader's `Folder` offers."""

    async def statements(self) -> list[Listed]:
        """The camt.053 files in the outbox, sorted."""
        return await self._called(
            "statements",
            lambda: [Listed(*each) for each in self._bank.outbox.listing() if each[0].startswith("camt053")],
        )

    async def fetch(self, name: str, into: BinaryIO) -> None:
        """Write the content of a file."""
        into.write(await self._called("fetch_statement", lambda: self._fetched(name)))

    async def close(self) -> None:
        """Hang up."""
