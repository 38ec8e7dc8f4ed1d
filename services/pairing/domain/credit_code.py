"""Unified social credit codes (GB 32100-2015)."""

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError


def credit_code(text: str) -> str:
    """The code as it is stored, without spaces, in capitals.

    Raises:
        ValueError: not 18 characters of the right kinds, or the check digit is wrong.
    """
    try:
        return str(uscc.validate(text))
    except ValidationError as error:
        raise ValueError(f"is no unified social credit code: {error}") from error
