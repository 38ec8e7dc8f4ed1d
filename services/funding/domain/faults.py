"""What is wrong with the fields of a booking, held against what is known; whatever of them could be read.

`given` has the fields that are well in themselves, so that a form is told all its faults at once.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.funding.domain.accounts import Account
from services.funding.domain.commitment import Commitment
from services.funding.domain.funds import Funds


def expenditure_faults(given: Mapping[str, Any], funds: Funds | None, *, today: date) -> dict[str, str]:
    """By JSON pointer: no such project, another currency, a day before it began or after today."""
    faults = _future("spent_on", given, today)
    if funds is None:
        if "project_id" in given:
            faults["/project_id"] = f"There is no project {given['project_id']}."
        return faults
    if funds.currency and given.get("currency", funds.currency) != funds.currency:
        faults["/currency"] = f"The project's money is in {funds.currency}."
    if funds.starts_on and given.get("spent_on", funds.starts_on) < funds.starts_on:
        faults["/spent_on"] = f"The project began on {funds.starts_on}."
    return faults


def transfer_faults(
    given: Mapping[str, Any], commitment: Commitment | None, receiver: Account | None, *, today: date
) -> dict[str, str]:
    """By JSON pointer: no such commitment or receiver, another currency, a day after today."""
    faults = _future("on", given, today)
    to = given.get("to_partner_id")
    if to is not None and receiver is None:
        faults["/to_partner_id"] = f"There is no partner {to}."
    if commitment is None:
        if "commitment_id" in given:
            faults["/commitment_id"] = f"There is no commitment {given['commitment_id']}."
        return faults
    if to == commitment.partner_id:
        faults["/to_partner_id"] = "The money is this partner's already."
    if commitment.currency and given.get("currency", commitment.currency) != commitment.currency:
        faults["/currency"] = f"The commitment is in {commitment.currency}."
    return faults


def _future(name: str, given: Mapping[str, Any], today: date) -> dict[str, str]:
    return {f"/{name}": f"Today is {today}; give a day that has come."} if given.get(name, today) > today else {}
