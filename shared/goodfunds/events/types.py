"""The events, made from schemas/events by `goodfunds schemas generate`: change those, not this file.

Ids are 16 bytes, amounts minor units, times microseconds since 1970 in UTC; an empty string means absent.
Plain Python on purpose: no dictionary an event, and the fixed fields are read in one step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from struct import Struct
from typing import ClassVar

from goodfunds.errors import Unreadable
from goodfunds.events.wire import (
    BROKEN,
    LENGTHS,
    long,
    read_boolean,
    read_date,
    read_length,
    read_long,
    read_strings,
    schema_id,
    strings,
    write_date,
)
from goodfunds.frozen import made_fast


_PaymentInstruction = Struct(">q")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentInstruction:
    """A request to move money, as a client gives it. Written by clients, the file intake and ingestion (forwarding)."""

    SCHEMA_ID: ClassVar[int] = 1

    amount_minor: int
    requested_execution_date: date
    currency: str
    rail: str
    client: str
    idempotency_key: str
    end_to_end_id: str
    uetr: str
    debtor_account: str
    debtor_name: str
    creditor_account: str
    creditor_name: str
    creditor_agent: str
    charge_bearer: str
    remittance_unstructured: str
    remittance_reference: str
    creditor_street: str
    creditor_building: str
    creditor_postcode: str
    creditor_town: str
    creditor_country: str
    creditor_address_lines: tuple[str, ...]

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x01" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        currency = self.currency.encode()
        rail = self.rail.encode()
        client = self.client.encode()
        idempotency_key = self.idempotency_key.encode()
        end_to_end_id = self.end_to_end_id.encode()
        uetr = self.uetr.encode()
        debtor_account = self.debtor_account.encode()
        debtor_name = self.debtor_name.encode()
        creditor_account = self.creditor_account.encode()
        creditor_name = self.creditor_name.encode()
        creditor_agent = self.creditor_agent.encode()
        charge_bearer = self.charge_bearer.encode()
        remittance_unstructured = self.remittance_unstructured.encode()
        remittance_reference = self.remittance_reference.encode()
        creditor_street = self.creditor_street.encode()
        creditor_building = self.creditor_building.encode()
        creditor_postcode = self.creditor_postcode.encode()
        creditor_town = self.creditor_town.encode()
        creditor_country = self.creditor_country.encode()
        return b"".join(
            (
                _PaymentInstruction.pack(self.amount_minor),
                write_date(self.requested_execution_date),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(client)],
                client,
                LENGTHS[len(idempotency_key)],
                idempotency_key,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(uetr)],
                uetr,
                LENGTHS[len(debtor_account)],
                debtor_account,
                LENGTHS[len(debtor_name)],
                debtor_name,
                LENGTHS[len(creditor_account)],
                creditor_account,
                LENGTHS[len(creditor_name)],
                creditor_name,
                LENGTHS[len(creditor_agent)],
                creditor_agent,
                LENGTHS[len(charge_bearer)],
                charge_bearer,
                LENGTHS[len(remittance_unstructured)],
                remittance_unstructured,
                LENGTHS[len(remittance_reference)],
                remittance_reference,
                LENGTHS[len(creditor_street)],
                creditor_street,
                LENGTHS[len(creditor_building)],
                creditor_building,
                LENGTHS[len(creditor_postcode)],
                creditor_postcode,
                LENGTHS[len(creditor_town)],
                creditor_town,
                LENGTHS[len(creditor_country)],
                creditor_country,
                strings(self.creditor_address_lines),
            )
        )


def read_payment_instruction(data: bytes, at: int) -> tuple[PaymentInstruction, int]:
    """A PaymentInstruction's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (amount_minor,) = _PaymentInstruction.unpack_from(data, at)
    at += 8
    days, at = read_long(data, at)
    requested_execution_date = read_date(days)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    client = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    idempotency_key = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    uetr = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    debtor_account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    debtor_name = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_name = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_agent = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    charge_bearer = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    remittance_unstructured = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    remittance_reference = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_street = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_building = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_postcode = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_town = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    creditor_country = data[at : at + size].decode()
    at += size
    creditor_address_lines, at = read_strings(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentInstruction(
        amount_minor,
        requested_execution_date,
        currency,
        rail,
        client,
        idempotency_key,
        end_to_end_id,
        uetr,
        debtor_account,
        debtor_name,
        creditor_account,
        creditor_name,
        creditor_agent,
        charge_bearer,
        remittance_unstructured,
        remittance_reference,
        creditor_street,
        creditor_building,
        creditor_postcode,
        creditor_town,
        creditor_country,
        creditor_address_lines,
    ), at


def decode_payment_instruction(data: bytes) -> PaymentInstruction:
    """A PaymentInstruction from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_instruction(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentInstruction: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentInstruction: {len(data) - at} bytes too many")
    return event


@made_fast
@dataclass(frozen=True, slots=True)
class AccountOpenRequested:
    """A wish to open a customer's account. Written by the command line (restricted by ACL)."""

    SCHEMA_ID: ClassVar[int] = 2

    client: str
    idempotency_key: str
    account: str
    currency: str
    name: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x02" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        client = self.client.encode()
        idempotency_key = self.idempotency_key.encode()
        account = self.account.encode()
        currency = self.currency.encode()
        name = self.name.encode()
        return b"".join(
            (
                LENGTHS[len(client)],
                client,
                LENGTHS[len(idempotency_key)],
                idempotency_key,
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(name)],
                name,
            )
        )


def read_account_open_requested(data: bytes, at: int) -> tuple[AccountOpenRequested, int]:
    """A AccountOpenRequested's Avro body at a place, and the place after it. Raises what is BROKEN."""
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    client = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    idempotency_key = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    name = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return AccountOpenRequested(client, idempotency_key, account, currency, name), at


