"""Bearer tokens of the local issuer, for the runner and for people who try things out."""

from collections.abc import Sequence

from deploy.settings import Settings
from services.kit.clock import Clock
from services.kit.tokens import LocalIssuer


class Tokens:
    """Tokens as of now, shifted by JIEDUI_CLOCK_OFFSET as the programs' clocks are."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = LocalIssuer(settings.home)
        self._audience = settings.oidc_audience
        self._clock = Clock(settings.clock_offset)

    def __call__(
        self, *roles: str, sub: str | None = None, counties: Sequence[str] = (), partner: str | None = None
    ) -> str:
        """A token for `roles`; `sub` is the first of them by default."""
        return self._issuer.token(
            sub=sub or roles[0],
            roles=roles,
            county_codes=counties,
            partner_id=partner,
            audience=self._audience,
            now=self._clock.now(),
        )
