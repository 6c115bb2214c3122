"""Frame in, analysis out: atoms, species, orientation and order of one frame."""
