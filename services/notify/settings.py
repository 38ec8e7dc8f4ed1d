"""Notify's own settings: ports, the mail server, and where webhooks may go besides public addresses."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from services.kit import settings

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class MailServer:
    """`smtp://[user:password@]host[:port][?from=address]`, or `smtps://…` for TLS from the first byte."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    sender: str

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """
        Raises:
            ValueError: with what is wrong with the URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("give smtp://host:port or smtps://host:port")
        sender = parse_qs(parts.query).get("from", [f"jiedui@{parts.hostname}"])[0]
        if not sender.partition("@")[2]:
            raise ValueError("from= must be a mail address")
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if tls else 25),
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            sender=sender,
        )


def _mail_server(value: Any) -> Any:
    return (MailServer.of(value) if value else None) if isinstance(value, str) else value


def _networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())


def _trace_url(value: Any) -> Any:
    """
    Raises:
        ValueError: it is no template of a URL.
    """
    if not value:
        return None
    if not isinstance(value, str) or urlsplit(value).scheme not in ("http", "https") or "{trace_id}" not in value:
        raise ValueError("give an http:// or https:// URL with {trace_id} in it")
    return value


class Settings(settings.Settings):
    port: int = Field(8004, validation_alias="JIEDUI_NOTIFY_PORT")
    worker_port: int = Field(8104, validation_alias="JIEDUI_NOTIFY_WORKER_PORT")
    pairing_port: int = 8001
    projects_port: int = 8002
    funding_port: int = 8003
    smtp_url: Annotated[MailServer | None, NoDecode, BeforeValidator(_mail_server)] = None
    webhook_allow: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    """Networks with commas between them, such as `127.0.0.0/8, fd00::/8`."""

    trace_url: Annotated[str | None, BeforeValidator(_trace_url)] = None
    """Where a trace can be looked at, with `{trace_id}` for its id."""

    @property
    def public_url(self) -> str:
        """Where links in mails lead: behind a proxy all is one origin, the console's."""
        return (self.console_origin or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def api_urls(self) -> dict[str, str]:
        """Where the console finds the four APIs, as origins.

        If its own origin names notify's port, the others are beside it on theirs; else a proxy stands before all.
        """
        origin = urlsplit(self.public_url)
        ports = {
            "pairing": self.pairing_port,
            "projects": self.projects_port,
            "funding": self.funding_port,
            "notify": self.port,
        }
        if origin.port != self.port:
            return dict.fromkeys(ports, self.public_url)
        return {service: f"{origin.scheme}://{origin.hostname}:{port}" for service, port in ports.items()}
