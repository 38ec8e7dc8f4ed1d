"""Pins and bans over HTTP."""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, field_validator
from pydantic_core.core_schema import ValidationInfo

from services.kit.decision import Decision, NotFound
from services.kit.forms import Form
from services.kit.http import Call, Page, Unread, allow, created, ok
from services.kit.idempotency import Reply
from services.pairing import domain
from services.pairing.api.fields import CountyCode, Instant, Prose, Reference, read_whole, sent, unknown_counties
from services.pairing.domain import Commitment, County, Partner, Rule
from services.pairing.store import Tx

router = APIRouter(tags=["rules"])

Reader = Annotated[Call, allow("coordinator", "monitor")]
Coordinator = Annotated[Call, allow("coordinator")]


class RuleForm(Form):
    """A pin names a commitment; a ban names a commitment, or a partner for all that it promises."""

    READ_ONLY = frozenset({"id", "version", "added_at", "added_by"})
    kind: Literal["pin", "ban"]
    partner_id: Reference | None = None
    commitment_id: Reference | None = None
    county_code: CountyCode
    reason: Prose

    @field_validator("partner_id")
    @classmethod
    def _a_pin_has_no_partner(cls, partner_id: str | None, info: ValidationInfo) -> str | None:
        if partner_id and info.data.get("kind") == "pin":
            raise ValueError("a pin names a commitment, not a partner")
        return partner_id

    @field_validator("commitment_id")
    @classmethod
    def _names_one(cls, commitment_id: str | None, info: ValidationInfo) -> str | None:
        if commitment_id and info.data.get("partner_id"):
            raise ValueError("name a commitment or a partner, not both")
        return commitment_id


class RuleView(BaseModel):
    id: str
    kind: Literal["pin", "ban"]
    commitment_id: str | None
    partner_id: str | None
    county_code: str
    reason: str
    version: int
    added_at: Instant
    added_by: str

    @classmethod
    def of(cls, rule: Rule) -> "RuleView":
        return cls(
            id=rule.id,
            kind=rule.kind,
            commitment_id=rule.commitment_id,
            partner_id=None if rule.commitment_id else rule.partner_id,
            county_code=rule.county_code,
            reason=rule.reason,
            version=rule.version,
            added_at=rule.added_at,
            added_by=rule.added_by,
        )


@router.post("/rules", status_code=201, response_model=RuleView)
async def add_rule(call: Coordinator, form: Unread[RuleForm]) -> Response:
    """Holds from the next round on."""

    async def work(tx: Tx) -> Decision[Rule]:
        asked = await read_whole(form, await _unknown(tx, sent(call)))
        rules = await tx.rules_that_hold()
        about: dict[str, Any] = {"id": tx.new_id(), "reason": asked.reason, "now": tx.now, "by": call.caller.sub}
        commitment = await tx.get(Commitment, asked.commitment_id) if asked.commitment_id else None
        if asked.kind == "ban":
            partner_id = commitment.partner_id if commitment else str(asked.partner_id)
            return domain.ban_pair(commitment, partner_id, asked.county_code, rules, **about)
        county = await tx.need(County, asked.county_code)
        card = await tx.card_on(county, tx.today)
        pinned = await tx.get_many(Commitment, [str(rule.commitment_id) for rule in rules if rule.kind == "pin"])
        return domain.pin_pair(cast(Commitment, commitment), county, card, rules, pinned, today=tx.today, **about)

    return await call.perform(work, created("/rules", RuleView.of), locks=["rules"])


@router.get("/rules")
async def list_rules(call: Reader, page: Annotated[Page, Query()]) -> Response:
    """Those that hold."""
    return await call.page(Rule, {"removed_at": None}, page, RuleView.of)


@router.get("/rules/{id}", response_model=RuleView)
async def get_rule(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Rule:
        return await _rule(tx, id)

    return await call.read(work, ok(RuleView.of))


@router.delete("/rules/{id}", status_code=204)
async def remove_rule(id: str, call: Coordinator) -> Response:
    async def work(tx: Tx) -> Decision[Rule]:
        rule = await _rule(tx, id)
        call.expect(rule.version, RuleView.of(rule), required=False)
        return domain.remove_rule(rule, now=tx.now)

    return await call.perform(work, lambda _: Reply(204, b"", {}))


async def _rule(tx: Tx, id: str) -> Rule:
    rule = await tx.need(Rule, id)
    if not rule.holds:
        raise NotFound(f"There is no rule {id}.")
    return rule


async def _unknown(tx: Tx, raw: dict[str, Any]) -> dict[str, str]:
    """Ids that are not there, and a rule that names nobody."""
    faults = await unknown_counties(tx, [("/county_code", raw.get("county_code"))])
    for name, kind in (("commitment_id", Commitment), ("partner_id", Partner)):
        id = raw.get(name)
        if isinstance(id, str) and await tx.get(kind, id) is None:
            faults[f"/{name}"] = f"there is no {kind.__name__.lower()} {id}"
    if not raw.get("commitment_id") and (raw.get("kind") == "pin" or not raw.get("partner_id")):
        faults["/commitment_id"] = "is missing: which commitment?"
    return faults
