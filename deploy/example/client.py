"""The public API as a programme's loader needs it: as a coordinator or a partner, one request at a time."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

PATIENCE_S = 120.0
Body = dict[str, Any]


class LoadFailed(Exception):
    """The load cannot go on; the message is one line that says what to do."""


class Client:
    """Calls services by name; a service that is busy (429, 503) is asked again when it says so."""

    def __init__(self, http: httpx.AsyncClient, base_urls: dict[str, str], token: Callable[..., str]) -> None:
        self._http = http
        self._base_urls = base_urls
        self._token = token

    async def get(self, service: str, path: str) -> Body:
        return _answer(await self._send("GET", service, path))

    async def items(self, path: str) -> list[Body]:
        """All of one of pairing's lists."""
        found: list[Body] = []
        cursor = ""
        while True:
            page = await self.get("pairing", f"{path}{'&' if '?' in path else '?'}limit=500{cursor}")
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def post(self, path: str, body: Body, *, key: str, role: str = "coordinator", **who: str) -> Body:
        """One of pairing's POSTs. `who` goes to the token: `sub`, `partner`."""
        return _answer(await self._send("POST", "pairing", path, body=body, key=key, role=role, **who))

    async def put_first(self, path: str, body: Body) -> None:
        """A PUT of what is not there yet; where it is by now (428), it stays as it is."""
        response = await self._send("PUT", "pairing", path, body=body)
        if response.status_code != 428:
            _answer(response)

    async def _send(
        self,
        method: str,
        service: str,
        path: str,
        *,
        body: Body | None = None,
        key: str | None = None,
        role: str = "coordinator",
        **who: str,
    ) -> httpx.Response:
        url = self._base_urls[service] + path
        headers = {"authorization": f"Bearer {self._token(role, **who)}"} | ({"idempotency-key": key} if key else {})
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = await self._http.request(method, url, json=body, headers=headers)
            except httpx.TransportError as error:
                fault = str(error) or type(error).__name__
                raise LoadFailed(
                    f"{url} cannot be reached ({fault}): start it with `make run`, then load again"
                ) from error
            if response.status_code not in (429, 503) or time.monotonic() > deadline:
                return response
            await asyncio.sleep(float(response.headers.get("retry-after", 1)))


def _answer(response: httpx.Response) -> Body:
    if response.is_success:
        answer: Body = response.json()
        return answer
    asked = f"{response.request.method} {response.request.url.path} was answered {response.status_code}"
    try:
        problem = response.json()
        faults = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", ()))
        reason = f"{problem['type']}: {faults or problem['detail']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = response.text[:200]
    raise LoadFailed(f"{asked} ({reason}): put that right, then load again; what is there already is kept")
