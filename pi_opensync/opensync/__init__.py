"""All that knows OpenSync's wire: what it accepts, what its answers mean."""
