"""The leaders' area and rosters."""
