"""What a subscription may ask for: checked when it is made or changed, all faults at once."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from zoneinfo import available_timezones

from schemas.catalogue import EVENTS
from services.kit.decision import Invalid
from services.kit.tokens import Caller
from services.notify.api.queries import principals_of
from services.notify.domain import CountyView, PartnerView, Principals, ProjectView, Wanted, sees, sees_county
from services.notify.domain.visibility import audience, of_partner
from services.notify.settings import Settings
from services.notify.store import Tx
from services.notify.streams.outgoing.addresses import AddressRefused, parse, place, resolve
from services.notify.streams.outgoing.mail import address

_TAG = re.compile(r"^[A-Za-z0-9]{1,8}([-_][A-Za-z0-9]{1,8})*$")


async def check(
    tx: Tx,
    caller: Caller,
    settings: Settings,
    *,
    channel: str,
    target: str | None,
    filter: Wanted,
    mode: str,
    lang: str,
    zone: str,
) -> None:
    """
    Raises:
        Invalid: with every fault of the subscription's fields.
    """
    faults = await _filter_faults(tx, principals_of(caller), filter)
    if fault := await _target_fault(channel, target, settings):
        faults["/target"] = fault
    if channel == "webhook" and mode != "at-once":
        faults["/mode"] = "a webhook is told of each event by itself: at-once"
    if not _TAG.match(lang):
        faults["/lang"] = "is no language tag, such as zh-CN or en"
    if zone not in _zones():
        faults["/zone"] = "is no time zone, such as Asia/Shanghai"
    if faults:
        raise Invalid(faults)


async def _target_fault(channel: str, target: str | None, settings: Settings) -> str | None:
    if channel == "inbox":
        return None if target is None else "must be left out: an inbox is its owner's"
    if target is None:
        return "is missing: where is it to be sent?"
    try:
        if channel == "mail":
            address(target)
            return None
        parse(target)
        host, _, port = place(target).rpartition(":")
        await resolve(host, int(port), settings.webhook_allow)
    except AddressRefused as error:
        return str(error)
    except ValueError as error:
        return str(error)
    except OSError:
        # A name that nobody knows just now may be known later; each try looks it up anew.
        return None
    return None


async def _filter_faults(tx: Tx, who: Principals, wanted: Wanted) -> dict[str, str]:
    counties = await tx.get_many(CountyView, wanted.counties)
    partners = await tx.get_many(PartnerView, wanted.partners)
    projects = await tx.get_many(ProjectView, wanted.projects)
    at_work = {project.partner_id for id in wanted.partners for project in await tx.projects_of(who, partner_id=id)}

    def sees_partner(id: str) -> bool:
        return who is None or of_partner(id) in who or id in at_work

    def sees_project(id: str) -> bool:
        return projects[id].status is not None and sees(who, projects[id].audience)

    return (
        _faults("counties", wanted.counties, lambda code: code in counties and sees_county(who, code))
        | _faults("partners", wanted.partners, lambda id: id in partners and sees_partner(id))
        | _faults("projects", wanted.projects, lambda id: id in projects and sees_project(id))
        | _faults("types", wanted.types, lambda type_: type_ in EVENTS and _may_ever_see(who, type_))
    )


def _faults(name: str, values: Iterable[str], good: Callable[[str], bool]) -> dict[str, str]:
    return {
        f"/filter/{name}/{n}": "is not there, or is not yours to see"
        for n, value in enumerate(values)
        if not good(value)
    }


def _may_ever_see(who: Principals, type_: str) -> bool:
    """Whether an event of this type with everything in it could be seen by somebody of this kind."""
    if who is None:
        return True
    kinds = {principal.partition(":")[0] for principal in who}
    everything = {"partner_id": "x", "county_code": "x"}
    return any(principal.partition(":")[0] in kinds for principal in audience(type_, everything))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
