"""What a registration form asks and who may see the answers."""
