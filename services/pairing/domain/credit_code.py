"""Unified social credit codes (GB 32100-2015)."""

from collections.abc import Iterable

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

_LENGTH = 18


def credit_code(text: str) -> str:
    """The code as it is stored, without spaces, in capitals.

    Raises:
        ValueError: not 18 characters of the right kinds, or the check digit is wrong.
    """
    try:
        return str(uscc.validate(text))
    except ValidationError as error:
        raise ValueError(f"is no unified social credit code: {error}") from error


def near_codes(text: str, known: Iterable[str]) -> list[str]:
    """Those of the known codes that were meant if one character is wrong, or two neighbours are swapped."""
    return sorted(code for code in known if len(text) == _LENGTH and _is_near(code, text))


def _is_near(code: str, text: str) -> bool:
    apart = [place for place in range(_LENGTH) if code[place] != text[place]]
    if len(apart) == 1:
        return True
    return (
        len(apart) == 2
        and apart[1] == apart[0] + 1
        and code[apart[0]] == text[apart[1]]
        and code[apart[1]] == text[apart[0]]
    )
