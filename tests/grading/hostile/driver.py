"""Grades the notebooks whose paths come as lines of JSON; a process of its own, so that a hostile one can hurt only it.

python driver.py [FORKS [LAYERS]]    with FORKS 0: as on a system without fork; LAYERS: as if it had only these, a,b,c
A line holds the arguments of `grade`, and "cell": seconds for one cell, where it is not a sixth of the timeout.
"""

import dataclasses
import json
import sys

from nnlib.grading import grader, sandbox, workers

if len(sys.argv) > 1:
    workers.FORKS = workers.FORKS and sys.argv[1] == "1"
if workers.FORKS:
    grader.SLACK = 0.7  # seconds; the default waits longer for a slow machine
if len(sys.argv) > 2:
    layers = tuple(sys.argv[2].split(","))
    sandbox.available = lambda: layers
for line in sys.stdin:
    order = json.loads(line)
    grader.ONE_CELL = order.pop("cell", order["timeout"] / 6) / order["timeout"]
    graded = grader.grade(**order)
    print(json.dumps(dataclasses.asdict(graded) | {"points": graded.points}, default=repr), flush=True)
