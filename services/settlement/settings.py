"""Settings of settlement's processes, read from the environment (prefix GOODFUNDS_)."""

from pathlib import Path

from pydantic import Field, SecretStr

from goodfunds.settings import LaneProcessSettings


class Settings(LaneProcessSettings):
    """What both processes need."""

    nostro: str = Field(min_length=1, max_length=34)
    nostro_currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")


class GatewaySettings(Settings):
    """What the gateway needs besides. `late_wait` and `bank_timeout` are seconds."""

    bank_sftp: str = Field(pattern=r"^\S+:\d{1,5}$")
    bank_sftp_user: str
    bank_sftp_password: SecretStr
    bank_http: str
    bank_host_key: Path | None = None
    bank_timeout: float = Field(default=30.0, gt=0)
    late_wait: float = Field(default=30.0, ge=0)
    nostro_bic: str = ""
    house_name: str = Field(min_length=1)
