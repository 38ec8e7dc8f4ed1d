"""Funding owns the money: a ledger of double entry, and what of each commitment and project is reserved,
released, spent and returned. It publishes `jiedui.fund.*` and listens to partners, commitments,
approved pairings, and to what projects say of their plans, their milestones and their end.
"""
