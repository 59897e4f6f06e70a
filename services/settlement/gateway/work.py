"""What the gateway's look hands to its record: each is one step of claim → call → record."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from goodfunds.lanes import Emission


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A sealed batch that waits for a file."""

    batch_id: bytes
    lane: int
    payments_count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BankFileClaim:
    """A file to be sent. `created_at` stands in its bytes; batches in the order of the file.

    `too_late`: its date has passed, it is never sent, and its payments go out with a later batch.
    """

    file_id: bytes
    rail: str
    nostro: str
    currency: str
    requested_date: date
    message_id: str
    file_name: str
    created_at: datetime
    sha256: bytes
    batches: tuple[SealedBatch, ...]
    too_late: bool = False

    def with_hash(self, sha256: bytes) -> "BankFileClaim":
        """The claim with the hash of its bytes."""
        return replace(self, sha256=sha256)


@dataclass(frozen=True, slots=True)
class UndeliveredFile:
    """A claimed file without a known end. `state` is that of its last attempt ("" before the first)."""

    file_id: bytes
    rail: str
    nostro: str
    currency: str
    requested_date: date
    message_id: str
    file_name: str
    created_at: datetime
    sha256: bytes
    attempts: int
    state: str
    last_started_at: datetime | None
    last_delivering_at: datetime | None

    def may_have_gone(self, now: datetime, unknown_after: timedelta) -> bool:
        """Whether the bank's "not found" does not count yet: an attempt got as far as delivering."""
        return self.last_delivering_at is not None and now - self.last_delivering_at < unknown_after


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """The next attempt is about to upload."""

    file: UndeliveredFile
    attempt: int


@dataclass(frozen=True, slots=True)
class MarkDelivering:
    """The upload lies at the bank under its temporary name and was compared; the rename is next."""

    file: UndeliveredFile


@dataclass(frozen=True, slots=True)
class EndAttempt:
    """How the last attempt ended: `not_sent` or `unknown`."""

    file: UndeliveredFile
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class FileSubmitted:
    """The bank has the file: it answered the rename, an enquiry, or with a message about it."""

    file: UndeliveredFile


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """A person was told by the bank whether it has a file."""

    request_id: int
    outcome: str
    file: UndeliveredFile | None = None
    found: bool = False


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """Events of an answer up to `position` (events, from its start); `finished` with its last."""

    name: str
    sha256: bytes
    kind: str
    position: int
    finished: bool
    outcome: str
    emissions: tuple[Emission, ...] = ()
    submitted: tuple[bytes, ...] = ()
    refused: tuple[tuple[bytes, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentsAsked:
    """Silent payments of a submitted file were asked for, up to `asked_to`; None ends the round."""

    file_id: bytes
    asked_to: bytes | None
    emissions: tuple[Emission, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundBatch:
    """A batch of a found file; `sequence` and the file's rail are what its id was derived from."""

    batch_id: bytes
    lane: int
    sequence: int
    amount_minor: int
    payment_ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FileFound:
    """After a restore: a file of ours that lies at the bank, and that the database does not know."""

    claim: BankFileClaim
    batches: tuple[FoundBatch, ...]


@dataclass(frozen=True, slots=True)
class FoldersRead:
    """After a restore: the database knows every file that lies at the bank."""

    incarnation: str


@dataclass(frozen=True, slots=True)
class FileAdopted:
    """After a restore: the payments of a found file are where they were; it is a file like others."""

    message_id: str
    file_id: bytes


@dataclass(frozen=True, slots=True)
class BankAsked:
    """After a restore: the bank knows none of the payments up to `asked_to` that would go out."""

    incarnation: str
    asked_to: bytes


@dataclass(frozen=True, slots=True)
class Released:
    """After a restore: the bank was asked for everything, and what is new may go out."""

    incarnation: str


Work = (
    BankFileClaim
    | StartAttempt
    | MarkDelivering
    | EndAttempt
    | FileSubmitted
    | PersonAnswered
    | MessageTaken
    | PaymentsAsked
    | FileFound
    | FoldersRead
    | FileAdopted
    | BankAsked
    | Released
)
