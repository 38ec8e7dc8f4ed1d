"""Bearer tokens (RFC 7519): who may be believed, and a local issuer for development.

The keys are those of `JIEDUI_OIDC_ISSUER` (by its discovery document), or else the local issuer's,
kept under `JIEDUI_HOME`; with `JIEDUI_ENV=production` there is no local issuer.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from services.kit.clock import Clock

ALGORITHMS = ["RS256", "ES256", "Ed25519"]
LOCAL_ISSUER = "jiedui-local"
LOCAL_TOKEN_S = 24 * 3600
ROLES = ("partner", "officer", "coordinator", "monitor", "bookkeeper")
_LEEWAY_S = 30
_KEYS_KEPT_S = 300
_CACHE_SIZE = 4096


class TokenRefused(Exception):
    """The token is not to be believed; the message says why."""


@dataclass(frozen=True)
class Caller:
    """Who asks. `expires_at` is a Unix time in seconds."""

    sub: str
    roles: frozenset[str]
    partner_id: str | None
    county_codes: frozenset[str]
    name: str
    expires_at: int

    def has(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)


class LocalIssuer:
    """Issues tokens without any server; its key pair is made on first use."""

    def __init__(self, home: Path) -> None:
        self._path = home / "issuer" / "key.json"

    def key(self) -> OKPKey:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            made = OKPKey.generate_key("Ed25519", auto_kid=True)
            fresh = self._path.with_suffix(f".{time.monotonic_ns()}")
            fresh.touch(mode=0o600)
            fresh.write_bytes(orjson.dumps(made.as_dict(private=True)))
            try:
                # Two programs may start at once: the first key stays.
                self._path.hardlink_to(fresh)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return OKPKey.import_key(orjson.loads(self._path.read_bytes()))

    def token(
        self,
        *,
        sub: str,
        roles: Sequence[str],
        now: datetime,
        county_codes: Sequence[str] = (),
        partner_id: str | None = None,
        audience: str = "jiedui",
    ) -> str:
        """A signed token for 24 hours from `now`."""
        issued = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": LOCAL_ISSUER,
            "aud": audience,
            "iat": issued,
            "nbf": issued,
            "exp": issued + LOCAL_TOKEN_S,
            "sub": sub,
            "name": sub,
            "roles": list(roles),
            "county_codes": list(county_codes),
        }
        if partner_id is not None:
            claims["partner_id"] = partner_id
        key = self.key()
        return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=ALGORITHMS)


class Tokens:
    """Checks bearer tokens."""

    def __init__(self, *, issuer: str | None, audience: str, home: Path, production: bool, clock: Clock) -> None:
        if production and issuer is None:
            raise ValueError(
                "JIEDUI_OIDC_ISSUER: must be set where JIEDUI_ENV is production; the local issuer is refused"
            )
        self._issuer = issuer or LOCAL_ISSUER
        self._local = None if issuer else LocalIssuer(home)
        self._audience = audience
        self._clock = clock
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._known: dict[bytes, Caller] = {}

    async def check(self, token: str) -> Caller:
        """Who the token speaks for.

        Raises:
            TokenRefused: it is broken, of another issuer or audience, over or not valid yet.
        """
        now = int(self._clock.now().timestamp())
        digest = hashlib.sha256(token.encode()).digest()
        caller = self._known.get(digest)
        if caller is None:
            caller = await self._read(token, now)
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[digest] = caller
        if caller.expires_at + _LEEWAY_S < now:
            raise TokenRefused("the token is over; ask for a new one")
        return caller

    async def _read(self, token: str, now: int) -> Caller:
        try:
            found = jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)
            claims = jwt.JWTClaimsRegistry(
                now=now,
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._audience},
                exp={"essential": True},
                sub={"essential": True},
            )
            claims.validate(found.claims)
        except (JoseError, ValueError) as error:
            raise TokenRefused(f"the token is not valid: {error}") from error
        return _caller(found.claims)

    async def _key_set(self) -> KeySet:
        age = time.monotonic() - self._keys_at
        if self._keys is None or (self._local is None and age > _KEYS_KEPT_S):
            self._keys = KeySet([self._local.key()]) if self._local else await self._fetch()
            self._keys_at = time.monotonic()
        return self._keys

    async def _fetch(self) -> KeySet:
        async with httpx.AsyncClient(timeout=5) as client:
            about = await client.get(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            about.raise_for_status()
            keys = await client.get(about.json()["jwks_uri"])
            keys.raise_for_status()
            return KeySet.import_key_set(keys.json())


def _caller(claims: Mapping[str, Any]) -> Caller:
    roles, counties = claims.get("roles"), claims.get("county_codes")
    partner = claims.get("partner_id")
    return Caller(
        sub=str(claims["sub"]),
        roles=frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset(),
        partner_id=partner if isinstance(partner, str) else None,
        county_codes=frozenset(map(str, counties)) if isinstance(counties, list) else frozenset(),
        name=str(claims.get("name", claims["sub"])),
        expires_at=int(claims["exp"]),
    )
