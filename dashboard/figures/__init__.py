"""One function per figure of the page."""
