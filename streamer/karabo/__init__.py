"""Frames from a karabo-bridge, as if they came from a publisher of ours."""
