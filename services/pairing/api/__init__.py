"""Pairing over HTTP, by resource."""

from fastapi import APIRouter

from services.pairing.api import commitments, counties, imports, needs, pairings, partners, rounds, rules

router = APIRouter()
for _part in (partners, counties, commitments, imports, rounds, pairings, needs, rules):
    router.include_router(_part.router)
