"""Settings of settlement's processes, read from the environment (prefix GOODFUNDS_)."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What both processes need. `postgres` has no database name; `late_wait` and time-outs are seconds."""

    model_config = SettingsConfigDict(env_prefix="GOODFUNDS_", frozen=True)

    kafka: str
    postgres: str
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65_535)
    partitions: int = Field(default=12, ge=1, le=9_999)
    nostro: str = Field(min_length=1, max_length=34)
    nostro_currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")

    @property
    def dsn(self) -> str:
        """Our database."""
        return f"{self.postgres.rstrip('/')}/settlement"


class GatewaySettings(Settings):
    """What the gateway needs besides."""

    bank_sftp: str = Field(pattern=r"^\S+:\d{1,5}$")
    bank_sftp_user: str
    bank_sftp_password: SecretStr
    bank_http: str
    bank_host_key: Path | None = None
    bank_timeout: float = Field(default=30.0, gt=0)
    late_wait: float = Field(default=30.0, ge=0)
    nostro_bic: str = ""
    house_name: str = Field(min_length=1)
