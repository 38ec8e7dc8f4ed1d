"""Counties, as far as projects need to know: a delisting asks for a decision about each running project.

It stops nothing. One that is told ahead asks on its day, when it is so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from schemas.projects import ProjectDecisionNeeded
from services.kit.decision import Decision
from services.projects.domain.history import entries
from services.projects.domain.project import OpenDecision, Project, beginning_of, day_of, rfc3339

COUNTY_DELISTED = "county-delisted"


@dataclass(frozen=True, kw_only=True)
class County:
    """Our copy of what we heard of a county (its id is its code).

    `since` is when we were told what holds now; a delisting holds from the day `on`, and its
    running projects were `asked` about. `projects` counts the openings. It makes every opening
    write here, so that an opening and a delisting at the same moment cannot both miss each other.
    """

    id: str
    delisted: bool = False
    since: datetime | None = None
    on: date | None = None
    asked: bool = True
    projects: int = 0

    @property
    def delisted_since(self) -> datetime | None:
        """The instant from which it is delisted; a delisting does not reach back to before it was told."""
        if not self.delisted or not self.since:
            return None
        return max(self.since, beginning_of(self.on)) if self.on else self.since


def delist_county(
    county: County | None, code: str, running: Sequence[Project], *, on: date, at: datetime, who: str, now: datetime
) -> Decision[County]:
    """The county is delisted from the day `on`, which was told `at`.

    News that is older than what we know (a dead letter, played again) changes nothing.
    """
    county = county or County(id=code)
    if county.since and at <= county.since:
        return Decision(county)
    told = replace(county, delisted=True, since=at, on=on, asked=False)
    return ask_about_county(told, running, who=who, now=now) if on <= day_of(now) else Decision(told, (told,))


def ask_about_county(county: County, running: Sequence[Project], *, who: str, now: datetime) -> Decision[County]:
    """Each of the county's running projects asks for a decision: the day of its delisting has come."""
    since = county.delisted_since
    if county.asked or since is None:
        return Decision(county)
    county = replace(county, asked=True)
    asked = [ask(project, since=since, who=who, now=now) for project in running if not project.decision]
    return Decision(
        county,
        (county, *(state for decision in asked for state in decision.saves)),
        [event for decision in asked for event in decision.events],
    )


def relist_county(county: County | None, code: str, *, at: datetime) -> Decision[County]:
    """A delisting that was taken back asks nothing of projects that open from now on.

    Decisions that are open stay so: only a coordinator closes one.
    """
    county = county or County(id=code)
    if county.since and at <= county.since:
        return Decision(county)
    county = replace(county, delisted=False, since=at, on=None, asked=True)
    return Decision(county, (county,))


def ask(project: Project, *, since: datetime, who: str, now: datetime) -> Decision[Project]:
    """The project waits for a decision; its work goes on meanwhile."""
    asking = project.changed(decision=OpenDecision(reason=COUNTY_DELISTED, since=since))
    needed = ProjectDecisionNeeded(**project.about, reason=COUNTY_DELISTED, since=rfc3339(since))
    return Decision(asking, (asking, *entries(project, asking, who=who, now=now)), (needed,))