def decode_account_open_requested(data: bytes) -> AccountOpenRequested:
    """A AccountOpenRequested from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_account_open_requested(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no AccountOpenRequested: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no AccountOpenRequested: {len(data) - at} bytes too many")
    return event


_AccountFundRequested = Struct(">q")


@made_fast
@dataclass(frozen=True, slots=True)
class AccountFundRequested:
    """A wish to fund a customer's account. Written by the command line (restricted by ACL)."""

    SCHEMA_ID: ClassVar[int] = 3

    amount_minor: int
    client: str
    idempotency_key: str
    account: str
    currency: str
    source: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x03" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        client = self.client.encode()
        idempotency_key = self.idempotency_key.encode()
        account = self.account.encode()
        currency = self.currency.encode()
        source = self.source.encode()
        return b"".join(
            (
                _AccountFundRequested.pack(self.amount_minor),
                LENGTHS[len(client)],
                client,
                LENGTHS[len(idempotency_key)],
                idempotency_key,
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(source)],
                source,
            )
        )


def read_account_fund_requested(data: bytes, at: int) -> tuple[AccountFundRequested, int]:
    """A AccountFundRequested's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (amount_minor,) = _AccountFundRequested.unpack_from(data, at)
    at += 8
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    client = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    idempotency_key = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    source = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return AccountFundRequested(amount_minor, client, idempotency_key, account, currency, source), at


def decode_account_fund_requested(data: bytes) -> AccountFundRequested:
    """A AccountFundRequested from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_account_fund_requested(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no AccountFundRequested: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no AccountFundRequested: {len(data) - at} bytes too many")
    return event


_PaymentAccepted = Struct(">16s")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentAccepted:
    """Ingestion took responsibility for a payment: Dr customer / Cr transit. Written by ingestion."""

    SCHEMA_ID: ClassVar[int] = 4

    payment_id: bytes
    instruction: PaymentInstruction
    accepted_at: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x04" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        return b"".join(
            (
                _PaymentAccepted.pack(self.payment_id),
                self.instruction.body(),
                long(self.accepted_at),
            )
        )


def read_payment_accepted(data: bytes, at: int) -> tuple[PaymentAccepted, int]:
    """A PaymentAccepted's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (payment_id,) = _PaymentAccepted.unpack_from(data, at)
    at += 16
    instruction, at = read_payment_instruction(data, at)
    accepted_at, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentAccepted(payment_id, instruction, accepted_at), at


def decode_payment_accepted(data: bytes) -> PaymentAccepted:
    """A PaymentAccepted from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_accepted(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentAccepted: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentAccepted: {len(data) - at} bytes too many")
    return event


_PaymentRejected = Struct(">16s")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentRejected:
    """Ingestion refused an instruction; no money moved. Written by ingestion."""

    SCHEMA_ID: ClassVar[int] = 5

    payment_id: bytes
    instruction: PaymentInstruction
    reason_code: str
    reason: str
    rejected_at: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x05" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        return b"".join(
            (
                _PaymentRejected.pack(self.payment_id),
                self.instruction.body(),
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
                long(self.rejected_at),
            )
        )


def read_payment_rejected(data: bytes, at: int) -> tuple[PaymentRejected, int]:
    """A PaymentRejected's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (payment_id,) = _PaymentRejected.unpack_from(data, at)
    at += 16
    instruction, at = read_payment_instruction(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    rejected_at, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentRejected(payment_id, instruction, reason_code, reason, rejected_at), at


def decode_payment_rejected(data: bytes) -> PaymentRejected:
    """A PaymentRejected from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_rejected(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentRejected: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentRejected: {len(data) - at} bytes too many")
    return event


@made_fast
@dataclass(frozen=True, slots=True)
class InstructionRefused:
    """A record that is no payment: invalid, or a key used again with another body. Written by ingestion."""

    SCHEMA_ID: ClassVar[int] = 6

    client: str
    idempotency_key: str
    reason_code: str
    reason: str
    topic: str
    source_partition: int
    source_offset: int
    refused_at: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x06" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        client = self.client.encode()
        idempotency_key = self.idempotency_key.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        topic = self.topic.encode()
        return b"".join(
            (
                LENGTHS[len(client)],
                client,
                LENGTHS[len(idempotency_key)],
                idempotency_key,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
                LENGTHS[len(topic)],
                topic,
                long(self.source_partition),
                long(self.source_offset),
                long(self.refused_at),
            )
        )


def read_instruction_refused(data: bytes, at: int) -> tuple[InstructionRefused, int]:
    """A InstructionRefused's Avro body at a place, and the place after it. Raises what is BROKEN."""
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    client = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    idempotency_key = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    topic = data[at : at + size].decode()
    at += size
    source_partition, at = read_long(data, at)
    source_offset, at = read_long(data, at)
    refused_at, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return InstructionRefused(
        client, idempotency_key, reason_code, reason, topic, source_partition, source_offset, refused_at
    ), at


def decode_instruction_refused(data: bytes) -> InstructionRefused:
    """A InstructionRefused from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_instruction_refused(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no InstructionRefused: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no InstructionRefused: {len(data) - at} bytes too many")
    return event


@made_fast
@dataclass(frozen=True, slots=True)
class AccountOpened:
    """A customer's account exists. Written by ingestion."""

    SCHEMA_ID: ClassVar[int] = 7

    account: str
    currency: str
    name: str
    opened_at: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x07" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        name = self.name.encode()
        return b"".join(
            (
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(name)],
                name,
                long(self.opened_at),
            )
        )


def read_account_opened(data: bytes, at: int) -> tuple[AccountOpened, int]:
    """A AccountOpened's Avro body at a place, and the place after it. Raises what is BROKEN."""
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    name = data[at : at + size].decode()
    at += size
    opened_at, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return AccountOpened(account, currency, name, opened_at), at


def decode_account_opened(data: bytes) -> AccountOpened:
    """A AccountOpened from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_account_opened(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no AccountOpened: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no AccountOpened: {len(data) - at} bytes too many")
    return event


_AccountFunded = Struct(">q")


@made_fast
@dataclass(frozen=True, slots=True)
class AccountFunded:
    """Dr funding:{source} / Cr customer. Written by ingestion."""

    SCHEMA_ID: ClassVar[int] = 8

    amount_minor: int
    account: str
    currency: str
    source: str
    idempotency_key: str
    funded_at: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x08" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        source = self.source.encode()
        idempotency_key = self.idempotency_key.encode()
        return b"".join(
            (
                _AccountFunded.pack(self.amount_minor),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(source)],
                source,
                LENGTHS[len(idempotency_key)],
                idempotency_key,
                long(self.funded_at),
            )
        )


def read_account_funded(data: bytes, at: int) -> tuple[AccountFunded, int]:
    """A AccountFunded's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (amount_minor,) = _AccountFunded.unpack_from(data, at)
    at += 8
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    source = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    idempotency_key = data[at : at + size].decode()
    at += size
    funded_at, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return AccountFunded(amount_minor, account, currency, source, idempotency_key, funded_at), at


