"""Real parts for tests: PostgreSQL, SMTP, a browser, and the product's own servers."""
