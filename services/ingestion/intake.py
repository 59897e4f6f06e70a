"""The file intake: publishes the payments of a valid file one by one, from its position, on their lanes."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from goodfunds.errors import InvariantBroken
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import PaymentInstruction
from goodfunds.files import instructions_pain001
from goodfunds.files.records import FileError, InvalidFile, PaymentFile
from goodfunds.lanes import Emission, Sequences, lane_of
from goodfunds.lanes.records import Connection
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_REMITTANCE, TRANSACTION_NOT_SUPPORTED
from services.ingestion.store import SQL, Pool

CHUNK = 1_000
"""Payments of one transaction."""
LONGEST_REMITTANCE = 9_000
"""Characters: the most that any scheme passes on, and far below what an event holds."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next payments of a file: `position` items of it stand on the topic already."""

    file_id: bytes
    position: int
    instructions: Sequence[PaymentInstruction]


class FileIntake:
    """Source of the feed. Reads on in an open file; a position that is not its own makes it read anew."""

    producer = "ingestion-intake"
    outputs = (PAYMENT_INSTRUCTIONS,)

    def __init__(self, pool: Pool, partitions: int) -> None:
        self._pool = pool
        self._partitions = partitions
        self._open: tuple[bytes, int, Iterator[PaymentInstruction]] | None = None

    async def look(self) -> Chunk | None:
        """The next chunk of the oldest file that is not finished."""
        row = await self._pool.fetchrow(SQL["waiting_file"])
        if row is None:
            self._open = None
            return None
        file_id, position = row["file_id"], row["position"]
        if self._open is None or self._open[:2] != (file_id, position):
            content = await self._pool.fetchval(SQL["file_content"], file_id)
            items = instructions(row["client"], io.BytesIO(content))
            self._open = (file_id, position, islice(items, position, None))
        items = self._open[2]
        # Until they are read they are nobody's: the thread of a look that is cancelled reads on.
        self._open = None
        # A thread, so that the heart beats on while a large file is read up to its position.
        chunk = await asyncio.to_thread(_next_of, items)
        if len(chunk) != min(CHUNK, row["items"] - position):
            raise InvariantBroken(f"file {file_id.hex()} has fewer payments than when it was taken in")
        self._open = (file_id, position + len(chunk), items)
        return Chunk(file_id, position, chunk)

    async def record(
        self,
        connection: Connection,
        work: Chunk,
        now: datetime,
        sequences: Sequences,  # noqa: ARG002 - the feeds' contract
    ) -> Sequence[Emission]:
        """Move the file's position, and publish its payments on their accounts' lanes."""
        position = work.position + len(work.instructions)
        moved = await connection.fetchval(SQL["move_file"], work.file_id, work.position, position, now)
        if moved is None:
            raise InvariantBroken(f"file {work.file_id.hex()} is not at {work.position}")
        return [
            Emission(
                PAYMENT_INSTRUCTIONS,
                lane_of(each.debtor_account, self._partitions),
                each.debtor_account.encode(),
                "PaymentInstruction",
                each.encode(),
                b"",
            )
            for each in work.instructions
        ]


def _next_of(items: Iterator[PaymentInstruction]) -> list[PaymentInstruction]:
    """The next chunk. Raises InvariantBroken where the file, valid when it was taken in, is not any more."""
    try:
        return list(islice(items, CHUNK))
    except InvalidFile as fault:
        raise InvariantBroken(f"a file cannot be read as when it was taken in: {fault}") from fault


def unusable(file: PaymentFile) -> list[FileError]:
    """What of a valid file could be no request on the topic: it has to be refused at the door."""
    found = []
    for information in file.payment_informations:
        if information.method == "CHK":
            why = "no rail writes cheques"
            found.append(FileError(TRANSACTION_NOT_SUPPORTED, information.line, "PmtInf/PmtMtd", why))
        if ":" in information.debtor_account:
            why = "a customer's account has no colon"
            found.append(FileError(CONTENT_INCORRECT, information.line, "PmtInf/DbtrAcct", why))
    for transfer in file.transfers:
        if sum(map(len, transfer.remittance_unstructured)) > LONGEST_REMITTANCE:
            why = f"remittance information has more than {LONGEST_REMITTANCE} characters"
            found.append(FileError(INVALID_REMITTANCE, transfer.line, "PmtInf/CdtTrfTxInf/RmtInf", why))
        if transfer.remittance_left_out:
            why = "of structured remittance information one creditor reference is all that can be passed on"
            found.append(FileError(INVALID_REMITTANCE, transfer.line, "PmtInf/CdtTrfTxInf/RmtInf/Strd", why))
    return found


def instructions(client: str, content: io.BytesIO) -> Iterator[PaymentInstruction]:
    """The payments of a valid file in order. Keys: MsgId / index of the PmtInf / index in it, from 1."""
    for placed in instructions_pain001.read(content, client):
        yield placed.instruction
