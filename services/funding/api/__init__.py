"""Funding's HTTP entrance: what a bookkeeper books, and what is to be read of the ledger."""

from fastapi import APIRouter

from services.funding.api import accounts, bookings, ledger, projects, statements

router = APIRouter()
for part in (bookings, accounts, statements, ledger, projects):
    router.include_router(part.router)
