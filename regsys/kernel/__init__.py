"""Ground that every room stands on: settings, database, clock, errors, states, money, secrets."""
