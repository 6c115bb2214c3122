"""How fast the analysis is, measured part by part."""
