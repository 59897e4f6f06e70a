"""What the bank is told from outside when it starts."""

from datetime import date
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.sandbox_bank.decide import DUPLICATION
from services.sandbox_bank.model import Booking
from services.sandbox_bank.wishes import FaultWishes


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
    bank_transactions_per_notification: int = Field(default=2_000, ge=1)
    bank_duplicate_code: str = Field(default=DUPLICATION, pattern=r"^(AM05|DU0[1-5])$")
    bank_sweep_seconds: float = Field(default=5.0, gt=0)
    bank_seed: int = 1
    bank_faults: FaultWishes = Field(default_factory=dict)
