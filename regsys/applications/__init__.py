"""Places that are given by application: apply, review, decide, and the place that an accepted person pays for."""
