"""A recording registered pair by pair, as the live node would: `radgs_core.replay.replay` is what to import."""
