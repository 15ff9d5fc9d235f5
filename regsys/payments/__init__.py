"""Stripe Checkout: attempts, events, settling."""
