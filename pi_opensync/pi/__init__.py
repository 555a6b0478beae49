"""All that knows pi's session files: where they are, how they grow, what a line means."""
