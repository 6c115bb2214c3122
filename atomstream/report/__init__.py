"""One page of figures for a session: what happened, and how it was found out."""
