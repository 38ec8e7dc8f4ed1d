"""`make bench`: figures against peers, each a ratio of two sides measured in turn on one machine.

    figures ──▶ one process per side and repeat, in turn ──▶ bench/results/*.json ──▶ the table in README

A figure names its goal before it is measured. One that is missed is printed as missed, with a
profile of our side beside it.
"""
