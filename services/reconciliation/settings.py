"""Settings of reconciliation's processes, read from the environment (prefix GOODFUNDS_)."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """What every process needs."""

    model_config = SettingsConfigDict(env_prefix="GOODFUNDS_", frozen=True)

    kafka: str
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65_535)


class Settings(ProcessSettings):
    """What works on the database; `postgres` has no database name."""

    postgres: str
    partitions: int = Field(default=12, ge=1, le=9_999)

    @property
    def dsn(self) -> str:
        """Our database."""
        return f"{self.postgres.rstrip('/')}/reconciliation"


class StatementSettings(Settings):
    """What the statement reader needs besides. `bank_timeout`, `look_every`: seconds."""

    nostro: str = Field(min_length=1, max_length=34)
    bank_sftp: str = Field(pattern=r"^\S+:\d{1,5}$")
    bank_sftp_user: str
    bank_sftp_password: SecretStr
    bank_host_key: Path | None = None
    bank_timeout: float = Field(default=30.0, gt=0)


class ControlTotalSettings(ProcessSettings):
    """What the control totals need besides: the folder with the schemas and their ids."""

    schemas: Path = Path(__file__).parents[2] / "schemas"
