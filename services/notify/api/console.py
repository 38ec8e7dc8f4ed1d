"""The console: files that `services/notify/console` was built into, and where its page finds the services.

Everything is kept in memory from the start on (some hundred kilobytes), packed as the build left it. A page may
load scripts and styles from here alone, and speak with the four APIs and the issuer of tokens alone.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.kit.decision import NotFound
from services.notify.settings import Settings

BUILT = Path(__file__).parents[1] / "console" / "dist"
PAGES = {"/": "index.html", "/officer": "officer.html"}
LOOSE = ("officer-worker.js", "officer.webmanifest", "icon.svg")
OPEN = frozenset({*PAGES, *(f"/{name}" for name in LOOSE), "/config.json"})
OPEN_BELOW = "/assets/"

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_PACKED = (("br", ".br"), ("gzip", ".gz"))
_NOT_BUILT = """<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><title>jiedui</title>
<h1>控制台尚未构建</h1><p>请运行 <code>make setup</code>（需要 Node 20 或更高版本），然后重新启动。</p>
<h1 lang="en">The console has not been built</h1>
<p lang="en">Run <code>make setup</code> (it needs Node 20 or later) and start again.</p></html>
"""


@dataclass(frozen=True)
class File:
    """`packed` has the same bytes by content coding."""

    content: bytes
    media_type: str
    packed: Mapping[str, bytes]
    etag: str

    @classmethod
    def read(cls, path: Path) -> "File":
        content = path.read_bytes()
        packed = {
            coding: found.read_bytes()
            for coding, ending in _PACKED
            if (found := path.with_name(path.name + ending)).exists()
        }
        guessed = "application/manifest+json" if path.suffix == ".webmanifest" else mimetypes.guess_type(path.name)[0]
        return cls(content, guessed or "application/octet-stream", packed, hashlib.sha256(content).hexdigest()[:20])


def files(built: Path) -> dict[str, File]:
    """All that was built, by path below `built`; nothing where it was not."""
    return {
        str(path.relative_to(built)): File.read(path)
        for path in sorted(built.rglob("*"))
        if path.is_file() and path.suffix not in (".br", ".gz")
    }


def router(built: Path = BUILT) -> APIRouter:
    """Its routes; they need no token, and are no part of the API."""
    found = files(built)
    routes = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        settings: Settings = request.app.state.context.settings
        if (host := request.headers.get("host", "")) != (wanted := urlsplit(settings.public_url)).netloc and (
            host == f"localhost:{wanted.port}"
        ):
            # The APIs answer one origin alone, and `localhost` is another one to a browser.
            return RedirectResponse(settings.public_url + request.url.path, headers={"cache-control": _ASK_FIRST})
        file = found.get(PAGES[request.url.path])
        if file is None:
            return Response(_NOT_BUILT, 503, media_type="text/html", headers=_safe(settings))
        return _answer(request, file, _ASK_FIRST, _safe(settings))

    async def loose(request: Request) -> Response:
        return _answer(request, _file(request.url.path[1:]), _ASK_FIRST, _safe(request.app.state.context.settings))

    async def asset(name: str, request: Request) -> Response:
        # Their names have a hash of what is in them.
        return _answer(request, _file(f"assets/{name}"), _FOR_EVER, {})

    def _file(path: str) -> File:
        if path not in found:
            raise NotFound(f"There is no file {path} of the console.")
        return found[path]

    for path in PAGES:
        routes.add_api_route(path, page, methods=["GET", "HEAD"])
    for name in LOOSE:
        routes.add_api_route(f"/{name}", loose, methods=["GET", "HEAD"])
    routes.add_api_route("/assets/{name}", asset, methods=["GET", "HEAD"])

    @routes.get("/config.json")
    async def config(request: Request) -> Response:
        settings: Settings = request.app.state.context.settings
        body = {
            "apis": settings.api_urls,
            "oidc": {"issuer": settings.oidc_issuer, "client_id": settings.oidc_audience}
            if settings.oidc_issuer
            else None,
            "trace_url": settings.trace_url,
        }
        return JSONResponse(body, headers={"cache-control": _ASK_FIRST})

    return routes


def _safe(settings: Settings) -> dict[str, str]:
    spoken_to = {"'self'", *settings.api_urls.values()}
    if settings.oidc_issuer:
        issuer = urlsplit(settings.oidc_issuer)
        spoken_to.add(f"{issuer.scheme}://{issuer.netloc}")
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": " ".join(sorted(spoken_to)),
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }


def _answer(request: Request, file: File, cache: str, more: Mapping[str, str]) -> Response:
    wished = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    coding = next((coding for coding in file.packed if coding in wished), None)
    etag = f'"{file.etag}{f"-{coding}" if coding else ""}"'
    headers = {
        "etag": etag,
        "cache-control": cache,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        **more,
    }
    if etag in [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if coding:
        headers["content-encoding"] = coding
    return Response(file.packed[coding] if coding else file.content, headers=headers, media_type=file.media_type)
