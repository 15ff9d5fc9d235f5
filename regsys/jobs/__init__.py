"""The one queue of work to be done later."""
