"""How the models are made: simulate, train, export. The only place that needs torch."""
