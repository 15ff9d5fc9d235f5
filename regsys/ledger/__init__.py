"""Money that came in and went back; knows money, not Stripe."""
