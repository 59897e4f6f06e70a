"""Stand-ins for what an answer is taken from and recorded in: a bank's outbox, and the rows of messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from goodfunds.clock import FixedClock
from goodfunds.rails import RAILS
from services.settlement.gateway.answers import AnswerReader
from services.settlement.gateway.reports import KnownFile, Reporter
from services.settlement.gateway.work import MessageTaken
from services.settlement.store import SQL


@dataclass
class Outbox:
    """Names and contents; of `known` the debits are booked already, `file` is the one that is asked about."""

    contents: Mapping[str, bytes]
    reporter: Reporter
    now: datetime
    known: frozenset[tuple[bytes, str]] = frozenset()
    file: KnownFile | None = None
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def reader(self) -> AnswerReader:
        """A reader that knows nothing yet but what is recorded."""
        doubles: Any = self
        return AnswerReader(doubles, doubles, RAILS, self.reporter, FixedClock(self.now))

    def record(self, taken: MessageTaken) -> None:
        """As the feed's transaction does."""
        self.messages[taken.name] = {
            "name": taken.name,
            "position": taken.position,
            "finished": taken.finished,
        }

    async def answers(self) -> list[str]:
        """As the bank lists them."""
        return sorted(self.contents)

    async def download(self, name: str, into: BinaryIO) -> None:
        """As the bank gives them."""
        into.write(self.contents[name])

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Of the statements those that an answer needs."""
        if statement == SQL["known_messages"]:
            return [self.messages[name] for name in arguments[0] if name in self.messages]
        if statement == SQL["known_debits"]:
            named = zip(*arguments[:3], strict=True)
            return [(place,) for place, *debit in named if tuple(debit) in self.known]
        assert statement == SQL["batches_of_file"]
        return list(self.file.batches) if self.file is not None else []

    async def fetchval(self, statement: str, *_: Any) -> None:
        """No other answer has the same content."""
        assert statement == SQL["message_of_content"]

    async def fetchrow(self, statement: str, *_: Any) -> dict[str, Any] | None:
        """The file of ours."""
        assert statement == SQL["file_of_message"]
        if self.file is None:
            return None
        return {name: getattr(self.file, name) for name in ("file_id", "rail", "nostro", "deliveries")}
