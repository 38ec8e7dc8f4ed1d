"""Evidence: what is taken, what others get to see of it, and who they are."""

import asyncio
import base64
import hashlib
import io
import uuid

import pytest
from PIL import Image

from services.projects.api import pictures
from services.projects.store import Files
from services.projects.streams.files import remove_abandoned
from tests.projects.conftest import Office
from tests.projects.photos import CAMERA, photo

WUCHUAN = (107.89, 28.52)
BEIJING = (116.4, 39.9)
HERE = {"county_codes": ["520326"]}
OCCURRED = {"occurred_at": "2020-11-01T09:30:00Z"}


async def files_in(office: Office) -> tuple[int, int, int]:
    names = ("fs.files", "fs.chunks", "evidence")
    files, chunks, states = [await office.database[name].count_documents({}) for name in names]
    return files, chunks, states


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
@pytest.mark.parametrize("turned", [False, True])
async def test_the_served_copy_of_a_photo_is_upright_and_knows_nothing_of_its_phone(
    office: Office, kind: str, media_type: str, turned: bool
) -> None:
    uploaded = photo(kind, at=WUCHUAN, turned=turned)
    assert CAMERA.encode() in uploaded
    made = await office.send_file(uploaded)
    sha256 = hashlib.sha256(uploaded).hexdigest()
    assert (made.status_code, made.headers["location"]) == (201, f"/evidence/{sha256}")
    view = made.json()
    assert (view["sha256"], view["size"], view["media_type"]) == (sha256, len(uploaded), media_type)
    served = await office.get(f"/evidence/{sha256}", "officer", **HERE)
    assert (served.status_code, served.headers["content-type"]) == (200, media_type)
    digest = base64.b64encode(hashlib.sha256(served.content).digest()).decode()
    assert served.headers["repr-digest"] == f"sha-256=:{digest}:"
    with Image.open(io.BytesIO(served.content)) as copy:
        assert copy.size == ((48, 64) if turned else (64, 48))
        assert dict(copy.getexif()) == {}
        assert not {"xmp", "comment", "exif", "icc_profile"} & set(copy.info)
    assert CAMERA.encode() not in served.content


async def test_how_far_a_photo_is_from_the_county_is_noted_and_refused_is_nothing(office: Office) -> None:
    for at, location in ((WUCHUAN, "near"), (BEIJING, "far"), (None, "unverified"), ((0.0, 0.0), "unverified")):
        view = (await office.send_file(photo(at=at))).json()
        assert view["location"] == location
        assert (view["distance_m"] is None) == (location == "unverified")
    view = (await office.send_file(photo(at=BEIJING), county_codes=["999999"])).json()
    assert (view["location"], view["distance_m"]) == ("unverified", None)
    assert (await office.send_file(b"%PDF-1.7 x")).json()["location"] == "unverified"


async def test_once_a_project_names_it_the_distance_is_to_the_projects_county(office: Office) -> None:
    id = await office.open()
    both = {"county_codes": ["520326", "513431"]}
    # Near 昭觉, which is the nearest of the officer's two counties; the project is in 务川.
    sent = (await office.send_file(photo(at=(102.84, 28.01)), **both)).json()
    assert sent["location"] == "near"
    report = OCCURRED | {"evidence": [sent["sha256"]]}
    assert (await office.on_milestone(id, 1, "report", report, "officer", **both)).status_code == 200
    (listed,) = (await office.get(f"/projects/{id}/evidence")).json()["items"]
    assert (listed["location"], listed["sha256"]) == ("far", sent["sha256"])
    assert listed["distance_m"] == pytest.approx(496_000, rel=0.05)


async def test_one_content_is_kept_once_however_many_send_it_at_once(office: Office) -> None:
    uploaded = photo()
    answers = await asyncio.gather(*(office.send_file(uploaded, sub=f"officer{n}") for n in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert await files_in(office) == (1, 1, 1)
    sha256 = answers[0].json()["sha256"]
    for n in range(8):
        assert (await office.get(f"/evidence/{sha256}", "officer", sub=f"officer{n}", **HERE)).status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"GIF89a", 415),
        (b"hello", 415),
        (b"", 422),
        (b"\xff\xd8\xff" + b"x" * 100, 422),
        (photo(size=(400, 300))[:9000], 422),
        (photo("PNG", size=(400, 300))[:9000], 422),
        (b"%PDF-" + b"x" * (10 * 1024 * 1024), 413),
        (b"%PDF-" + b"x" * (11 * 1024 * 1024), 413),
    ],
    ids=["gif", "text", "empty", "no-photo", "cut-jpeg", "cut-png", "a-little-large", "large"],
)
async def test_what_is_no_evidence_leaves_nothing(office: Office, content: bytes, status: int) -> None:
    assert (await office.send_file(content)).status_code == status
    assert await files_in(office) == (0, 0, 0)


