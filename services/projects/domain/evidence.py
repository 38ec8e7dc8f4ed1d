"""Evidence: photos and documents that a report names by the SHA-256 of what was uploaded.

A photo's position is what the phone says and never proof. How far it is from the county is noted,
so that somebody looks; nothing is refused for it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.kit.decision import Decision
from services.projects.domain.project import Project

Location = Literal["near", "far", "unverified"]
MediaType = Literal["image/jpeg", "image/png", "image/webp", "application/pdf"]

# A circle of this radius is larger than most counties. The points are those of the county seats, and
# their datum (GCJ-02) is some 500 m off a phone's (WGS 84), which is nothing here.
NEAR_M = 50_000
EVIDENCE_OF_A_MILESTONE = 100
_EARTH_RADIUS_M = 6_371_009


@dataclass(frozen=True, kw_only=True)
class Position:
    """In degrees, east and north."""

    longitude: float
    latitude: float


@dataclass(frozen=True, kw_only=True)
class Uploader:
    """Who sent the content, and the counties of their token then."""

    who: str
    county_codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Naming:
    """A project whose reports name it, now or earlier."""

    project_id: str
    partner_id: str
    county_code: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One content, kept once however often it is uploaded; its id is the SHA-256 of the bytes uploaded.

    `file_id` is the copy that is served, of `served_size` bytes and with the SHA-256 `served_sha256`;
    it differs from what was uploaded by the device data, which are not kept.
    """

    id: str
    size: int
    media_type: MediaType
    position: Position | None
    file_id: str
    served_size: int
    served_sha256: str
    uploaded_at: datetime
    uploaders: tuple[Uploader, ...]
    named_by: tuple[Naming, ...] = ()

    def uploaded_by(self, who: str) -> Uploader | None:
        return next((uploader for uploader in self.uploaders if uploader.who == who), None)


def keep_evidence(fresh: Evidence) -> Decision[Evidence]:
    """A content that we did not have."""
    return Decision(fresh, (fresh,))


def share_evidence(known: Evidence, uploader: Uploader) -> Decision[Evidence]:
    """The same content again, from somebody else or with another token."""
    others = tuple(other for other in known.uploaders if other.who != uploader.who)
    shared = replace(known, uploaders=(*others, uploader))
    return Decision(shared, (shared,))


def unusable(sha256s: Sequence[str], known: Mapping[str, Evidence], project: Project, who: str) -> Sequence[str]:
    """Those that `who` can name for a project neither as their own upload nor as what it names already."""
    return [
        sha256
        for sha256 in sha256s
        if not (evidence := known.get(sha256))
        or not (evidence.uploaded_by(who) or any(naming.project_id == project.id for naming in evidence.named_by))
    ]


def named(sha256s: Sequence[str], known: Mapping[str, Evidence], project: Project) -> tuple[Evidence, ...]:
    """What is new to the project among its evidence, as named by it from now on."""
    naming = Naming(project_id=project.id, partner_id=project.partner_id, county_code=project.county_code)
    found = (known[sha256] for sha256 in dict.fromkeys(sha256s))
    return tuple(replace(one, named_by=(*one.named_by, naming)) for one in found if naming not in one.named_by)


def distance_m(evidence: Evidence, who: str, counties: Mapping[str, Position]) -> int | None:
    """From where it was taken to the county: the project's, or as long as none names it the nearest of `who` sent it.

    Named by projects of several counties: to the farthest of them, since one photo cannot show all.
    None where either position is unknown.
    """
    uploader = evidence.uploaded_by(who)
    codes = [naming.county_code for naming in evidence.named_by] or (uploader.county_codes if uploader else ())
    if evidence.position is None:
        return None
    distances = [_distance_m(evidence.position, counties[code]) for code in codes if code in counties]
    if not distances:
        return None
    return round(max(distances) if evidence.named_by else min(distances))


def location(distance_m: int | None) -> Location:
    if distance_m is None:
        return "unverified"
    return "near" if distance_m <= NEAR_M else "far"


def _distance_m(one: Position, other: Position) -> float:
    """Along a great circle, by the haversine formula."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    dlat, dlon = lat2 - lat1, math.radians(other.longitude - one.longitude)
    h = math.sin(dlat / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(dlon / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))
