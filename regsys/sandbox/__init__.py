"""The stand-in Stripe: its own process, port and books; never in production."""
