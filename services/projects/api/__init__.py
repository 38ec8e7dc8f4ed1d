"""HTTP in and out of projects."""

from services.projects.api.routes import router

__all__ = ["router"]
