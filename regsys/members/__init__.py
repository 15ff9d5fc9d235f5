"""The members of the society: an uploaded list, and the proof that somebody in a browser is one of them."""
