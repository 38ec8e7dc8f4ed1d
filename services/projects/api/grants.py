"""Grants: what a phone brings back as proof of which counties its officer held when it last had a line.

A grant is a JWS (HS256) with a key that only projects' database has: nobody else has to check one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from services.kit.decision import Decision
from services.kit.http import Caller
from services.kit.transact import Transactor
from services.projects.domain import CLOCK_TOLERANCE
from services.projects.store import SigningKey, Tx

HOLDS = timedelta(days=90)
_KEY = "grants"
_TYPE = "jiedui-grant+jwt"
_ALGORITHMS = ["HS256"]


@dataclass(frozen=True)
class Grant:
    """Whose it is, for which counties, and from when."""

    sub: str
    county_codes: frozenset[str]
    issued_at: datetime

    def covers(self, sub: str, county_code: str, done_at: datetime) -> bool:
        """Whether `sub` held the county when something was done (a phone's clock may be a little behind)."""
        since, until = self.issued_at - CLOCK_TOLERANCE, self.issued_at + HOLDS
        return sub == self.sub and county_code in self.county_codes and since <= done_at <= until


async def issue(transactor: Transactor, caller: Caller, now: datetime) -> str:
    """A grant for the counties of the caller's token."""
    claims = {
        "sub": caller.sub,
        "county_codes": sorted(caller.county_codes),
        "iat": int(now.timestamp()),
        "exp": int((now + HOLDS).timestamp()),
    }
    return jwt.encode({"alg": "HS256", "typ": _TYPE}, claims, await _key(transactor), algorithms=_ALGORITHMS)


async def read(transactor: Transactor, grant: str | None) -> Grant | None:
    """None where it proves nothing. One that is over still proves what was done while it held."""
    if grant is None:
        return None
    try:
        found = jwt.decode(grant, await _key(transactor), algorithms=_ALGORITHMS)
    except (JoseError, ValueError):
        return None
    claims: Mapping[str, Any] = found.claims
    if found.header.get("typ") != _TYPE:
        return None
    return Grant(claims["sub"], frozenset(claims["county_codes"]), datetime.fromtimestamp(claims["iat"], UTC))


async def _key(transactor: Transactor) -> OctKey:
    async def made(tx: Tx) -> Decision[SigningKey]:
        if known := await tx.get(SigningKey, _KEY):
            return Decision(known)
        fresh = SigningKey(id=_KEY, secret=secrets.token_bytes(32))
        return Decision(fresh, (fresh,))

    key = await transactor.reading().get(SigningKey, _KEY)
    if key is None:
        key = await transactor.transact(made, transactor.cause("projects"))
    return OctKey.import_key(key.secret)
