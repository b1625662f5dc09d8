"""Every setting of Tidemark, once. Nothing else reads the environment."""

import os
from datetime import time
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jobs.formulas.members import DEFAULT, Members, members_from

ROOT = Path(__file__).resolve().parent
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


class WrongSetting(Exception):
    """A setting has a value that it cannot take; the text says which, what it got and what it takes."""


def _words(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Sets = Annotated[Members, NoDecode, BeforeValidator(members_from)]
Days = Annotated[tuple[Annotated[int, Field(ge=1, le=366)], ...], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """Read from the environment, then from `.env`; the README's table lists every field."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", frozen=True)

    database_url: str = Field(
        f"sqlite:///{ROOT / 'data' / 'tidemark.db'}",
        description="the database: sqlite:///PATH or postgresql://USER@HOST/NAME",
    )
    timezone: str = Field("Asia/Seoul", description="IANA time zone of business days, schedules and pages")
    language: Literal["en", "ko"] = Field(
        "en", description="language of messages, and of pages until somebody chooses another: en or ko"
    )
    address: str = Field("127.0.0.1", description="address that the dashboard listens on")
    port: int = Field(8501, ge=1, le=65535, description="port that the dashboard listens on")
    allowed_hosts: Words = Field(
        ("localhost", "127.0.0.1", "::1"),
        description="host names under which browsers may open the dashboard, separated by commas",
    )
    operator_password: SecretStr | None = Field(
        None,
        description="password that operators enter before they may run jobs; needed on any address but loopback",
    )
    aggregate_at: time = Field(
        time(17, 0), description="when the daily aggregation starts (HH:MM in TIMEZONE)"
    )
    aggregate_quality_at: time = Field(
        time(17, 10), description="when the daily aggregation of AI quality starts (HH:MM in TIMEZONE)"
    )
    match_outcomes_at: time = Field(
        time(16, 0), description="when predictions are matched with prices each day (HH:MM in TIMEZONE)"
    )
    aggregate_forecasts_at: time = Field(
        time(17, 15), description="when the daily aggregation of forecasts starts (HH:MM in TIMEZONE)"
    )
    aggregate_agents_at: time = Field(
        time(17, 5),
        description="when the daily aggregation of agents starts (HH:MM in TIMEZONE); also at that minute of each hour",
    )
    check_swaps_at: time = Field(
        time(17, 20), description="when swaps of agents' models are checked each day (HH:MM in TIMEZONE)"
    )
    usd_markets: Words = Field(
        ("USD",),
        description="markets whose P&L is in US dollars, so that the cost of LLM calls comes off it: USD,NASDAQ",
    )
    monthly_budget_usd: float | None = Field(
        None, gt=0, description="US dollars that LLM calls may cost in a month; over it, the report says so"
    )
    budget_warning: float = Field(
        0.9,
        gt=0,
        le=1,
        description="share of the monthly budget from which its projected end is told as a warning",
    )
    rollback_guard: bool = Field(
        True, description="whether a swap is rolled back only where it is worse by more than luck"
    )
    adjust_weights_at: time = Field(
        time(2, 0), description="when ensemble weights are adjusted on Sundays (HH:MM in TIMEZONE)"
    )
    ensemble_members: Sets = Field(
        DEFAULT,
        description="models that ensembles are made of; codes with a prefix may have their own: a,b; PREFIX=c,d,e",
    )
    weight_rule: Literal["hit_rate", "inverse_mse", "bates_granger", "equal"] = Field(
        "hit_rate",
        description="how members are weighed: hit_rate, inverse_mse, bates_granger (two members only) or equal",
    )
    predict_at: time = Field(time(16, 30), description="when prices are predicted daily (HH:MM in TIMEZONE)")
    retrain_at: time = Field(time(2, 0), description="when models are trained on Sundays (HH:MM in TIMEZONE)")
    retrain_codes: Words = Field((), description="codes to train and predict: A,B; none: all with 300 bars")
    horizons: Days = Field((1, 3, 5), min_length=1, description="how many days ahead trained models predict")
    retrain_backend: Literal["loky", "threading", "sequential"] = Field(
        "loky", description="how codes are trained at once: loky (processes), threading or sequential"
    )
    retrain_jobs: int = Field(0, ge=0, le=256, description="how many codes train at once; 0: a core per ten")
    retrain_guard: bool = Field(True, description="whether a model must beat “no change” by more than luck")
    models_dir: Path = Field(ROOT / "models", description="folder for the trained models of this database")
    model_max_age_days: int = Field(35, ge=1, description="days after its training in which a model predicts")
    chronos_model: str | None = Field(None, description="Chronos model that predicts too: folder or hub name")
    digest_at: time = Field(
        time(9, 0),
        description="when the weekly report of the week before is sent on Mondays (HH:MM in TIMEZONE)",
    )
    workers: int = Field(2, ge=1, le=16, description="how many jobs may run at the same time")
    backup_dir: Path = Field(
        ROOT / "backups", description="folder for the backups made before a migration or a restore"
    )
    targets_file: Path = Field(
        ROOT / "targets.yaml",
        description="YAML file with targets of metrics, drawn as lines: final_score: 70",
    )
    demo: bool = Field(True, description="whether `make run` fills an empty database with simulated data")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="how much worker and schedule loop write to standard error"
    )
    log_file: Path | None = Field(
        None,
        description="file that worker and schedule loop write to as well; 5 MB and five older ones are kept",
    )
    heartbeat_url: str | None = Field(
        None,
        description="address that the schedule loop calls every minute, for a service that notices silence",
    )

    slack_bot_token: SecretStr | None = Field(
        None, description="token (xoxb-…) of the Slack app that posts the digest and uploads its pictures"
    )
    slack_channel: str | None = Field(
        None,
        description="channel that the digest and alerts go to: its ID (C0123ABCD) or its name (#ai-weekly)",
    )
    slack_webhook_url: SecretStr | None = Field(
        None, description="address of an incoming webhook, instead of token and channel; without pictures"
    )
    slack_api_url: str = Field(
        "https://slack.com/api/", description="address of Slack's Web API, for gateways and tests"
    )
    public_url: str | None = Field(
        None, description="address under which people open the dashboard; links in messages lead there"
    )
    report_language: Literal["en", "ko"] | None = Field(
        None, description="language of the digest, where it is not that of the pages: en or ko"
    )
    reports_dir: Path = Field(
        ROOT / "sent-reports", description="folder for digests as HTML files, where there is no Slack"
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in known_zones():
            raise ValueError("an IANA time zone such as Asia/Seoul or Europe/Berlin")
        return value

    @field_validator("language", mode="before")
    @classmethod
    def _first_known(cls, value: Any) -> Any:
        """Desktops set LANGUAGE too, for every program: ko_KR:ko:en."""
        offered = [part.split("_")[0].split(".")[0] for part in str(value).split(":")]
        return next((name for name in offered if name in ("en", "ko")), value)

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://", "postgresql+psycopg://")):
            raise ValueError("sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        if value.endswith((":memory:", "sqlite:///")):
            raise ValueError("a database in a file: other processes must reach it too")
        return value

    @field_validator("weight_rule")
    @classmethod
    def _for_so_many(cls, value: str, others: ValidationInfo) -> str:
        if not others.data.get("ensemble_members", DEFAULT).can_be_weighed_by(value):
            raise ValueError(f"{value} weighs two members; ENSEMBLE_MEMBERS has more")
        return value

    @field_validator("heartbeat_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value and not _calls_a_host(value):
            raise ValueError(
                "http://HOST/… or https://HOST/…, without user name, blanks or letters beyond ASCII"
            )
        return value

    @field_validator("slack_api_url", "slack_webhook_url")
    @classmethod
    def _kept_secret_on_its_way(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        told = value.get_secret_value() if isinstance(value, SecretStr) else value
        if told and not (_calls_a_host(told) and _is_encrypted(told)):
            raise ValueError("https://HOST/…, or http:// on this machine")
        return f"{value.rstrip('/')}/" if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _page_address(cls, value: str | None) -> str | None:
        if value and not _calls_a_host(value):
            raise ValueError("http://HOST/… or https://HOST/…")
        return value.rstrip("/") if value else value

    @field_validator(
        *("operator_password", "log_file", "heartbeat_url", "slack_bot_token", "slack_channel"),
        *("slack_webhook_url", "public_url", "report_language", "chronos_model", "monthly_budget_usd"),
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def exposed(self) -> bool:
        """Whether somebody on another machine may reach the dashboard."""
        return self.address not in LOOPBACK or not LOOPBACK.issuperset(self.allowed_hosts)


def _calls_a_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        plain = address.isascii() and address.isprintable() and " " not in address
        return (
            plain
            and parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:  # a port that is no number, half of an IPv6 address
        return False


def _is_encrypted(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.hostname or "") in LOOPBACK


def _secret(name: str) -> bool:
    secrets = {"operator_password", "database_url", "heartbeat_url", "slack_bot_token", "slack_webhook_url"}
    return name in secrets


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        field = Settings.model_fields[name]
        got = "a value that is not shown" if _secret(name) else repr(problem["input"])
        wants = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name.upper()} got {got}; it takes: {field.description} ({wants})")
    return "\n".join(lines)


def load(**overrides: Any) -> Settings:
    """Settings from the environment and `.env`, with overrides; raises WrongSetting."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise WrongSetting(_explain(error)) from None


_NAMES = tuple(name.upper() for name in Settings.model_fields)


@cache
def known_zones() -> frozenset[str]:
    """The names of all IANA time zones; to look for them reads some six hundred entries of folders."""
    return frozenset(available_timezones())


@cache
def _cached(environment: tuple[str | None, ...]) -> Settings:
    return load()


def current() -> Settings:
    """The settings now; read again when a setting in the environment changed (tests do that)."""
    return _cached(tuple(os.environ.get(name) for name in _NAMES))
