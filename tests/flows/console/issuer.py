"""A small issuer of tokens on loopback, as OpenID Connect has it: discovery, the authorization code flow with PKCE
(S256 alone), keys. It has one person, who signs in with one press."""

import base64
import hashlib
import html
import secrets
import time
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from tests.conftest import free_ports

CLIENT = "jiedui"
PAGE = """<!doctype html><html lang="en"><title>Issuer</title><link rel="icon" href="data:,">
<a href="{back}">I am Li</a></html>"""


class Issuer:
    """`lasting_s` is how long the next token is good for; `refused` counts what was wrong at the token endpoint."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lasting_s = 3600
        self.refused: list[str] = []
        self.given = 0
        self._key = ECKey.generate_key("P-256", auto_kid=True)
        self._codes: dict[str, tuple[str, str]] = {}

    def app(self, redirect_uri: str, origin: str) -> FastAPI:
        app = FastAPI()
        app.add_middleware(CORSMiddleware, allow_origins=[origin])

        @app.get("/.well-known/openid-configuration")
        async def discovery() -> Response:
            return JSONResponse(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                    "code_challenge_methods_supported": ["S256"],
                }
            )

        @app.get("/keys")
        async def keys() -> Response:
            return JSONResponse({"keys": [self._key.as_dict(private=False)]})

        @app.get("/authorize")
        async def authorize(request: Request) -> Response:
            asked = request.query_params
            wanted = {
                "response_type": "code",
                "client_id": CLIENT,
                "redirect_uri": redirect_uri,
                "code_challenge_method": "S256",
            }
            if any(asked.get(name) != value for name, value in wanted.items()) or len(asked["code_challenge"]) != 43:
                return HTMLResponse("wrong request", 400)
            code = secrets.token_urlsafe()
            self._codes[code] = (asked["code_challenge"], asked["client_id"])
            back = html.escape(f"{redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}")
            return HTMLResponse(PAGE.format(back=back))

        @app.post("/token")
        async def token(
            code: str = Form(),
            code_verifier: str = Form(),
            client_id: str = Form(),
            redirect: str = Form(alias="redirect_uri"),
        ) -> Response:
            challenge, client = self._codes.pop(code, ("", ""))
            digest = hashlib.sha256(code_verifier.encode()).digest()
            proved = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if (proved, client_id, redirect) != (challenge, client, redirect_uri):
                self.refused.append(code)
                return JSONResponse({"error": "invalid_grant"}, 400)
            self.given += 1
            return JSONResponse({"access_token": self._token(), "token_type": "Bearer"})

        return app

    def _token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": "li", "name": "李丽", "roles": ["monitor"]}
        claims |= {"nbf": now - 600, "iat": now - 600, "exp": now + self.lasting_s}
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key, algorithms=["ES256"])


def issuer_somewhere() -> tuple[Issuer, int]:
    (port,) = free_ports(1)
    return Issuer(f"http://127.0.0.1:{port}"), port
