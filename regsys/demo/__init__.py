"""The demo: one invented society, loaded once."""
