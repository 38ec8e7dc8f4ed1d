"""What the four services tell each other: the envelope, the topics, the events.

Importing this package needs nothing but the standard library, so that any reader of the
topics can use it. JSON Schemas (`json/`), AsyncAPI (`asyncapi.yaml`) are generated from these
classes by `make schemas`; `samples/` keeps one event per type and version and is never edited.
"""
