"""The laws of the house, each with a planted violation that it must catch."""
