"""Who gives: enterprises and social organisations. Published by pairing."""

from dataclasses import dataclass

from schemas.envelope import Event, event
from schemas.shapes import Id, PartnerKind, Text
from schemas.topics import PARTNERS


@dataclass(frozen=True, kw_only=True)
class _Partner(Event):
    partner_id: Id
    name: Text
    kind: PartnerKind
    credit_code: str | None = None
    reference: str | None = None


@event("jiedui.partner.registered", topic=PARTNERS, subject="partner_id")
class PartnerRegistered(_Partner):
    """A partner joined the programme."""


@event("jiedui.partner.amended", topic=PARTNERS, subject="partner_id")
class PartnerAmended(_Partner):
    """A partner's particulars changed; the event carries all of them as they are now."""
