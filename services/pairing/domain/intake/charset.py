"""Which encoding a text file has: told by its bytes, never by its name.

A file that is UTF-8 from end to end is taken as that: a longer GB18030 text hardly ever is by
chance. GB18030 has GBK and GB 2312 within it.
"""

import codecs
import re

from services.pairing.domain.refusals import FileUnreadable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PIECE = 1 << 16
_ASCII = bytes(range(128))
_CHARACTER = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}")


def charset_of(content: bytes) -> str:
    """A codec's name.

    Raises:
        FileUnreadable: none of those that are taken fits all of it.
    """
    for bom, name in _BOMS:
        if content.startswith(bom):
            return _checked(content, name)
    head = content[:_PIECE]
    if b"\0" in head:
        return _checked(content, "utf-16-be" if head[:1] == b"\0" else "utf-16-le")
    if _fits(content, "utf-8"):
        return "utf-8"
    if _is_nearly_utf8(content):
        raise FileUnreadable("It is UTF-8 with broken characters in it: save it anew.")
    return _checked(content, "gb18030")


def _is_nearly_utf8(content: bytes) -> bool:
    """As GB18030 it might be read all the same, and every word would be another."""
    high = content.translate(None, _ASCII)
    return len(_CHARACTER.sub(b"", high)) * 10 < len(high)


def _checked(content: bytes, name: str) -> str:
    if not _fits(content, name):
        raise FileUnreadable("It is no text in UTF-8, UTF-16 or GB18030, and no XLSX workbook.")
    return name


def _fits(content: bytes, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        for start in range(0, len(content), _PIECE):
            decoder.decode(content[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
