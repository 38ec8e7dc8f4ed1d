"""Projects: what approved pairings become, and whether it happened.

Owns projects with their milestones and indicators, observations and the history of both, the
edits that phones send and the conflicts among them, and evidence.
Publishes `jiedui.project.*`, `jiedui.milestone.*` and `jiedui.indicator.observed`. Listens to
pairings (a project opens, or is cancelled), counties (a delisting asks for a decision) and
funding (the money shown on a project).
"""
