"""What somebody has behind them, and what an event wants of it."""
