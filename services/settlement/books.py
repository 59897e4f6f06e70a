"""What one poll of bank answers can touch, read set-based before anything is decided, and kept current."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from goodfunds.events.types import (
    BankEntryReported,
    BatchRefused,
    BatchStatusReported,
    BatchSubmitted,
    PaymentStatusReported,
)
from goodfunds.ids import NO_ID
from services.settlement import store
from services.settlement.attribution import named_in_batch
from services.settlement.decide import needs_memory
from services.settlement.model import (
    BLANK,
    UNANSWERED,
    Batch,
    Candidate,
    Memory,
    Payment,
    Standing,
    booking_key,
    sent_on_key,
    status_key,
    unattributed_status_key,
    unnamed,
)

Notice = BatchSubmitted | BatchRefused | BatchStatusReported | PaymentStatusReported | BankEntryReported


class Books:
    """The working set of a poll. Decisions read it and keep it current, in order."""

    def __init__(self) -> None:
        self.payments: dict[bytes, Payment] = {}
        self.standings: dict[bytes, Standing] = {}
        self.batches: dict[bytes, Batch] = {}
        self.batch_statuses: set[tuple[bytes, str]] = set()
        self._members: dict[bytes, list[bytes]] = {}
        self._memories: dict[bytes, Memory] = {}
        self._candidates: dict[int, Sequence[Candidate]] = {}

    def add(self, payment: Payment, standing: Standing = UNANSWERED) -> None:
        """Take a payment into the working set."""
        self.payments[payment.payment_id] = payment
        self.standings[payment.payment_id] = standing

    def members(self, batch_id: bytes) -> list[tuple[Payment, Standing]]:
        """The payments that are in a batch now, as they stand now."""
        found = []
        for payment_id in self._members.get(batch_id, ()):
            payment = self.payments[payment_id]
            if payment.batch_id == batch_id:
                found.append((payment, self.standings[payment_id]))
        return found

    def memory(self, key: bytes) -> Memory:
        """What is remembered under a key."""
        return self._memories.get(key, BLANK)

    def memory_of(self, payment: Payment, entry: BankEntryReported) -> Memory:
        """What is remembered of a payment's booking, also where a report did not name it."""
        elsewhere = self.memory(booking_key(unnamed(payment, entry)))
        return replace(self.memory(booking_key(entry)), unnamed=elsewhere.posted)

    def remember(self, key: bytes, memory: Memory) -> None:
        """Keep a memory for the later answers of this poll."""
        self._memories[key] = memory

    def candidates(self, notice: Notice) -> Sequence[Candidate]:
        """The payments that an answer with EndToEndId alone may be about."""
        found = self._candidates.get(id(notice), ())
        if not isinstance(notice, BankEntryReported):
            return found
        return [each._replace(suspended=self.memory(_key_of(each, notice)).posted) for each in found]

    def payment_ids(self) -> set[bytes]:
        """Every payment that these answers can be about, and none."""
        among = {each.payment_id for found in self._candidates.values() for each in found}
        return {*self.payments, *among, NO_ID}

    async def load(self, connection: store.Connection, by_lane: Mapping[int, Sequence[Notice]]) -> None:
        """Read what these answers can touch: nine queries at most, whatever their number."""
        notices = [notice for of_lane in by_lane.values() for notice in of_lane]
        named = [each for each in notices if _payment_of(each) != NO_ID]
        whole = {each.batch_id for each in notices if _payment_of(each) == NO_ID} - {NO_ID}
        for payment, standing in await store.members_of_batches(connection, whole):
            self.add(payment, standing)
            self._members.setdefault(payment.batch_id, []).append(payment.payment_id)
        missing = {_payment_of(each) for each in named} - self.payments.keys()
        for payment, standing in await store.payments_by_id(connection, missing):
            self.add(payment, standing)
        batch_ids = whole | {payment.batch_id for payment in self.payments.values()}
        for batch in await store.batches_by_id(connection, batch_ids - self.batches.keys()):
            self.batches[batch.batch_id] = batch
        await self._load_statuses(connection, notices)
        await self._load_candidates(connection, notices)
        keys = self._keys(notices, bool(whole)) | self._keys_of_misplaced(by_lane)
        self._memories = await store.memories(connection, keys)

    async def _load_statuses(self, connection: store.Connection, notices: Sequence[Notice]) -> None:
        about_batches = {each.batch_id for each in notices if isinstance(each, BatchStatusReported)}
        self.batch_statuses = await store.statuses_of_batches(connection, about_batches)
        statuses = [each for each in notices if isinstance(each, PaymentStatusReported)]
        about = {each.payment_id for each in statuses}
        # One that names no payment may find it in its batch, by EndToEndId.
        for batch_id in about_batches | {each.batch_id for each in statuses if each.payment_id == NO_ID}:
            about.update(self._members.get(batch_id, ()))
        for payment_id, known in (await store.statuses_of_payments(connection, about - {NO_ID})).items():
            standing = self.standings.get(payment_id, UNANSWERED)
            self.standings[payment_id] = Standing(standing.debit, standing.rejected, standing.credit, known)

    async def _load_candidates(self, connection: store.Connection, notices: Iterable[Notice]) -> None:
        unattributed = [each for each in notices if names_nothing(each) and each.end_to_end_id]
        entries = [each for each in unattributed if isinstance(each, BankEntryReported)]
        for entry, found in zip(
            entries, await store.candidates_for_entries(connection, entries), strict=True
        ):
            self._candidates[id(entry)] = found
        statuses = [each for each in unattributed if isinstance(each, PaymentStatusReported)]
        for status, found in zip(
            statuses, await store.candidates_for_statuses(connection, statuses), strict=True
        ):
            self._candidates[id(status)] = found

    def _keys(self, notices: Sequence[Notice], whole_batches: bool) -> set[bytes]:
        """The memories that these answers may need. A payment's only, plain entry needs none."""
        times = Counter(_payment_of(each) for each in notices)
        keys: set[bytes] = set()
        for each in notices:
            if isinstance(each, BankEntryReported):
                keys |= self._keys_of_entry(each, whole_batches or times[each.payment_id] > 1)
            elif isinstance(each, PaymentStatusReported):
                if each.payment_id not in self.payments:
                    keys.add(unattributed_status_key(each))
                if each.status == "RJCT":
                    keys.add(status_key(each.payment_id))
                    keys.update(map(status_key, self._members.get(each.batch_id, ())))
            elif isinstance(each, BatchStatusReported) and each.status == "RJCT":
                keys.update(map(status_key, self._members.get(each.batch_id, ())))
        return keys

    def _keys_of_entry(self, entry: BankEntryReported, not_alone: bool) -> set[bytes]:
        payment = self.payments.get(entry.payment_id)
        if payment is not None:
            batch, standing = self.batches[payment.batch_id], self.standings[payment.payment_id]
            if not_alone or needs_memory(payment, batch, standing, entry):
                return {booking_key(entry), booking_key(unnamed(payment, entry))}
            return set()
        keys = {booking_key(entry), booking_key(nameless(entry))}
        keys.update(_key_of(each, entry) for each in self._candidates.get(id(entry), ()))
        named = named_in_batch(self.members(entry.batch_id), entry)
        if named is not None:
            payment = self.payments[named.payment_id]
            keys |= {booking_key(named), booking_key(unnamed(payment, named))}
        return keys

    def _keys_of_misplaced(self, by_lane: Mapping[int, Sequence[Notice]]) -> set[bytes]:
        return {
            sent_on_key(lane, each)
            for lane, of_lane in by_lane.items()
            for each in of_lane
            if isinstance(each, BankEntryReported | PaymentStatusReported)
            and self.home_of(each) not in (None, lane)
        }

    def home_of(self, notice: BankEntryReported | PaymentStatusReported) -> int | None:
        """The lane of the payment that an answer names, else of the batch; None where neither is known."""
        payment = self.payments.get(notice.payment_id)
        if payment is not None:
            return payment.lane
        batch = self.batches.get(notice.batch_id)
        return batch.key.lane if batch is not None else None


def names_nothing(notice: Notice) -> TypeGuard[BankEntryReported | PaymentStatusReported]:
    """Whether an answer names neither a payment nor a batch of ours."""
    if not isinstance(notice, BankEntryReported | PaymentStatusReported):
        return False
    return notice.payment_id == NO_ID and notice.batch_id == NO_ID


def nameless(entry: BankEntryReported) -> BankEntryReported:
    """The entry as if it named no payment: what it named is not ours."""
    return replace(entry, payment_id=NO_ID) if entry.payment_id != NO_ID else entry


def _key_of(candidate: Candidate, entry: BankEntryReported) -> bytes:
    return booking_key(replace(entry, payment_id=candidate.payment_id))


def _payment_of(notice: Notice) -> bytes:
    return notice.payment_id if isinstance(notice, BankEntryReported | PaymentStatusReported) else NO_ID
