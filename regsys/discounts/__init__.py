"""Codes that take something off the price of a place."""
