"""notify tells what happened: the archive of every event, the live feed, the read models, notices, the monitor.

It owns the order in which events are shown (`position`), publishes nothing of its own so far, and
listens to every topic, the dead letters of all services too. Its read models are folded from the
archive and can be made again from it.
"""
