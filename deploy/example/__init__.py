"""The example programme: data files with their sources, and how they are loaded."""
