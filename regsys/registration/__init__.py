"""Cart, order, registrations: the main room."""
