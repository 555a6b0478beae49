"""What pi-opensync costs, each figure measured beside what it could cost at least: `python -m bench`."""
