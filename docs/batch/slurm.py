"""`wdualmine batch` on SLURM: edit the options below, then

    python slurm.py SOURCE -o DIR [options of wdualmine batch]

Needs `pip install 'wdualmine[batch]' dask-jobqueue` in an environment that all nodes see. Each job
is one worker, which does one study at a time with all of its cores.
"""

import subprocess
import sys

from dask.distributed import Client
from dask_jobqueue import SLURMCluster

JOBS = 20
OPTIONS = {
    "queue": "normal",  # the partition
    "cores": 4,
    "processes": 1,  # one worker a job
    "memory": "8GB",
    "walltime": "04:00:00",
    # In place of Dask's own, with which a study takes twice the processor time.
    "job_script_prologue": [
        "export MALLOC_TRIM_THRESHOLD_=67108864",
        "export MALLOC_MMAP_THRESHOLD_=33554432",
    ],
    "scheduler_options": {"dashboard_address": ":0"},
    # Leaves before the job is ended, and not all at once: its study goes to another worker.
    "worker_extra_args": ["--lifetime", "230m", "--lifetime-stagger", "10m", "--no-dashboard"],
    # One GPU a worker; give `--device cuda` to the command then:
    # "job_extra_directives": ["--gres=gpu:1"], and "--resources", "GPU=1" among the arguments above
}

with SLURMCluster(**OPTIONS) as cluster, Client(cluster) as client:
    # New jobs take the place of those that ended, until the batch is done.
    cluster.adapt(minimum_jobs=1, maximum_jobs=JOBS)
    client.wait_for_workers(1)
    address = cluster.scheduler_address
    command = [sys.executable, "-m", "WDualMineLib", "batch", *sys.argv[1:], "--scheduler", address]
    sys.exit(subprocess.call(command))