async def test_ten_mebibytes_are_taken_and_other_routes_stay_at_one(office: Office) -> None:
    uploaded = b"%PDF-" + b"x" * (10 * 1024 * 1024 - 5)
    made = await office.send_file(uploaded)
    assert (made.status_code, made.json()["size"]) == (201, 10 * 1024 * 1024)
    served = await office.get(f"/evidence/{made.json()['sha256']}", "officer", **HERE)
    assert served.content == uploaded
    body = {"edits": [], "grant": "x" * (1024 * 1024)}
    assert (await office.post("/sync", body, "officer")).status_code == 413


async def test_a_body_that_is_no_form_with_one_file_is_told_so(office: Office) -> None:
    headers = office.token("officer", county_codes=["520326"])
    assert (await office.client.post("/evidence", json={}, headers=headers)).status_code == 415
    for files, data in (({"other": b"%PDF-"}, {}), ({"file": b"%PDF-"}, {"note": "x"})):
        refused = await office.client.post("/evidence", files=files, data=data, headers=headers)
        assert 400 <= refused.status_code < 500
        assert refused.headers["content-type"] == "application/problem+json"
    assert await files_in(office) == (0, 0, 0)


async def test_an_upload_whose_line_breaks_off_leaves_nothing(office: Office) -> None:
    async def cut() -> object:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%PDF-1.7 half of'
        raise ConnectionError

    headers = office.token("officer", county_codes=["520326"]) | {"content-type": "multipart/form-data; boundary=b"}
    assert (await office.client.post("/evidence", content=cut(), headers=headers)).status_code >= 400
    half = await office.client.post(
        "/evidence",
        content=b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%PDF-1.7 half of',
        headers=headers,
    )
    assert 400 <= half.status_code < 500
    assert await files_in(office) == (0, 0, 0)


async def test_a_file_that_a_program_left_when_it_died_is_removed_an_hour_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (await office.send_file(b"%PDF-1.7 kept")).json()["sha256"]
    await Files(office.database).put(b"left over")
    await remove_abandoned(office.context)
    assert (await files_in(office))[0] == 2, "its state may be on its way"
    monkeypatch.setattr(Files, "ABANDONED_S", -1)
    await remove_abandoned(office.context)
    assert await files_in(office) == (1, 1, 1)
    assert (await office.get(f"/evidence/{kept}", "officer", **HERE)).content == b"%PDF-1.7 kept"


async def test_before_a_report_names_it_only_the_uploader_sees_it_then_who_sees_the_project(office: Office) -> None:
    id = await office.open(partner_id="mine")
    sha256 = await office.upload(b"%PDF-1.7", sub="li")
    path = f"/evidence/{sha256}"
    assert (await office.get(path, "officer", sub="li")).status_code == 200
    assert (await office.get(path, "officer", sub="wang", **HERE)).status_code == 404
    assert (await office.get(path, "coordinator")).status_code == 404
    others = await office.on_milestone(id, 1, "report", OCCURRED | {"evidence": [sha256]}, "officer", sub="wang")
    assert (others.status_code, others.json()["errors"][0]["pointer"]) == (422, "/evidence/0")
    named = await office.on_milestone(id, 1, "report", OCCURRED | {"evidence": [sha256]}, "officer", sub="li")
    assert named.json()["evidence"] == [sha256]
    again = await office.on_milestone(id, 2, "report", OCCURRED | {"evidence": [sha256]}, "officer", sub="wang")
    assert again.status_code == 200, "what the project names may be named by who reports in it"
    seen = {
        ("coordinator", ""): {},
        ("monitor", ""): {},
        ("officer", "here"): HERE,
        ("partner", "own"): {"partner_id": "mine"},
    }
    for (role, _), claims in seen.items():
        assert (await office.get(path, role, sub="x", **claims)).status_code == 200, role
    assert (await office.get(path, "officer", sub="li", county_codes=["513431"])).status_code == 404
    assert (await office.get(path, "partner", partner_id="theirs")).status_code == 404
    for role in ("partner", "monitor", "bookkeeper"):
        assert (await office.send_file(b"%PDF-", role)).status_code == 403
    assert (await office.get(f"/evidence/{'0' * 64}")).status_code == 404


async def test_the_same_file_with_the_same_key_is_the_same_command(office: Office) -> None:
    headers = office.token("officer", county_codes=["520326"]) | {"idempotency-key": str(uuid.uuid4())}
    first, again, other = [
        await office.client.post("/evidence", files={"file": content}, headers=headers)
        for content in (b"%PDF-1", b"%PDF-1", b"%PDF-2")
    ]
    assert (first.status_code, again.content, other.status_code) == (201, first.content, 422)
    assert await files_in(office) == (1, 1, 1)


def test_a_photo_with_more_pixels_than_a_phone_has_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    with pytest.raises(pictures.Invalid):
        pictures.inspect(bomb.getvalue())
