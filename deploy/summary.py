"""What there is, told once all is ready: figures, addresses, and a token for each role."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from deploy import zipkin
from deploy.access import Tokens
from deploy.programs import Infrastructure
from deploy.settings import Settings
from services.kit.tokens import ROLES


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What the public API says: the overview, and one project to try things out on, if there is one."""

    overview: dict[str, Any]
    project: dict[str, Any] | None

    @property
    def position(self) -> int:
        """How far the feed was when the overview was made."""
        return int(self.overview["as_of"]["position"])


async def read(settings: Settings, tokens: Tokens) -> Programme:
    headers = {"authorization": f"Bearer {tokens('monitor')}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=30) as client:
        overview = await client.get(f"http://127.0.0.1:{settings.notify_port}/overview")
        projects = await client.get(f"http://127.0.0.1:{settings.projects_port}/projects?limit=1")
    for answer in (overview, projects):
        answer.raise_for_status()
    return Programme(overview=overview.json(), project=next(iter(projects.json()["items"]), None))


def lines(programme: Programme | None, settings: Settings, infrastructure: Infrastructure, tokens: Tokens) -> list[str]:
    """`programme` None: another issuer makes the tokens, so there are only addresses to tell."""
    addresses = {
        "console": f"http://127.0.0.1:{settings.notify_port}/",
        **{service: f"http://127.0.0.1:{port}/openapi.json" for service, port in settings.api_ports.items()},
        "traces": f"{zipkin.url(infrastructure.zipkin_port)}/zipkin/",
        "Kafka": infrastructure.kafka_bootstrap,
        "MongoDB": infrastructure.mongodb_uri,
    }
    if programme is None:
        return ["", *_columns(addresses), ""]
    overview = programme.overview
    return [
        "",
        *_columns({name: overview[name] for name in ("partners", "counties", "projects")}),
        *_columns({f"  {category}": count for category, count in overview["projects_by_category"].items()}),
        *_columns({"events": overview["events"]}),
        "",
        *_columns(addresses),
        "",
        "a token for each role (.venv/bin/jiedui token --help for more), to be used as in",
        f'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:{settings.notify_port}/overview',
        *_columns({role: _token(role, programme.project or {}, tokens) for role in ROLES}),
        "",
    ]


def _token(role: str, project: Mapping[str, Any], tokens: Tokens) -> str:
    match role:
        case "partner":
            return tokens(role, partner=project.get("partner_id"))
        case "officer":
            return tokens(role, counties=[project["county_code"]] if project else ())
    return tokens(role)


def _columns(rows: Mapping[str, object]) -> list[str]:
    return [f"{name:<20} {value}" for name, value in rows.items()]