def decode_account_funded(data: bytes) -> AccountFunded:
    """A AccountFunded from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_account_funded(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no AccountFunded: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no AccountFunded: {len(data) - at} bytes too many")
    return event


_PaymentRefunded = Struct(">16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    """A payment that did not stay settled is back with the customer. Written by ingestion."""

    SCHEMA_ID: ClassVar[int] = 9

    payment_id: bytes
    amount_minor: int
    account: str
    currency: str
    rail: str
    cause: str
    credited_account: str
    reason_code: str
    refunded_at: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\t" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        cause = self.cause.encode()
        credited_account = self.credited_account.encode()
        reason_code = self.reason_code.encode()
        return b"".join(
            (
                _PaymentRefunded.pack(self.payment_id, self.amount_minor),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(cause)],
                cause,
                LENGTHS[len(credited_account)],
                credited_account,
                LENGTHS[len(reason_code)],
                reason_code,
                long(self.refunded_at),
            )
        )


def read_payment_refunded(data: bytes, at: int) -> tuple[PaymentRefunded, int]:
    """A PaymentRefunded's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        amount_minor,
    ) = _PaymentRefunded.unpack_from(data, at)
    at += 24
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    cause = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    credited_account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    refunded_at, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentRefunded(
        payment_id, amount_minor, account, currency, rail, cause, credited_account, reason_code, refunded_at
    ), at


def decode_payment_refunded(data: bytes) -> PaymentRefunded:
    """A PaymentRefunded from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_refunded(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentRefunded: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentRefunded: {len(data) - at} bytes too many")
    return event


_PaymentSubmitted = Struct(">16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentSubmitted:
    """The bank has the file that carries the payment. Written by settlement."""

    SCHEMA_ID: ClassVar[int] = 10

    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    submitted_at: int
    account: str
    currency: str
    rail: str
    nostro: str
    end_to_end_id: str
    message_id: str
    requested_execution_date: date

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\n" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        message_id = self.message_id.encode()
        return b"".join(
            (
                _PaymentSubmitted.pack(self.payment_id, self.batch_id, self.amount_minor),
                long(self.submitted_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(message_id)],
                message_id,
                write_date(self.requested_execution_date),
            )
        )


def read_payment_submitted(data: bytes, at: int) -> tuple[PaymentSubmitted, int]:
    """A PaymentSubmitted's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
        amount_minor,
    ) = _PaymentSubmitted.unpack_from(data, at)
    at += 40
    submitted_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    message_id = data[at : at + size].decode()
    at += size
    days, at = read_long(data, at)
    requested_execution_date = read_date(days)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentSubmitted(
        payment_id,
        batch_id,
        amount_minor,
        submitted_at,
        account,
        currency,
        rail,
        nostro,
        end_to_end_id,
        message_id,
        requested_execution_date,
    ), at


def decode_payment_submitted(data: bytes) -> PaymentSubmitted:
    """A PaymentSubmitted from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_submitted(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentSubmitted: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentSubmitted: {len(data) - at} bytes too many")
    return event


_PaymentSettled = Struct(">16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentSettled:
    """The payment reached its rail's finality: Dr transit / Cr nostro. Written by settlement."""

    SCHEMA_ID: ClassVar[int] = 11

    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    settled_at: int
    account: str
    currency: str
    rail: str
    nostro: str
    end_to_end_id: str
    bank_reference: str
    booking_date: date
    finality: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x0b" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        bank_reference = self.bank_reference.encode()
        finality = self.finality.encode()
        return b"".join(
            (
                _PaymentSettled.pack(self.payment_id, self.batch_id, self.amount_minor),
                long(self.settled_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(bank_reference)],
                bank_reference,
                write_date(self.booking_date),
                LENGTHS[len(finality)],
                finality,
            )
        )


