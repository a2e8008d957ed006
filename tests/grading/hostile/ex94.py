"""The questions of ex91, for answers without end: the one that a hostile notebook answers is soon given up."""

from dataclasses import replace

from nnlib.grading.checks import ex91

NAME = "ex94_hasty"
double, sigmoid, triple = ex91.EXERCISES
EXERCISES = [double, replace(sigmoid, time_limit=0.4), triple]
