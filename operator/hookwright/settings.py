"""Settings, from environment variables named `HOOKWRIGHT_…`; each field's description is its documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from hookwright.errors import UsageError

PREFIX = "HOOKWRIGHT_"
OFF = "off"
# Each namespace takes watches of its own (WATCHES_PER_NAMESPACE): one install for all does better beyond this.
MOST_NAMESPACES = 100
MOST_PORT = 65535
_PUBLIC_URL = re.compile(
    r"https?://(?:[A-Za-z0-9_-][A-Za-z0-9._-]*|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]+))?(?:/[^\s?#]*)?"
)
_NAMESPACE = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"


class Settings(BaseModel):
    """What can be set; `Settings.from_environ` reads it."""

    model_config = ConfigDict(frozen=True)

    public_url: str = Field(
        default="http://localhost:8080",
        description="The address under which senders reach the receiver; status.url begins with it.",
    )
    listen: str = Field(
        default="0.0.0.0:8080",  # a receiver is there to be reached; in a cluster a Service stands before it
        description="Address and port on which the receiver listens.",
    )
    admin: str = Field(
        default="0.0.0.0:9090",  # the kubelet and Prometheus come from other hosts
        description="Address and port of /metrics, /healthz and /readyz; off: they are not there.",
    )
    journal: Path = Field(
        default=Path("/var/lib/hookwright"),
        description="The folder of the journal. It must be on block storage and belong to one process alone.",
    )
    cluster_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._\-]{1,63}$")] = Field(
        default="default", description="The cluster's name in ARN-like IDs."
    )
    namespace: Annotated[str, StringConstraints(pattern=f"^{_NAMESPACE}$")] = Field(
        default="hookwright-system", description="Hookwright's own namespace, where it keeps its root key."
    )
    namespaces: str = Field(
        default="",
        description=(
            "The namespaces to work in (commas between them, at most 100), each by rights given there. Default: all."
        ),
    )
    target_patience: Annotated[int, Field(ge=0, le=86400)] = Field(
        default=300, description="For how many seconds an accepted delivery waits for a target that is missing."
    )
    webhook_quota: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=300, description="How many Webhooks a namespace may have; those beyond it, the youngest, are refused."
    )
    identity: Annotated[str, StringConstraints(pattern=r"^[!-~]{0,253}$")] = Field(
        default="",
        description=(
            "The operator's name in the Lease: the pod's in a StatefulSet, which makes restarts quicker. Default: made "
            "up at each start."
        ),
    )
    concurrent_starts: Annotated[int, Field(ge=1, le=256)] = Field(
        default=32, description="How many builds are created at the same time, at most."
    )
    trusted_proxies: str = Field(
        default="",
        description="The ranges (CIDRs, commas between them) of the proxies whose X-Forwarded-For is believed.",
    )
    address_limit: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=100,
        description=(
            "How many requests a second one address may send to one URL that do not prove authentic; 0: no limit."
        ),
    )
    # No Webhook can allow a larger body than 25 MiB: each must fit.
    body_memory: Annotated[int, Field(ge=25, le=65_536)] = Field(
        default=128, description="How many MiB all the bodies that are being read or judged may take."
    )
    drain: Annotated[int, Field(ge=0, le=300)] = Field(
        default=5,
        description="For how many seconds after SIGTERM deliveries are still taken, so that senders can go elsewhere.",
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important log lines that are written; debug has a line per delivery."
    )

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        # What the chart takes: a test holds them alike.
        parts = _PUBLIC_URL.fullmatch(value)
        if parts is None:
            raise ValueError("must be an http or https URL without ? and #, such as https://hooks.example.com")
        if parts["port"] and not _is_port(parts["port"]):
            raise ValueError("its port must be from 1 to 65535, or left out")
        if parts["v6"]:
            IPv6Address(parts["v6"])
        value = value.rstrip("/")
        # Senders and proxies make other paths of these, also of those that are escaped.
        if {"", ".", ".."} & set(unquote(urlsplit(value).path).split("/")[1:]):
            raise ValueError("its path must be without //, /./ and /../, such as https://example.com/hookwright")
        return value

    @field_validator("namespaces")
    @classmethod
    def _check_namespaces(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",")] if value.strip() else []
        for name in names:
            if not re.fullmatch(_NAMESPACE, name):
                raise ValueError(f"{name or 'an empty name'} is no namespace; must be names, such as team-a,team-b")
        if len(set(names)) < len(names):
            raise ValueError(f"{max(names, key=names.count)} is there twice; each namespace must be named once")
        if len(names) > MOST_NAMESPACES:
            raise ValueError(f"{len(names)} namespaces; must be {MOST_NAMESPACES} at most, or empty for all")
        return ",".join(names)

    @field_validator("listen")
    @classmethod
    def _check_listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not _is_port(port):
            raise ValueError("must be ADDRESS:PORT, such as 0.0.0.0:8080 or [::]:8080")
        return value

    @field_validator("admin")
    @classmethod
    def _check_admin(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value != OFF and (not host or not _is_port(port)):
            raise ValueError("must be ADDRESS:PORT, such as 0.0.0.0:9090 or [::]:9090, or off")
        return value

    @property
    def admin_address(self) -> tuple[str, int] | None:
        """The address and port of `admin`, without the brackets of an IPv6 address; None if it is off."""
        host, _, port = self.admin.rpartition(":")
        return None if self.admin == OFF else (host.strip("[]"), int(port))

    @property
    def public_path(self) -> str:
        """The path of `public_url`, as it arrives: without escapes, empty if there is none."""
        return unquote(urlsplit(self.public_url).path)

    @property
    def places(self) -> tuple[str, ...]:
        """The namespaces to work in; empty for all."""
        return tuple(self.namespaces.split(",")) if self.namespaces else ()

    @property
    def listen_host(self) -> str:
        """The address of `listen`, without the brackets of an IPv6 address."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """The port of `listen`."""
        return int(self.listen.rpartition(":")[2])

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from `environ`; a variable that is absent or empty leaves the default.

        Raises:
            UsageError: a value cannot be; it names the variable and says what is right.
        """
        given = {
            name: environ[variable] for name in cls.model_fields if environ.get(variable := PREFIX + name.upper(), "")
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            detail = error.errors()[0]
            variable = PREFIX + str(detail["loc"][0]).upper()
            message = str(detail["msg"]).removeprefix("Value error, ")
            raise UsageError(f"{variable}={detail['input']}: {message}") from None


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) <= MOST_PORT
