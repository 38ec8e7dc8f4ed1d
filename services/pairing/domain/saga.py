"""What other services say of an approved pairing: its project and its money.

Facts of different services come in any order, and some come after the pairing has ended. Each rule
looks at the state alone and changes nothing where its fact has nothing left to change.

    fund.reserved, project.opened       the pairing has started: a withdrawal is too late for it
    fund.tranche_released               a withdrawal that was waiting for funding came too late
    fund.refused                        revoked; the whole share comes back
    project.cancelled                   revoked; without money the whole share comes back
    fund.returned                       what was not spent comes back, once the pairing is revoked
    project.completed                   its slot is free again; it still stands
"""

from dataclasses import replace
from typing import Any

from services.kit.decision import Decision
from services.pairing.domain.commitment import Commitment
from services.pairing.domain.county import County, count_live
from services.pairing.domain.pairing import Pairing, end_pairing, settled


def see_project(pairing: Pairing) -> Decision[Pairing]:
    """The project is open."""
    return _noted(pairing, project_seen=True)


def see_reservation(pairing: Pairing) -> Decision[Pairing]:
    """Its money is reserved; after a withdrawal this settles nothing, since funding's answer to that follows."""
    return Decision(pairing) if pairing.taken_back else _noted(pairing, reserved=True)


def see_tranche(pairing: Pairing) -> Decision[Pairing]:
    """Money is handed over: the pairing is kept."""
    return _noted(pairing, reserved=True, taken_back=False)


def refuse_reservation(pairing: Pairing, commitment: Commitment, county: County, *, reason: str) -> Decision[Pairing]:
    """Funding has not set the share aside, or has undone it for a withdrawal."""
    if pairing.status == "approved":
        return end_pairing(pairing, commitment, county, reason=reason, came_back=pairing.units)
    return _come_back(pairing, commitment, pairing.units)


def cancel_project(pairing: Pairing, commitment: Commitment, county: County, *, reason: str) -> Decision[Pairing]:
    """The project has ended without its result."""
    if pairing.status != "approved":
        return Decision(pairing)
    return end_pairing(pairing, commitment, county, reason=reason)


def return_money(pairing: Pairing, commitment: Commitment, *, minor: int) -> Decision[Pairing]:
    """What was not spent has come back. It waits here for `project.cancelled` if that is still under way."""
    return _come_back(pairing, commitment, minor)


def complete_project(pairing: Pairing, county: County) -> Decision[Pairing]:
    """The work is done: no longer live."""
    if not pairing.is_live:
        return Decision(pairing)
    pairing = replace(pairing, version=pairing.version + 1, completed=True)
    return Decision(pairing, (pairing, count_live(county, pairing.category, -1)))


def _come_back(pairing: Pairing, commitment: Commitment, units: int) -> Decision[Pairing]:
    if pairing.came_back is not None:
        return Decision(pairing)
    pairing = replace(pairing, version=pairing.version + 1, came_back=units)
    pairing, commitment = settled(pairing, commitment)
    return Decision(pairing, (pairing, commitment))


def _noted(pairing: Pairing, **facts: Any) -> Decision[Pairing]:
    after = replace(pairing, **facts)
    if after == pairing:
        return Decision(pairing)
    after = replace(after, version=pairing.version + 1)
    return Decision(after, (after,))
