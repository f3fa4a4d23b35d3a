"""Many studies, each the job that :mod:`~..pipeline` does, on a cluster of Dask workers.

Planned whole before anything starts, resumable, and reported while it runs.
"""
