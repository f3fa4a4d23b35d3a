"""``wdualmine``: one file a command, each a thin layer over the Python API."""
