"""The job, put together once: align, prepare, fuse, measure, record.

Command line, panel, live preview, demo and the Python interface all call what lies here.
"""
