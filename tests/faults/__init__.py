"""A package, so that its servers and programs end with its last test and not with the last of all."""
