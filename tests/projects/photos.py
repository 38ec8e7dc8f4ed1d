"""Photos as phones take them: with a camera's name, a position and a comment in them."""

import io
from typing import Any

from PIL import Image

CAMERA = "Phone of Li"
DEJIANG_LIKE = (108.12, 28.26)


def photo(
    kind: str = "JPEG", *, at: tuple[float, float] | None = None, turned: bool = False, size: tuple[int, int] = (64, 48)
) -> bytes:
    """`at` is longitude and latitude in degrees."""
    exif = Image.Exif()
    exif[0x010F] = CAMERA
    exif[0x0112] = 6 if turned else 1
    if at:
        gps: dict[int, Any] = exif.get_ifd(0x8825)
        gps[1], gps[2] = "N", (float(int(at[1])), at[1] % 1 * 60, 0.0)
        gps[3], gps[4] = "E", (float(int(at[0])), at[0] % 1 * 60, 0.0)
    out = io.BytesIO()
    picture = Image.effect_noise(size, 60).convert("RGB")
    picture.save(out, kind, exif=exif, xmp=f"<x>{CAMERA}</x>".encode(), comment=CAMERA)
    return out.getvalue()
