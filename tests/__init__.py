"""Tests, room by room; the fixtures are in conftest.py, the cast in cast.py."""
