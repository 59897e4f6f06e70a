"""Settings of ingestion's processes, read from the environment (prefix GOODFUNDS_)."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What both processes need. `postgres` has no database name; `largest_file` is in bytes."""

    model_config = SettingsConfigDict(env_prefix="GOODFUNDS_", frozen=True)

    kafka: str
    postgres: str
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65_535)
    partitions: int = Field(default=12, ge=1, le=9_999)
    largest_file: int = Field(default=64 * 1024 * 1024, gt=0)

    @property
    def dsn(self) -> str:
        """Our database."""
        return f"{self.postgres.rstrip('/')}/ingestion"
