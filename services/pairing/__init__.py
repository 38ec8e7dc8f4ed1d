"""Who helps whom: partners, county cards, commitments, matching rounds, pairings.

Publishes on jiedui.partners.v1, jiedui.commitments.v1, jiedui.counties.v1 and jiedui.pairings.v1.
Listens to what becomes of approved pairings: jiedui.projects.v1 and jiedui.funding.v1.
"""
