"""Events, their schedule, leaders, ticket types and prices."""
