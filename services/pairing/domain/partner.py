"""Who gives: enterprises and social organisations."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from schemas.partners import PartnerAmended, PartnerRegistered
from schemas.shapes import PartnerKind, Text
from services.kit.decision import Decision
from services.pairing.domain.refusals import CreditCodeTaken


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """`credit_code` is the unified social credit code (GB 32100), 18 characters, its check digit verified."""

    name: Text
    kind: PartnerKind
    credit_code: str | None
    reference: str | None


@dataclass(frozen=True, kw_only=True)
class Partner:
    id: str
    version: int
    particulars: Particulars
    registered_at: datetime


def register_partner(
    particulars: Particulars, *, id: str, same_code: Partner | None, now: datetime
) -> Decision[Partner]:
    """`same_code` is whoever has the credit code already."""
    _check_code(particulars, same_code)
    partner = Partner(id=id, version=1, particulars=particulars, registered_at=now)
    return Decision(partner, (partner,), (PartnerRegistered(**_data(partner)),))


def amend_partner(partner: Partner, particulars: Particulars, *, same_code: Partner | None) -> Decision[Partner]:
    if particulars == partner.particulars:
        return Decision(partner)
    if same_code is None or same_code.id != partner.id:
        _check_code(particulars, same_code)
    partner = replace(partner, version=partner.version + 1, particulars=particulars)
    return Decision(partner, (partner,), (PartnerAmended(**_data(partner)),))


def _check_code(particulars: Particulars, same_code: Partner | None) -> None:
    if same_code is not None:
        raise CreditCodeTaken(
            f"{particulars.credit_code} is the code of {same_code.particulars.name['zh']}, partner {same_code.id}.",
            partner_id=same_code.id,
        )


def _data(partner: Partner) -> dict[str, Any]:
    of = partner.particulars
    return {
        "partner_id": partner.id,
        "name": of.name,
        "kind": of.kind,
        "credit_code": of.credit_code,
        "reference": of.reference,
    }
