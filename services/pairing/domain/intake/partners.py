"""A row of a partners file, read as the particulars of a partner."""

from collections.abc import Iterable
from typing import Any, cast

from schemas.shapes import PartnerKind
from services.pairing.domain.credit_code import credit_code, near_codes
from services.pairing.domain.intake.headers import Record
from services.pairing.domain.intake.judging import Judged, Reading
from services.pairing.domain.intake.values import Bad, folded, line, word
from services.pairing.domain.partner import Particulars


def judge_partner(record: Record, known_codes: Iterable[str] = ()) -> Judged[Particulars]:
    """`known_codes` are credit codes of partners that are there: a mistyped one is near one of them."""
    row = Reading(record)
    if row.is_no_row():
        return row.done(None)
    zh, en = row.read("name_zh", line, required=True), row.read("name_en", line)
    kind = row.read("kind", lambda text: word(text, "partner_kinds"), required=True)
    code = row.read("credit_code", lambda text: _credit_code(text, known_codes))
    reference = row.read("reference", lambda text: line(text, 255))
    if row.faults or not (zh and kind):
        return row.done(None)
    particulars = Particulars(
        name={"zh": zh, "en": en or zh}, kind=cast(PartnerKind, kind), credit_code=code, reference=reference
    )
    return row.done(particulars, identity_of(particulars), particulars_values(particulars))


def identity_of(particulars: Particulars) -> list[str]:
    """By the credit code, else by the file's own reference, else by the name."""
    if particulars.credit_code:
        return ["credit_code", particulars.credit_code]
    return ["reference", particulars.reference] if particulars.reference else ["name", particulars.name["zh"]]


def particulars_values(of: Particulars) -> list[Any]:
    return [of.name, of.kind, of.credit_code, of.reference]


def _credit_code(text: str, known: Iterable[str]) -> str:
    plain = folded(text).replace(" ", "").upper()
    try:
        return credit_code(plain)
    except ValueError as error:
        near = near_codes(plain, known)
        fix = f"did you mean {' or '.join(near)}?" if near else "check it against the licence"
        raise Bad("credit-code", str(error), fix) from error
