"""Funding's HTTP entrance: what a bookkeeper books, and what is to be read of the ledger."""

from fastapi import APIRouter

from services.funding.api import bookings, ledger, projects

router = APIRouter()
for part in (bookings, ledger, projects):
    router.include_router(part.router)
