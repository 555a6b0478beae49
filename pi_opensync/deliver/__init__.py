"""Makes the server equal to the outbox: decided in `plan` and `consequences`, done in `send`."""
