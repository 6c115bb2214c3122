"""What travels, and how: frames, analyses, the wire, sessions on disk and sources."""