def read_payment_settled(data: bytes, at: int) -> tuple[PaymentSettled, int]:
    """A PaymentSettled's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
        amount_minor,
    ) = _PaymentSettled.unpack_from(data, at)
    at += 40
    settled_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    bank_reference = data[at : at + size].decode()
    at += size
    days, at = read_long(data, at)
    booking_date = read_date(days)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    finality = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentSettled(
        payment_id,
        batch_id,
        amount_minor,
        settled_at,
        account,
        currency,
        rail,
        nostro,
        end_to_end_id,
        bank_reference,
        booking_date,
        finality,
    ), at


def decode_payment_settled(data: bytes) -> PaymentSettled:
    """A PaymentSettled from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_settled(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentSettled: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentSettled: {len(data) - at} bytes too many")
    return event


_PaymentRejectedByBank = Struct(">16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentRejectedByBank:
    """The bank refused the payment before it debited it. Written by settlement."""

    SCHEMA_ID: ClassVar[int] = 12

    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    rejected_at: int
    account: str
    currency: str
    rail: str
    nostro: str
    end_to_end_id: str
    reason_code: str
    reason: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x0c" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        return b"".join(
            (
                _PaymentRejectedByBank.pack(self.payment_id, self.batch_id, self.amount_minor),
                long(self.rejected_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
            )
        )


def read_payment_rejected_by_bank(data: bytes, at: int) -> tuple[PaymentRejectedByBank, int]:
    """A PaymentRejectedByBank's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
        amount_minor,
    ) = _PaymentRejectedByBank.unpack_from(data, at)
    at += 40
    rejected_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentRejectedByBank(
        payment_id,
        batch_id,
        amount_minor,
        rejected_at,
        account,
        currency,
        rail,
        nostro,
        end_to_end_id,
        reason_code,
        reason,
    ), at


def decode_payment_rejected_by_bank(data: bytes) -> PaymentRejectedByBank:
    """A PaymentRejectedByBank from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_rejected_by_bank(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentRejectedByBank: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentRejectedByBank: {len(data) - at} bytes too many")
    return event


_PaymentDelayed = Struct(">16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentDelayed:
    """The payment goes out on a later date than it was meant to. Written by settlement."""

    SCHEMA_ID: ClassVar[int] = 14

    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    delayed_at: int
    account: str
    currency: str
    rail: str
    from_date: date
    to_date: date
    reason: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x0e" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        reason = self.reason.encode()
        return b"".join(
            (
                _PaymentDelayed.pack(self.payment_id, self.batch_id, self.amount_minor),
                long(self.delayed_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                write_date(self.from_date),
                write_date(self.to_date),
                LENGTHS[len(reason)],
                reason,
            )
        )


def read_payment_delayed(data: bytes, at: int) -> tuple[PaymentDelayed, int]:
    """A PaymentDelayed's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
        amount_minor,
    ) = _PaymentDelayed.unpack_from(data, at)
    at += 40
    delayed_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    days, at = read_long(data, at)
    from_date = read_date(days)
    days, at = read_long(data, at)
    to_date = read_date(days)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentDelayed(
        payment_id, batch_id, amount_minor, delayed_at, account, currency, rail, from_date, to_date, reason
    ), at


def decode_payment_delayed(data: bytes) -> PaymentDelayed:
    """A PaymentDelayed from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_delayed(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentDelayed: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentDelayed: {len(data) - at} bytes too many")
    return event


_SettlementContradicted = Struct(">16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class SettlementContradicted:
    """The bank's answers contradict each other or our books; a break follows. Written by settlement."""

    SCHEMA_ID: ClassVar[int] = 15

    payment_id: bytes
    amount_minor: int
    found_at: int
    account: str
    currency: str
    rail: str
    nostro: str
    end_to_end_id: str
    bank_reference: str
    kind: str
    reason_code: str
    reason: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x0f" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        bank_reference = self.bank_reference.encode()
        kind = self.kind.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        return b"".join(
            (
                _SettlementContradicted.pack(self.payment_id, self.amount_minor),
                long(self.found_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(bank_reference)],
                bank_reference,
                LENGTHS[len(kind)],
                kind,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
            )
        )


def read_settlement_contradicted(data: bytes, at: int) -> tuple[SettlementContradicted, int]:
    """A SettlementContradicted's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        amount_minor,
    ) = _SettlementContradicted.unpack_from(data, at)
    at += 24
    found_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    bank_reference = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    kind = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return SettlementContradicted(
        payment_id,
        amount_minor,
        found_at,
        account,
        currency,
        rail,
        nostro,
        end_to_end_id,
        bank_reference,
        kind,
        reason_code,
        reason,
    ), at


def decode_settlement_contradicted(data: bytes) -> SettlementContradicted:
    """A SettlementContradicted from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_settlement_contradicted(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no SettlementContradicted: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no SettlementContradicted: {len(data) - at} bytes too many")
    return event


_BatchSubmitted = Struct(">16s")


@made_fast
@dataclass(frozen=True, slots=True)
class BatchSubmitted:
    """The bank has the file that carries the batch. Written by the bank gateway."""

    SCHEMA_ID: ClassVar[int] = 16

    batch_id: bytes
    submitted_at: int
    message_id: str
    file_name: str
    nostro: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x10" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        message_id = self.message_id.encode()
        file_name = self.file_name.encode()
        nostro = self.nostro.encode()
        return b"".join(
            (
                _BatchSubmitted.pack(self.batch_id),
                long(self.submitted_at),
                LENGTHS[len(message_id)],
                message_id,
                LENGTHS[len(file_name)],
                file_name,
                LENGTHS[len(nostro)],
                nostro,
            )
        )


def read_batch_submitted(data: bytes, at: int) -> tuple[BatchSubmitted, int]:
    """A BatchSubmitted's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (batch_id,) = _BatchSubmitted.unpack_from(data, at)
    at += 16
    submitted_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    message_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    file_name = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return BatchSubmitted(batch_id, submitted_at, message_id, file_name, nostro), at


def decode_batch_submitted(data: bytes) -> BatchSubmitted:
    """A BatchSubmitted from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_batch_submitted(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no BatchSubmitted: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no BatchSubmitted: {len(data) - at} bytes too many")
    return event


_BatchRefused = Struct(">16s")


@made_fast
@dataclass(frozen=True, slots=True)
class BatchRefused:
    """The bank has definitively refused the whole file of a batch. Written by the bank gateway."""

    SCHEMA_ID: ClassVar[int] = 17

    batch_id: bytes
    refused_at: int
    message_id: str
    reason_code: str
    reason: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x11" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        message_id = self.message_id.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        return b"".join(
            (
                _BatchRefused.pack(self.batch_id),
                long(self.refused_at),
                LENGTHS[len(message_id)],
                message_id,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
            )
        )


def read_batch_refused(data: bytes, at: int) -> tuple[BatchRefused, int]:
    """A BatchRefused's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (batch_id,) = _BatchRefused.unpack_from(data, at)
    at += 16
    refused_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    message_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return BatchRefused(batch_id, refused_at, message_id, reason_code, reason), at


def decode_batch_refused(data: bytes) -> BatchRefused:
    """A BatchRefused from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_batch_refused(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no BatchRefused: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no BatchRefused: {len(data) - at} bytes too many")
    return event


_PaymentStatusReported = Struct(">16s16s")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentStatusReported:
    """A payment's own status of a pain.002. Written by the bank gateway."""

    SCHEMA_ID: ClassVar[int] = 18

    payment_id: bytes
    batch_id: bytes
    reported_at: int
    status: str
    reason_code: str
    reason: str
    message_id: str
    end_to_end_id: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x12" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        status = self.status.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        message_id = self.message_id.encode()
        end_to_end_id = self.end_to_end_id.encode()
        return b"".join(
            (
                _PaymentStatusReported.pack(self.payment_id, self.batch_id),
                long(self.reported_at),
                LENGTHS[len(status)],
                status,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
                LENGTHS[len(message_id)],
                message_id,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
            )
        )


def read_payment_status_reported(data: bytes, at: int) -> tuple[PaymentStatusReported, int]:
    """A PaymentStatusReported's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
    ) = _PaymentStatusReported.unpack_from(data, at)
    at += 32
    reported_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    status = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    message_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentStatusReported(
        payment_id, batch_id, reported_at, status, reason_code, reason, message_id, end_to_end_id
    ), at


def decode_payment_status_reported(data: bytes) -> PaymentStatusReported:
    """A PaymentStatusReported from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_status_reported(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentStatusReported: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentStatusReported: {len(data) - at} bytes too many")
    return event


_BatchStatusReported = Struct(">16s")


@made_fast
@dataclass(frozen=True, slots=True)
class BatchStatusReported:
    """A group or PmtInf status of a pain.002: it holds for each payment without its own. Written by the bank gateway."""

    SCHEMA_ID: ClassVar[int] = 19

    batch_id: bytes
    reported_at: int
    status: str
    reason_code: str
    reason: str
    message_id: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x13" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        status = self.status.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        message_id = self.message_id.encode()
        return b"".join(
            (
                _BatchStatusReported.pack(self.batch_id),
                long(self.reported_at),
                LENGTHS[len(status)],
                status,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
                LENGTHS[len(message_id)],
                message_id,
            )
        )


def read_batch_status_reported(data: bytes, at: int) -> tuple[BatchStatusReported, int]:
    """A BatchStatusReported's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (batch_id,) = _BatchStatusReported.unpack_from(data, at)
    at += 16
    reported_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    status = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    message_id = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return BatchStatusReported(batch_id, reported_at, status, reason_code, reason, message_id), at


def decode_batch_status_reported(data: bytes) -> BatchStatusReported:
    """A BatchStatusReported from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_batch_status_reported(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no BatchStatusReported: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no BatchStatusReported: {len(data) - at} bytes too many")
    return event


_StatementOpened = Struct(">16sqqq")


@made_fast
@dataclass(frozen=True, slots=True)
class StatementOpened:
    """A bank statement begins: its balances and totals, on the lane of the nostro. Written by the statement reader."""

    SCHEMA_ID: ClassVar[int] = 21

    statement_id: bytes
    opening_minor: int
    closing_minor: int
    lines_sum_minor: int
    opened_at: int
    currency: str
    nostro: str
    statement_number: str
    bank_statement_id: str
    from_date: date
    to_date: date
    lines_count: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x15" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        currency = self.currency.encode()
        nostro = self.nostro.encode()
        statement_number = self.statement_number.encode()
        bank_statement_id = self.bank_statement_id.encode()
        return b"".join(
            (
                _StatementOpened.pack(
                    self.statement_id, self.opening_minor, self.closing_minor, self.lines_sum_minor
                ),
                long(self.opened_at),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(statement_number)],
                statement_number,
                LENGTHS[len(bank_statement_id)],
                bank_statement_id,
                write_date(self.from_date),
                write_date(self.to_date),
                long(self.lines_count),
            )
        )


def read_statement_opened(data: bytes, at: int) -> tuple[StatementOpened, int]:
    """A StatementOpened's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        statement_id,
        opening_minor,
        closing_minor,
        lines_sum_minor,
    ) = _StatementOpened.unpack_from(data, at)
    at += 40
    opened_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    statement_number = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    bank_statement_id = data[at : at + size].decode()
    at += size
    days, at = read_long(data, at)
    from_date = read_date(days)
    days, at = read_long(data, at)
    to_date = read_date(days)
    lines_count, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return StatementOpened(
        statement_id,
        opening_minor,
        closing_minor,
        lines_sum_minor,
        opened_at,
        currency,
        nostro,
        statement_number,
        bank_statement_id,
        from_date,
        to_date,
        lines_count,
    ), at


def decode_statement_opened(data: bytes) -> StatementOpened:
    """A StatementOpened from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_statement_opened(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no StatementOpened: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no StatementOpened: {len(data) - at} bytes too many")
    return event


_StatementLine = Struct(">16s16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a bank statement, on the lane of its reference, else the nostro's. Written by the statement reader, and by reconciliation when it finds the lane."""

    SCHEMA_ID: ClassVar[int] = 22

    statement_id: bytes
    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    line_number: int
    currency: str
    nostro: str
    end_to_end_id: str
    instruction_id: str
    bank_reference: str
    status: str
    reversal: bool
    is_return: bool
    booking_date: date
    value_date: date
    reason_code: str
    transaction_count: int
    information: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x16" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        currency = self.currency.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        instruction_id = self.instruction_id.encode()
        bank_reference = self.bank_reference.encode()
        status = self.status.encode()
        reason_code = self.reason_code.encode()
        information = self.information.encode()
        return b"".join(
            (
                _StatementLine.pack(self.statement_id, self.payment_id, self.batch_id, self.amount_minor),
                long(self.line_number),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(instruction_id)],
                instruction_id,
                LENGTHS[len(bank_reference)],
                bank_reference,
                LENGTHS[len(status)],
                status,
                b"\x01" if self.reversal else b"\x00",
                b"\x01" if self.is_return else b"\x00",
                write_date(self.booking_date),
                write_date(self.value_date),
                LENGTHS[len(reason_code)],
                reason_code,
                long(self.transaction_count),
                LENGTHS[len(information)],
                information,
            )
        )


def read_statement_line(data: bytes, at: int) -> tuple[StatementLine, int]:
    """A StatementLine's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        statement_id,
        payment_id,
        batch_id,
        amount_minor,
    ) = _StatementLine.unpack_from(data, at)
    at += 56
    line_number, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    instruction_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    bank_reference = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    status = data[at : at + size].decode()
    at += size
    reversal, at = read_boolean(data, at)
    is_return, at = read_boolean(data, at)
    days, at = read_long(data, at)
    booking_date = read_date(days)
    days, at = read_long(data, at)
    value_date = read_date(days)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    transaction_count, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    information = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return StatementLine(
        statement_id,
        payment_id,
        batch_id,
        amount_minor,
        line_number,
        currency,
        nostro,
        end_to_end_id,
        instruction_id,
        bank_reference,
        status,
        reversal,
        is_return,
        booking_date,
        value_date,
        reason_code,
        transaction_count,
        information,
    ), at


def decode_statement_line(data: bytes) -> StatementLine:
    """A StatementLine from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_statement_line(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no StatementLine: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no StatementLine: {len(data) - at} bytes too many")
    return event


_StatementClosed = Struct(">16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class StatementClosed:
    """All lines of a statement are out; what this lane got of it. Written by the statement reader to every lane."""

    SCHEMA_ID: ClassVar[int] = 23

    statement_id: bytes
    lane_sum_minor: int
    closed_at: int
    nostro: str
    currency: str
    lane_lines: int
    to_date: date

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x17" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        nostro = self.nostro.encode()
        currency = self.currency.encode()
        return b"".join(
            (
                _StatementClosed.pack(self.statement_id, self.lane_sum_minor),
                long(self.closed_at),
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(currency)],
                currency,
                long(self.lane_lines),
                write_date(self.to_date),
            )
        )


def read_statement_closed(data: bytes, at: int) -> tuple[StatementClosed, int]:
    """A StatementClosed's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        statement_id,
        lane_sum_minor,
    ) = _StatementClosed.unpack_from(data, at)
    at += 24
    closed_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    lane_lines, at = read_long(data, at)
    days, at = read_long(data, at)
    to_date = read_date(days)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return StatementClosed(statement_id, lane_sum_minor, closed_at, nostro, currency, lane_lines, to_date), at


def decode_statement_closed(data: bytes) -> StatementClosed:
    """A StatementClosed from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_statement_closed(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no StatementClosed: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no StatementClosed: {len(data) - at} bytes too many")
    return event


_PaymentMatched = Struct(">16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentMatched:
    """A statement line is explained by a payment. Written by reconciliation."""

    SCHEMA_ID: ClassVar[int] = 24

    payment_id: bytes
    statement_id: bytes
    amount_minor: int
    matched_at: int
    account: str
    currency: str
    nostro: str
    line_number: int
    kind: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x18" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        nostro = self.nostro.encode()
        kind = self.kind.encode()
        return b"".join(
            (
                _PaymentMatched.pack(self.payment_id, self.statement_id, self.amount_minor),
                long(self.matched_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(nostro)],
                nostro,
                long(self.line_number),
                LENGTHS[len(kind)],
                kind,
            )
        )


def read_payment_matched(data: bytes, at: int) -> tuple[PaymentMatched, int]:
    """A PaymentMatched's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        statement_id,
        amount_minor,
    ) = _PaymentMatched.unpack_from(data, at)
    at += 40
    matched_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    line_number, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    kind = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentMatched(
        payment_id, statement_id, amount_minor, matched_at, account, currency, nostro, line_number, kind
    ), at


def decode_payment_matched(data: bytes) -> PaymentMatched:
    """A PaymentMatched from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_matched(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentMatched: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentMatched: {len(data) - at} bytes too many")
    return event


_BreakOpened = Struct(">16s16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class BreakOpened:
    """A difference nobody has explained yet. Written by reconciliation."""

    SCHEMA_ID: ClassVar[int] = 25

    break_id: bytes
    payment_id: bytes
    statement_id: bytes
    amount_minor: int
    opened_at: int
    lane: int
    currency: str
    nostro: str
    reason: str
    line_number: int
    detail: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x19" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        currency = self.currency.encode()
        nostro = self.nostro.encode()
        reason = self.reason.encode()
        detail = self.detail.encode()
        return b"".join(
            (
                _BreakOpened.pack(self.break_id, self.payment_id, self.statement_id, self.amount_minor),
                long(self.opened_at),
                long(self.lane),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(reason)],
                reason,
                long(self.line_number),
                LENGTHS[len(detail)],
                detail,
            )
        )


def read_break_opened(data: bytes, at: int) -> tuple[BreakOpened, int]:
    """A BreakOpened's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        break_id,
        payment_id,
        statement_id,
        amount_minor,
    ) = _BreakOpened.unpack_from(data, at)
    at += 56
    opened_at, at = read_long(data, at)
    lane, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    line_number, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    detail = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return BreakOpened(
        break_id,
        payment_id,
        statement_id,
        amount_minor,
        opened_at,
        lane,
        currency,
        nostro,
        reason,
        line_number,
        detail,
    ), at


def decode_break_opened(data: bytes) -> BreakOpened:
    """A BreakOpened from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_break_opened(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no BreakOpened: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no BreakOpened: {len(data) - at} bytes too many")
    return event


_BreakResolved = Struct(">16s")


@made_fast
@dataclass(frozen=True, slots=True)
class BreakResolved:
    """A difference is explained. Written by reconciliation."""

    SCHEMA_ID: ClassVar[int] = 26

    break_id: bytes
    resolved_at: int
    reason: str

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x1a" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        reason = self.reason.encode()
        return b"".join(
            (
                _BreakResolved.pack(self.break_id),
                long(self.resolved_at),
                LENGTHS[len(reason)],
                reason,
            )
        )


def read_break_resolved(data: bytes, at: int) -> tuple[BreakResolved, int]:
    """A BreakResolved's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (break_id,) = _BreakResolved.unpack_from(data, at)
    at += 16
    resolved_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    if at > len(data):
        raise ValueError("the event goes past the end")
    return BreakResolved(break_id, resolved_at, reason), at


def decode_break_resolved(data: bytes) -> BreakResolved:
    """A BreakResolved from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_break_resolved(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no BreakResolved: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no BreakResolved: {len(data) - at} bytes too many")
    return event


_StatementReconciled = Struct(">16sqq")


@made_fast
@dataclass(frozen=True, slots=True)
class StatementReconciled:
    """A statement follows the last one and adds up. Written by reconciliation."""

    SCHEMA_ID: ClassVar[int] = 27

    statement_id: bytes
    opening_minor: int
    closing_minor: int
    reconciled_at: int
    currency: str
    nostro: str
    lines: int
    continuity: bool

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x1b" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        currency = self.currency.encode()
        nostro = self.nostro.encode()
        return b"".join(
            (
                _StatementReconciled.pack(self.statement_id, self.opening_minor, self.closing_minor),
                long(self.reconciled_at),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(nostro)],
                nostro,
                long(self.lines),
                b"\x01" if self.continuity else b"\x00",
            )
        )


def read_statement_reconciled(data: bytes, at: int) -> tuple[StatementReconciled, int]:
    """A StatementReconciled's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        statement_id,
        opening_minor,
        closing_minor,
    ) = _StatementReconciled.unpack_from(data, at)
    at += 32
    reconciled_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    lines, at = read_long(data, at)
    continuity, at = read_boolean(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return StatementReconciled(
        statement_id, opening_minor, closing_minor, reconciled_at, currency, nostro, lines, continuity
    ), at


def decode_statement_reconciled(data: bytes) -> StatementReconciled:
    """A StatementReconciled from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_statement_reconciled(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no StatementReconciled: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no StatementReconciled: {len(data) - at} bytes too many")
    return event


_ControlTotal = Struct(">q")


@made_fast
@dataclass(frozen=True, slots=True)
class ControlTotal:
    """What an independent reader counted of one producer's events. Written by the control totals."""

    SCHEMA_ID: ClassVar[int] = 28

    amount_minor: int
    computed_at: int
    service: str
    topic: str
    total_partition: int
    producer: str
    producer_lane: int
    last_seq: int
    last_offset: int
    currency: str
    event_type: str
    count: int

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x1c" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        service = self.service.encode()
        topic = self.topic.encode()
        producer = self.producer.encode()
        currency = self.currency.encode()
        event_type = self.event_type.encode()
        return b"".join(
            (
                _ControlTotal.pack(self.amount_minor),
                long(self.computed_at),
                LENGTHS[len(service)],
                service,
                LENGTHS[len(topic)],
                topic,
                long(self.total_partition),
                LENGTHS[len(producer)],
                producer,
                long(self.producer_lane),
                long(self.last_seq),
                long(self.last_offset),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(event_type)],
                event_type,
                long(self.count),
            )
        )


def read_control_total(data: bytes, at: int) -> tuple[ControlTotal, int]:
    """A ControlTotal's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (amount_minor,) = _ControlTotal.unpack_from(data, at)
    at += 8
    computed_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    service = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    topic = data[at : at + size].decode()
    at += size
    total_partition, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    producer = data[at : at + size].decode()
    at += size
    producer_lane, at = read_long(data, at)
    last_seq, at = read_long(data, at)
    last_offset, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    event_type = data[at : at + size].decode()
    at += size
    count, at = read_long(data, at)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return ControlTotal(
        amount_minor,
        computed_at,
        service,
        topic,
        total_partition,
        producer,
        producer_lane,
        last_seq,
        last_offset,
        currency,
        event_type,
        count,
    ), at


def decode_control_total(data: bytes) -> ControlTotal:
    """A ControlTotal from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_control_total(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no ControlTotal: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no ControlTotal: {len(data) - at} bytes too many")
    return event


_BankEntryReported = Struct(">16s16sq")


@made_fast
@dataclass(frozen=True, slots=True)
class BankEntryReported:
    """An entry of a camt.054 or camt.053. Written by the bank gateway, and by settlement when it finds the lane."""

    SCHEMA_ID: ClassVar[int] = 29

    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    reported_at: int
    currency: str
    credit_debit: str
    status: str
    reversal: bool
    is_return: bool
    nostro: str
    end_to_end_id: str
    instruction_id: str
    bank_reference: str
    booking_date: date
    value_date: date
    reason_code: str
    reason: str
    source: str
    notification_id: str
    transaction_count: int
    charges_minor: int = 0

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x1d" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        currency = self.currency.encode()
        credit_debit = self.credit_debit.encode()
        status = self.status.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        instruction_id = self.instruction_id.encode()
        bank_reference = self.bank_reference.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        source = self.source.encode()
        notification_id = self.notification_id.encode()
        return b"".join(
            (
                _BankEntryReported.pack(self.payment_id, self.batch_id, self.amount_minor),
                long(self.reported_at),
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(credit_debit)],
                credit_debit,
                LENGTHS[len(status)],
                status,
                b"\x01" if self.reversal else b"\x00",
                b"\x01" if self.is_return else b"\x00",
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(instruction_id)],
                instruction_id,
                LENGTHS[len(bank_reference)],
                bank_reference,
                write_date(self.booking_date),
                write_date(self.value_date),
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
                LENGTHS[len(source)],
                source,
                LENGTHS[len(notification_id)],
                notification_id,
                long(self.transaction_count),
                self.charges_minor.to_bytes(8, "big", signed=True),
            )
        )


def read_bank_entry_reported(data: bytes, at: int) -> tuple[BankEntryReported, int]:
    """A BankEntryReported's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
        amount_minor,
    ) = _BankEntryReported.unpack_from(data, at)
    at += 40
    reported_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    credit_debit = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    status = data[at : at + size].decode()
    at += size
    reversal, at = read_boolean(data, at)
    is_return, at = read_boolean(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    instruction_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    bank_reference = data[at : at + size].decode()
    at += size
    days, at = read_long(data, at)
    booking_date = read_date(days)
    days, at = read_long(data, at)
    value_date = read_date(days)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    source = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    notification_id = data[at : at + size].decode()
    at += size
    transaction_count, at = read_long(data, at)
    charges_minor = int.from_bytes(data[at : at + 8], "big", signed=True)
    at += 8
    if at > len(data):
        raise ValueError("the event goes past the end")
    return BankEntryReported(
        payment_id,
        batch_id,
        amount_minor,
        reported_at,
        currency,
        credit_debit,
        status,
        reversal,
        is_return,
        nostro,
        end_to_end_id,
        instruction_id,
        bank_reference,
        booking_date,
        value_date,
        reason_code,
        reason,
        source,
        notification_id,
        transaction_count,
        charges_minor,
    ), at


def decode_bank_entry_reported(data: bytes) -> BankEntryReported:
    """A BankEntryReported from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_bank_entry_reported(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no BankEntryReported: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no BankEntryReported: {len(data) - at} bytes too many")
    return event


_PaymentReturned = Struct(">16s16sqq")


@made_fast
@dataclass(frozen=True, slots=True)
class PaymentReturned:
    """The payment came back after settlement, in full. Written by settlement."""

    SCHEMA_ID: ClassVar[int] = 30

    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    charges_minor: int
    returned_at: int
    account: str
    currency: str
    rail: str
    nostro: str
    end_to_end_id: str
    bank_reference: str
    reason_code: str
    reason: str
    booking_date: date = date(1970, 1, 1)

    def encode(self) -> bytes:
        """The event as a topic carries it."""
        return b"\x00\x00\x00\x00\x1e" + self.body()

    def body(self) -> bytes:
        """The Avro body alone."""
        account = self.account.encode()
        currency = self.currency.encode()
        rail = self.rail.encode()
        nostro = self.nostro.encode()
        end_to_end_id = self.end_to_end_id.encode()
        bank_reference = self.bank_reference.encode()
        reason_code = self.reason_code.encode()
        reason = self.reason.encode()
        return b"".join(
            (
                _PaymentReturned.pack(self.payment_id, self.batch_id, self.amount_minor, self.charges_minor),
                long(self.returned_at),
                LENGTHS[len(account)],
                account,
                LENGTHS[len(currency)],
                currency,
                LENGTHS[len(rail)],
                rail,
                LENGTHS[len(nostro)],
                nostro,
                LENGTHS[len(end_to_end_id)],
                end_to_end_id,
                LENGTHS[len(bank_reference)],
                bank_reference,
                LENGTHS[len(reason_code)],
                reason_code,
                LENGTHS[len(reason)],
                reason,
                write_date(self.booking_date),
            )
        )


def read_payment_returned(data: bytes, at: int) -> tuple[PaymentReturned, int]:
    """A PaymentReturned's Avro body at a place, and the place after it. Raises what is BROKEN."""
    (
        payment_id,
        batch_id,
        amount_minor,
        charges_minor,
    ) = _PaymentReturned.unpack_from(data, at)
    at += 48
    returned_at, at = read_long(data, at)
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    account = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    currency = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    rail = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    nostro = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    end_to_end_id = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    bank_reference = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason_code = data[at : at + size].decode()
    at += size
    size = data[at]
    if size & 0x81:
        size, at = read_length(data, at)
    else:
        size >>= 1
        at += 1
    reason = data[at : at + size].decode()
    at += size
    days, at = read_long(data, at)
    booking_date = read_date(days)
    if at > len(data):
        raise ValueError("the event goes past the end")
    return PaymentReturned(
        payment_id,
        batch_id,
        amount_minor,
        charges_minor,
        returned_at,
        account,
        currency,
        rail,
        nostro,
        end_to_end_id,
        bank_reference,
        reason_code,
        reason,
        booking_date,
    ), at


def decode_payment_returned(data: bytes) -> PaymentReturned:
    """A PaymentReturned from its wire bytes. Raises Unreadable."""
    try:
        event, at = read_payment_returned(data, 5)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentReturned: {fault}") from fault
    if at != len(data):
        raise Unreadable(f"no PaymentReturned: {len(data) - at} bytes too many")
    return event


Event = (
    PaymentInstruction
    | AccountOpenRequested
    | AccountFundRequested
    | PaymentAccepted
    | PaymentRejected
    | InstructionRefused
    | AccountOpened
    | AccountFunded
    | PaymentRefunded
    | PaymentSubmitted
    | PaymentSettled
    | PaymentRejectedByBank
    | PaymentDelayed
    | SettlementContradicted
    | BatchSubmitted
    | BatchRefused
    | PaymentStatusReported
    | BatchStatusReported
    | StatementOpened
    | StatementLine
    | StatementClosed
    | PaymentMatched
    | BreakOpened
    | BreakResolved
    | StatementReconciled
    | ControlTotal
    | BankEntryReported
    | PaymentReturned
)


_DECODERS: dict[int, Callable[[bytes], Event]] = {
    1: decode_payment_instruction,
    2: decode_account_open_requested,
    3: decode_account_fund_requested,
    4: decode_payment_accepted,
    5: decode_payment_rejected,
    6: decode_instruction_refused,
    7: decode_account_opened,
    8: decode_account_funded,
    9: decode_payment_refunded,
    10: decode_payment_submitted,
    11: decode_payment_settled,
    12: decode_payment_rejected_by_bank,
    14: decode_payment_delayed,
    15: decode_settlement_contradicted,
    16: decode_batch_submitted,
    17: decode_batch_refused,
    18: decode_payment_status_reported,
    19: decode_batch_status_reported,
    21: decode_statement_opened,
    22: decode_statement_line,
    23: decode_statement_closed,
    24: decode_payment_matched,
    25: decode_break_opened,
    26: decode_break_resolved,
    27: decode_statement_reconciled,
    28: decode_control_total,
    29: decode_bank_entry_reported,
    30: decode_payment_returned,
}


_EARLIER: dict[int, tuple[int, bytes]] = {
    13: (30, b"\x00"),
    20: (29, b"\x00\x00\x00\x00\x00\x00\x00\x00"),
}


BY_NAME: dict[str, type[Event]] = {
    "PaymentInstruction": PaymentInstruction,
    "AccountOpenRequested": AccountOpenRequested,
    "AccountFundRequested": AccountFundRequested,
    "PaymentAccepted": PaymentAccepted,
    "PaymentRejected": PaymentRejected,
    "InstructionRefused": InstructionRefused,
    "AccountOpened": AccountOpened,
    "AccountFunded": AccountFunded,
    "PaymentRefunded": PaymentRefunded,
    "PaymentSubmitted": PaymentSubmitted,
    "PaymentSettled": PaymentSettled,
    "PaymentRejectedByBank": PaymentRejectedByBank,
    "PaymentDelayed": PaymentDelayed,
    "SettlementContradicted": SettlementContradicted,
    "BatchSubmitted": BatchSubmitted,
    "BatchRefused": BatchRefused,
    "PaymentStatusReported": PaymentStatusReported,
    "BatchStatusReported": BatchStatusReported,
    "StatementOpened": StatementOpened,
    "StatementLine": StatementLine,
    "StatementClosed": StatementClosed,
    "PaymentMatched": PaymentMatched,
    "BreakOpened": BreakOpened,
    "BreakResolved": BreakResolved,
    "StatementReconciled": StatementReconciled,
    "ControlTotal": ControlTotal,
    "BankEntryReported": BankEntryReported,
    "PaymentReturned": PaymentReturned,
}


def decode(data: bytes | None) -> Event:
    """An event from its wire bytes, by its schema id. Raises Unreadable.

    Fields are added at the end alone: what an earlier schema wrote is read with the defaults behind it.
    """
    number = schema_id(data)
    number, defaults = _EARLIER.get(number, (number, b""))
    decoder = _DECODERS.get(number)
    if decoder is None or data is None:
        raise Unreadable(f"no event: schema id {number} is not known")
    return decoder(data + defaults if defaults else data)
