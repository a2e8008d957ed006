"""Exercises: questions as data, `check` in the notebook, `python -m nnlib.grading` on the command line."""

from nnlib.grading.exercise import Case, Exercise, Misconception, Tolerance
from nnlib.grading.exercise_set import ExerciseSet
from nnlib.grading.progress import course_progress

__all__ = ["Case", "Exercise", "ExerciseSet", "Misconception", "Tolerance", "course_progress"]
