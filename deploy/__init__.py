"""What starts, stops and inspects jiedui on one machine: `make run`, `make test` and the `jiedui` command."""
