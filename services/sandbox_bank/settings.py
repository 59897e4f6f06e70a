"""What the bank is told from outside when it starts, and the shape of faults at its edges."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.sandbox_bank.decide import DUPLICATION
from services.sandbox_bank.faults import Fault, FaultSetting
from services.sandbox_bank.model import Booking


class FaultWish(BaseModel):
    """One fault as a person asks for it; see `FaultSetting`."""

    model_config = ConfigDict(extra="forbid")

    rate: float = Field(default=0.0, ge=0.0, le=1.0)
    count: StrictInt | None = Field(default=None, ge=0)
    reason: str = Field(default="", pattern=r"^([A-Z0-9]{4})?$")
    answers: tuple[Literal["pain.002", "camt.054"], ...] = ("pain.002", "camt.054")
    seconds: float | None = Field(default=None, ge=0.0)
    order: Literal["", "before", "after"] = ""


def _wish(given: object) -> object:
    # A bare number is a rate: {"reject": 0.01}.
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return {"rate": given}
    return given


FaultWishes = dict[Fault, Annotated[FaultWish, BeforeValidator(_wish)]]


def fault_settings(wishes: FaultWishes) -> dict[str, FaultSetting]:
    """The wishes as the books keep them."""
    return {
        fault.value: FaultSetting(wish.rate, wish.count, wish.reason, wish.answers, wish.seconds, wish.order)
        for fault, wish in wishes.items()
    }


class Settings(BaseSettings):
    """Environment GOODFUNDS_…; the bank listens where its customers are told to look for it."""

    model_config = SettingsConfigDict(env_prefix="GOODFUNDS_")

    data: Path
    http_host: str = "127.0.0.1"
    http_port: int = 0
    bank_sftp: str = "127.0.0.1:0"
    bank_sftp_user: str
    bank_sftp_password: str = Field(repr=False)
    bank_authorized_keys: Path | None = None
    bank_bic: str = "SANDDEFFXXX"
    bank_name: str = "Sandbox Bank"
    bank_business_day: date | None = None
    bank_booking: Booking = Booking.INDIVIDUAL
    bank_transactions_per_notification: int = Field(default=5_000, ge=1)
    bank_duplicate_code: str = Field(default=DUPLICATION, pattern=r"^(AM05|DU0[1-5])$")
    bank_sweep_seconds: float = Field(default=5.0, gt=0)
    bank_seed: int = 1
    bank_faults: FaultWishes = Field(default_factory=dict)
