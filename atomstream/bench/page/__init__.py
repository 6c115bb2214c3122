"""What the live page takes: until it is painted, of the network, of its server."""
