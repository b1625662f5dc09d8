"""python -m bench.job_memory URL JOB: aggregates all that is stale in a process of its own, prints its peak in MB.

The peak is above what the process holds when it is idle: everything imported, the database reached.
"""

import subprocess
import sys

from sqlalchemy import Engine

from bench.measure import peak_megabytes
from bench.quiet import run_agents, run_job, run_quality
from db.engine import data_version, engine_for

JOBS = {
    "aggregate_agents": run_agents,
    "aggregate_models": run_job,
    "aggregate_quality": run_quality,
}


def of(engine: Engine, job: str = "aggregate_models") -> float:
    """The same for an engine, measured in a new process."""
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "bench.job_memory", url, job]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    target = engine_for(sys.argv[1])
    data_version(target)
    print(peak_megabytes(lambda: JOBS[sys.argv[2]](target)))
