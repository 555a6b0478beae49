"""Mutated transcripts through decoder, fold and payloads: no exception, no hang, all acceptable."""
