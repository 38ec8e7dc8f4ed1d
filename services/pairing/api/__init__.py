"""Pairing over HTTP, by resource."""

from fastapi import APIRouter

from services.pairing.api import commitments, counties, imports, pairings, partners, rounds, rules

router = APIRouter()
for _part in (partners, counties, commitments, imports, rounds, pairings, rules):
    router.include_router(_part.router)
