"""HTTP in and out of projects."""

from services.projects.api import conflicts, evidence, routes, sync
from services.projects.api.evidence import BODY_LIMITS

ROUTERS = (routes.router, sync.router, conflicts.router, evidence.router)

__all__ = ["BODY_LIMITS", "ROUTERS"]
