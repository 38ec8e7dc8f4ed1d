"""Who sees which event. One rule for feed, stream, story and views.

Each event is archived with its audience, and each caller stands for some principals; a caller sees
an event when the two have one in common. Coordinators, monitors and bookkeepers see everything.
Partners see what is their own, officers what is their counties', both see what happens to counties.
Proposals are not told before they are approved, and rounds and rules are the coordinators' business.
"""

from collections.abc import Iterable, Mapping
from typing import Any

EVERYONE = "everyone"
_SEE_ALL = frozenset({"coordinator", "monitor", "bookkeeper"})
_STANDING = frozenset({"jiedui.pairing.approved", "jiedui.pairing.revoked"})

Principals = frozenset[str] | None
"""What a caller stands for; None for those who see everything."""


def audience(type_: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The principals who may see an event, besides those who see everything."""
    family = type_.removeprefix("jiedui.").split(".", 1)[0]
    if family == "county":
        return (EVERYONE,)
    if family in ("round", "rule") or (family == "pairing" and type_ not in _STANDING):
        return ()
    found = [of_partner(data.get("partner_id"))]
    # A commitment is between the partner and the programme, also where a later version names a county.
    if family != "commitment":
        found.append(of_county(data.get("county_code")))
    return tuple(principal for principal in found if principal)


def principals(roles: Iterable[str], partner_id: str | None, county_codes: Iterable[str]) -> Principals:
    """What a caller with these claims stands for."""
    held = frozenset(roles)
    if held & _SEE_ALL:
        return None
    found = {EVERYONE}
    if "partner" in held and (own := of_partner(partner_id)):
        found.add(own)
    if "officer" in held:
        found |= {own for code in county_codes if (own := of_county(code))}
    return frozenset(found)


def sees(who: Principals, whom: Iterable[str]) -> bool:
    """Whether a caller sees what has this audience."""
    return who is None or not who.isdisjoint(whom)


def sees_county(who: Principals, code: str) -> bool:
    """Whether a caller sees a county's view: officers their own, everyone else any."""
    return who is None or of_county(code) in who or any(principal.startswith("partner:") for principal in who)


def of_partner(partner_id: object) -> str | None:
    return f"partner:{partner_id}" if isinstance(partner_id, str) and partner_id else None


def of_county(code: object) -> str | None:
    return f"county:{code}" if isinstance(code, str) and code else None
