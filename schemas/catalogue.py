"""Every event type there is: importing this module registers the events of all topics."""

from schemas import commitments, counties, funding, pairings, partners, projects
from schemas.envelope import EVENTS

__all__ = ["EVENTS", "commitments", "counties", "funding", "pairings", "partners", "projects"]
