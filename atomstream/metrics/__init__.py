"""Numbers of a service for Prometheus; nothing here knows the page."""
