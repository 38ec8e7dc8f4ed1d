"""What is in an uploaded file: its type by content, where a photo was taken, and a copy without device data.

A photo is read and written anew by Pillow, upright, with nothing but its pixels: no EXIF (camera,
owner, serial numbers, position, time, thumbnail), no XMP, no comments, no colour profile. A PDF is
served as it came: what is in it is the document itself.
"""

import io
import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from services.kit.decision import Invalid
from services.kit.problems import UnsupportedMediaType
from services.projects.domain import MediaType, Position

_PIXELS_MAX = 64_000_000
_QUALITY = 92
_GPS_IFD = 0x8825
_ORIENTATION = 0x0112
_AS_IT_IS = 1


@dataclass(frozen=True)
class Content:
    """`served` is what others get to see."""

    media_type: MediaType
    served: bytes
    position: Position | None


def inspect(uploaded: bytes) -> Content:
    """
    Raises:
        UnsupportedMediaType: it is none of JPEG, PNG, WebP and PDF.
        Invalid: it is broken, or has too many pixels.
    """
    media_type = _sniff(uploaded)
    if media_type == "application/pdf":
        return Content(media_type, uploaded, None)
    try:
        with Image.open(io.BytesIO(uploaded)) as photo:
            return _photo(media_type, photo)
    except Invalid:
        raise
    # Pillow tells broken files by more kinds of errors than it names.
    except Exception as error:
        raise Invalid(
            {"/file": "The file begins like a photo but cannot be read; it may have been cut off."}
        ) from error


def _sniff(uploaded: bytes) -> MediaType:
    if uploaded.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if uploaded.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if uploaded.startswith(b"RIFF") and uploaded[8:12] == b"WEBP":
        return "image/webp"
    if uploaded.startswith(b"%PDF-"):
        return "application/pdf"
    raise UnsupportedMediaType("Evidence is a JPEG, PNG or WebP photo or a PDF; this file's content is none of them.")


def _photo(media_type: MediaType, photo: Image.Image) -> Content:
    if photo.width * photo.height > _PIXELS_MAX:
        raise Invalid({"/file": f"A photo may have {_PIXELS_MAX // 1_000_000} million pixels."})
    # A phone's JPEG may hold a preview as a second frame; of the others, frames are an animation.
    if media_type != "image/jpeg" and getattr(photo, "n_frames", 1) > 1:
        raise Invalid({"/file": "A moving picture is no photo."})
    return Content(media_type, _clean(photo), _position(photo))


def _clean(photo: Image.Image) -> bytes:
    photo.load()
    kind, options = photo.format, {}
    upright = _upright(photo)
    if kind in ("JPEG", "MPO"):
        # "keep" is with the tables that it was made with, so that next to nothing is lost.
        kind, options = "JPEG", {"quality": "keep" if upright.format == "JPEG" else _QUALITY}
    elif kind == "WEBP":
        options = {"quality": _QUALITY}
    upright.info = {name: value for name, value in upright.info.items() if name == "transparency"}
    out = io.BytesIO()
    upright.save(out, kind, **options)
    return out.getvalue()


def _upright(photo: Image.Image) -> Image.Image:
    """As the phone was held: without the EXIF nobody would turn it."""
    # What is written about a photo may be broken while its pixels are not.
    with suppress(Exception):
        if photo.getexif().get(_ORIENTATION, _AS_IT_IS) != _AS_IT_IS:
            return ImageOps.exif_transpose(photo)
    return photo


def _position(photo: Image.Image) -> Position | None:
    """None also for what a phone without a fix writes: nothing, no number, or 0° 0°."""
    latitude = longitude = math.nan
    with suppress(Exception):
        gps = photo.getexif().get_ifd(_GPS_IFD)
        latitude = _degrees(gps[2], gps.get(1) == "S")
        longitude = _degrees(gps[4], gps.get(3) == "W")
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180 or (latitude == 0 and longitude == 0):
        return None
    return Position(longitude=longitude, latitude=latitude)


def _degrees(parts: Any, negative: bool) -> float:
    degrees, minutes, seconds = map(float, parts)
    return (-1 if negative else 1) * (degrees + minutes / 60 + seconds / 3600)
