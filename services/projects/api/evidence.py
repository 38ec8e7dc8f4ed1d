"""The routes of evidence: a file comes in as multipart, its copy without device data goes out."""

import asyncio
import base64
import csv
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from services.kit.decision import Decision, Invalid, NotFound
from services.kit.http import Call, Page, created
from services.kit.problems import UnsupportedMediaType
from services.projects import domain, store
from services.projects.api import pictures
from services.projects.api.pictures import Content
from services.projects.api.reach import READERS, Reader, Reporter, project_of, reach_of
from services.projects.api.views import Listed
from services.projects.domain import Evidence, Location, MediaType, Position, Uploader
from services.projects.store import Files, Tx

router = APIRouter()

FILE_MAX_BYTES = 10 * 1024 * 1024
# Around the file there are the boundaries and headers of multipart.
BODY_LIMITS = {"/evidence": FILE_MAX_BYTES + 64 * 1024}
# A photo being read takes some 200 MB for a moment.
_AT_ONCE = asyncio.Semaphore(2)
_UPLOAD: Any = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            }
        },
    }
}
_SERVED: Any = {
    200: {
        "description": "The copy that is served, or with `Accept: application/json` what is known of it.",
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in ("image/jpeg", "image/png", "image/webp", "application/pdf")
        },
    }
}


class EvidenceView(BaseModel):
    """`sha256` and `size` are of the bytes uploaded; `distance_m` is from where a photo says that it was taken."""

    sha256: str
    size: int
    media_type: MediaType
    distance_m: int | None
    location: Location

    @classmethod
    def of(cls, evidence: Evidence, who: str) -> Self:
        distance_m = domain.distance_m(evidence, who, _positions())
        return cls(
            sha256=evidence.id,
            size=evidence.size,
            media_type=evidence.media_type,
            distance_m=distance_m,
            location=domain.location(distance_m),
        )


class EvidenceList(Listed):
    items: list[EvidenceView]


@router.post("/evidence", status_code=201, response_model=EvidenceView, openapi_extra=_UPLOAD)
async def upload_evidence(call: Reporter) -> Response:
    uploaded = await _file(call)
    # The same file is the same command, whatever stands between it and the next part.
    call.sent = uploaded
    contents = _Contents(Files(call.transactor.database), uploaded)

    async def work(tx: Tx) -> Decision[Evidence]:
        uploader = Uploader(who=call.caller.sub, county_codes=tuple(sorted(call.caller.county_codes)))
        if known := await tx.get(Evidence, contents.sha256):
            return domain.share_evidence(known, uploader)
        return domain.keep_evidence(await contents.kept(uploader, tx))

    try:
        return await call.perform(work, created("/evidence", lambda kept: EvidenceView.of(kept, call.caller.sub)))
    finally:
        await contents.clear(call.transactor.reading())  # type: ignore[arg-type]


class _Contents:
    """What one call uploaded; GridFS writes outside of transactions, so it is put before its state and once."""

    def __init__(self, files: Files, uploaded: bytes) -> None:
        self.sha256 = sha256(uploaded).hexdigest()
        self._files = files
        self._uploaded = uploaded
        self._put: tuple[Content, str] | None = None

    async def kept(self, uploader: Uploader, tx: Tx) -> Evidence:
        if self._put is None:
            async with _AT_ONCE:
                content = await asyncio.to_thread(pictures.inspect, self._uploaded)
            self._put = content, await self._files.put(content.served)
        content, file_id = self._put
        return Evidence(
            id=self.sha256,
            size=len(self._uploaded),
            media_type=content.media_type,
            position=content.position,
            file_id=file_id,
            served_size=len(content.served),
            served_sha256=sha256(content.served).hexdigest(),
            uploaded_at=tx.now,
            uploaders=(uploader,),
        )

    async def clear(self, tx: Tx) -> None:
        """Removes the file if it is not the one that counts: somebody else was first, or the call failed."""
        if self._put and not await tx.count(Evidence, store.file(self._put[1])):
            await self._files.delete(self._put[1])


@router.get("/evidence/{sha256}", response_class=Response, responses=_SERVED)
async def get_evidence(sha256: str, call: Reader) -> Response:
    tx: Tx = call.transactor.reading()  # type: ignore[assignment]
    evidence = await tx.get(Evidence, sha256)
    if evidence is None or not _may_see(call, evidence):
        raise NotFound(f"There is no evidence {sha256}.")
    if call.request.headers.get("accept") == "application/json":
        return JSONResponse(EvidenceView.of(evidence, call.caller.sub).model_dump(mode="json"))
    content = await Files(call.transactor.database).get(evidence.file_id)
    digest = f"sha-256=:{base64.b64encode(bytes.fromhex(evidence.served_sha256)).decode()}:"
    return Response(
        content,
        media_type=evidence.media_type,
        headers={
            "etag": f'"{evidence.served_sha256}"',
            "repr-digest": digest,
            "content-digest": digest,
            "digest": digest.replace("=:", "=", 1).removesuffix(":"),
            "cache-control": "private",
            # It is somebody's upload: nothing in it is to be run.
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
        },
    )


@router.get("/projects/{id}/evidence", response_model=EvidenceList)
async def list_evidence(id: str, call: Reader, page: Annotated[Page, Query()]) -> Response:
    await project_of(call.transactor.reading(), call, id, *READERS)
    return await call.page(
        Evidence, store.evidence_of(id), page, lambda evidence: EvidenceView.of(evidence, call.caller.sub)
    )


def _may_see(call: Call, evidence: Evidence) -> bool:
    """As the projects that name it; before that the uploader only."""
    if not evidence.named_by:
        return evidence.uploaded_by(call.caller.sub) is not None
    reach = reach_of(call, *READERS)
    return any(reach.covers(naming) for naming in evidence.named_by)


async def _file(call: Call) -> bytes:
    """
    Raises:
        UnsupportedMediaType: the body is not multipart.
        Invalid: it has no file, or other parts.
    """
    if not call.request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMediaType("Send the file as multipart/form-data, in the part `file`.")
    async with call.request.form(max_files=1, max_fields=0) as form:
        uploaded = form.get("file")
        if len(form) != 1 or not isinstance(uploaded, UploadFile):
            raise Invalid({"/file": "Send one file, in the part `file`."})
        content = await uploaded.read()
    if not content:
        raise Invalid({"/file": "The file is empty."})
    if len(content) > FILE_MAX_BYTES:
        raise HTTPException(413, f"A file may have {FILE_MAX_BYTES} bytes.")
    return content


@cache
def _positions() -> Mapping[str, Position]:
    lines = files("services.projects").joinpath("data/county_positions.csv").read_text(encoding="utf-8").splitlines()
    return {
        row["code"]: Position(longitude=float(row["longitude"]), latitude=float(row["latitude"]))
        for row in csv.DictReader(lines)
    }
