"""Who receives: counties, their status and their cards. Published by pairing."""

from dataclasses import dataclass
from typing import Any

from schemas.envelope import Event, event
from schemas.shapes import CountyCode, Day, Need, Ordinal, ProvinceCode, Text
from schemas.topics import COUNTIES


@dataclass(frozen=True, kw_only=True)
class _County(Event):
    county_code: CountyCode


@event("jiedui.county.listed", topic=COUNTIES, subject="county_code")
class CountyListed(_County):
    """The county is in the programme from day `on`."""

    name: Text
    province: ProvinceCode
    on: Day


@event("jiedui.county.card_updated", topic=COUNTIES, subject="county_code")
class CountyCardUpdated(_County):
    """A new version of what is known of the county."""

    name: Text
    province: ProvinceCode
    version: Ordinal
    needs: list[Need]
    reason: str


@event("jiedui.county.delisted", topic=COUNTIES, subject="county_code")
class CountyDelisted(_County):
    """No longer poor from day `on`; that day itself is already not listed."""

    on: Day
    reason: str


@event("jiedui.county.relisted", topic=COUNTIES, subject="county_code")
class CountyRelisted(_County):
    """Listed again from day `on`."""

    on: Day
    reason: str


@event("jiedui.county.relapse_risk_detected", topic=COUNTIES, subject="county_code")
class CountyRelapseRiskDetected(_County):
    """A delisted county falls back; `values` are what the `rule` looked at, oldest first."""

    indicator: str
    rule: str
    values: list[Any]
