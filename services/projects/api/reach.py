"""Who reaches which project."""

from typing import Annotated, Any

from services.kit.decision import NotFound
from services.kit.http import Call, allow
from services.projects.domain import Project
from services.projects.store import Reach

READERS = ("partner", "officer", "coordinator", "monitor", "bookkeeper")
REPORTERS = ("officer", "coordinator")
_SEE_ALL = frozenset({"coordinator", "monitor", "bookkeeper"})

Reader = Annotated[Call, allow(*READERS)]
Reporter = Annotated[Call, allow(*REPORTERS)]


def reach_of(call: Call, *roles: str) -> Reach:
    """What the caller reaches by those of `roles` that they hold."""
    caller, held = call.caller, call.caller.roles.intersection(roles)
    return Reach(
        everything=not held.isdisjoint(_SEE_ALL),
        partner_id=caller.partner_id if "partner" in held else None,
        county_codes=caller.county_codes if "officer" in held else frozenset(),
    )


async def project_of(tx: Any, call: Call, id: str, *roles: str) -> Project:
    """The project, if one of `roles` reaches it.

    Raises:
        NotFound: it is not there or not the caller's own, which is the same to the caller.
    """
    project: Project = await tx.need(Project, id)
    if not reach_of(call, *roles).covers(project):
        raise NotFound(f"There is no project {id}.")
    return project
