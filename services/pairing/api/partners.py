"""Partners over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel

from schemas.shapes import PartnerKind
from services.kit.decision import Decision, Invalid, NotFound
from services.kit.forms import Body_, Form
from services.kit.http import Call, Caller, Page, Unread, allow, created, ok
from services.pairing import domain
from services.pairing.api.fields import Instant, Reference, Texts, TextView, sent, text
from services.pairing.domain import Particulars, Partner
from services.pairing.domain.credit_code import near_codes
from services.pairing.store import Tx

router = APIRouter(tags=["partners"])
F = TypeVar("F", bound=Form)

Writer = Annotated[Call, allow("coordinator")]
Reader = Annotated[Call, allow("partner", "officer", "coordinator", "monitor", "bookkeeper")]
CreditCode = Annotated[str, AfterValidator(domain.credit_code)]


class PartnerForm(Form):
    READ_ONLY = frozenset({"id", "version", "registered_at"})
    name: Texts
    kind: PartnerKind
    credit_code: CreditCode | None = None
    reference: Reference | None = None

    def particulars(self) -> Particulars:
        return Particulars(name=text(self.name), kind=self.kind, credit_code=self.credit_code, reference=self.reference)


class PartnerAmendment(PartnerForm):
    """What is left out stays as it is."""

    name: Texts = None  # type: ignore[assignment]
    kind: PartnerKind = None  # type: ignore[assignment]


class PartnerView(BaseModel):
    id: str
    name: TextView
    kind: PartnerKind
    credit_code: str | None
    reference: str | None
    version: int
    registered_at: Instant

    @classmethod
    def of(cls, partner: Partner) -> "PartnerView":
        of = partner.particulars
        return cls(
            id=partner.id,
            name=TextView(**of.name),
            kind=of.kind,
            credit_code=of.credit_code,
            reference=of.reference,
            version=partner.version,
            registered_at=partner.registered_at,
        )


@router.post("/partners", status_code=201, response_model=PartnerView)
async def register_partner(call: Writer, form: Unread[PartnerForm]) -> Response:
    async def work(tx: Tx) -> Decision[Partner]:
        particulars = (await _read(tx, form, sent(call))).particulars()
        same_code = await tx.partner_with_code(particulars.credit_code)
        return domain.register_partner(particulars, id=tx.new_id(), same_code=same_code, now=tx.now)

    return await call.perform(work, created("/partners", PartnerView.of))


@router.get("/partners")
async def list_partners(call: Reader, page: Annotated[Page, Query()]) -> Response:
    return await call.page(Partner, _seen_by(call.caller), page, PartnerView.of)


@router.get("/partners/{id}", response_model=PartnerView)
async def get_partner(id: str, call: Reader) -> Response:
    async def work(tx: Tx) -> Partner:
        partner = await tx.need(Partner, id)
        if _seen_by(call.caller).get("_id", id) != id:
            raise NotFound(f"There is no partner {id}.")
        return partner

    return await call.read(work, ok(PartnerView.of))


@router.patch("/partners/{id}", response_model=PartnerView)
async def amend_partner(id: str, call: Writer, form: Unread[PartnerAmendment]) -> Response:
    async def work(tx: Tx) -> Decision[Partner]:
        partner = await tx.need(Partner, id)
        view = PartnerView.of(partner)
        call.expect(partner.version, view)
        change = (await _read(tx, form, sent(call))).model_dump(mode="json", exclude_unset=True)
        particulars = Body_(PartnerForm, view.model_dump(mode="json") | change).read().particulars()
        same_code = await tx.partner_with_code(particulars.credit_code)
        return domain.amend_partner(partner, particulars, same_code=same_code)

    return await call.perform(work, ok(PartnerView.of))


async def _read(tx: Tx, body: Body_[F], raw: Mapping[str, Any]) -> F:
    """The form; a credit code with a wrong check digit is answered with the one that was meant, if it is known."""
    try:
        return body.read()
    except Invalid as invalid:
        code, pointer = raw.get("credit_code"), "/credit_code"
        near = near_codes(code, await tx.credit_codes()) if isinstance(code, str) and pointer in invalid.errors else []
        if not near:
            raise
        said = f"{invalid.errors[pointer]}; did you mean {' or '.join(near)}?"
        raise Invalid(invalid.errors | {pointer: said}) from invalid


def _seen_by(caller: Caller) -> dict[str, Any]:
    return {} if caller.has("officer", "coordinator", "monitor", "bookkeeper") else {"_id": caller.partner_id}
