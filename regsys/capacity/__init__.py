"""Places: who holds which until when."""
