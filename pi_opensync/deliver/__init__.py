"""Makes the server equal to the outbox: decided in `plan`, done in `courier`, kept going by `delivery`."""
