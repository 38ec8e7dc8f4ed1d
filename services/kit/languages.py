"""Which of the languages that we speak somebody reads."""

from collections.abc import Callable
from functools import lru_cache

import langcodes

from services.kit.chinese import chinese

SPOKEN = ("zh", "en")
# What is further away is another language: Portuguese is not to be answered in English by nearness.
_NEAR = 9


@lru_cache(1000)
def nearest(tag: str) -> str | None:
    """The one that a tag (BCP 47) means: `zh-Hans-CN` is zh, `en-GB` en; None where it is none of them."""
    try:
        return langcodes.closest_supported_match(tag, SPOKEN, max_distance=_NEAR)
    except ValueError:
        return None


def voice(accept_language: str | None) -> Callable[[str], str]:
    """What says a sentence in the language that an Accept-Language (RFC 9110) asks for: English where it names none."""
    wanted = []
    for place, part in enumerate((accept_language or "").split(",")):
        tag, _, weight = part.partition(";")
        try:
            wanted.append((-float(weight.partition("=")[2] or 1), place, tag.strip()))
        except ValueError:
            continue
    known = (language for weight, _, tag in sorted(wanted) if weight and (language := nearest(tag)))
    return chinese if next(known, None) == "zh" else str
