"""Help with the fee: funds, who asks, and what a committee decides without knowing who."""
