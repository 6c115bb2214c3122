"""The engine whose work is done by the workers of a Dask cluster.

Only what is in here imports `distributed`, the extra called cluster.
"""
