"""Signing in where the programs issue their own tokens: choose one of the programme's people, get a token of theirs.

Not where `JIEDUI_OIDC_ISSUER` is set, nor in production. It answers only what was asked for under the console's own
address: a page of somebody else, or a name that was pointed at this machine, gets no token.
"""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from services.kit.decision import NotAllowed, NotFound
from services.kit.forms import Form
from services.kit.service import Context
from services.kit.tokens import LocalIssuer
from services.notify.domain import CountyView, PartnerView, ProjectView
from services.notify.store import Tx

router = APIRouter(include_in_schema=False)
OPEN = frozenset({"/sign-in", "/sign-in/people"})
_DESKS = ("coordinator", "coordinator-2", "monitor", "bookkeeper")


class Person(BaseModel):
    """`id` is the token's subject; `of` names the partner or the county."""

    id: str
    role: str
    of: dict[str, Any] | None = None


class Choice(Form):
    id: str


@router.get("/sign-in/people")
async def list_people(request: Request) -> Response:
    tx: Tx = _here(request).transactor.reading()  # type: ignore[assignment]
    people = [Person(id=desk, role=desk.removesuffix("-2")) for desk in _DESKS]
    people += [Person(id=f"partner-{one.id}", role="partner", of=one.name) for one in await tx.find(PartnerView, {})]
    people += [Person(id=f"officer-{one.id}", role="officer", of=one.name) for one in await _counties(tx)]
    return JSONResponse({"items": [person.model_dump() for person in people]}, headers={"cache-control": "no-store"})


@router.post("/sign-in")
async def sign_in(request: Request, choice: Choice) -> Response:
    context = _here(request)
    tx: Tx = context.transactor.reading()  # type: ignore[assignment]
    role, _, of = choice.id.partition("-")
    claims: dict[str, Any] = {}
    of_whom: type[Any] | None = {"partner": PartnerView, "officer": CountyView}.get(role)
    if of_whom and await tx.get(of_whom, of):
        claims = {"partner_id": of} if role == "partner" else {"county_codes": [of]}
    elif choice.id not in _DESKS:
        raise NotFound(f"There is nobody {choice.id}.")
    settings = context.settings
    token = LocalIssuer(settings.home).token(
        sub=choice.id, roles=[role], now=context.now(), audience=settings.oidc_audience, **claims
    )
    return JSONResponse({"token": token}, headers={"cache-control": "no-store"})


async def _counties(tx: Tx) -> list[CountyView]:
    """Those with a project, since an officer of another has nothing to do."""
    codes = {project.county_code for project in await tx.find(ProjectView, {}) if project.county_code}
    found = await tx.get_many(CountyView, codes)
    return [found[code] for code in sorted(found)]


class NotFromHere(NotAllowed):
    """A token of the local issuer is given to the console alone."""


def _here(request: Request) -> Context:
    """
    Raises:
        NotFound: tokens are issued by somebody else.
        NotFromHere: it was asked for from another place than the console.
    """
    context: Context = request.app.state.context
    settings: Any = context.settings
    if settings.oidc_issuer or settings.env == "production":
        raise NotFound("Tokens are given out elsewhere.")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if request.headers.get("host") != urlsplit(settings.public_url).netloc or site not in ("same-origin", "none"):
        raise NotFromHere("Open the console under its own address.")
    return context
