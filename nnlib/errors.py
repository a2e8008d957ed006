"""The library's own exceptions: each says what was expected, what was got and what to try."""

__all__ = ["DataError", "GradientError", "NnlibError", "ShapeError", "TrainingError"]


class NnlibError(Exception):
    """Base of the exceptions that tell a user of nnlib what is wrong."""


class ShapeError(NnlibError, ValueError):
    """Arrays whose shapes do not fit an operation."""


class GradientError(NnlibError, ValueError):
    """A gradient that cannot be computed, or that disagrees with finite differences."""


class DataError(NnlibError, OSError):
    """A data file that is missing or damaged."""


class TrainingError(NnlibError, ArithmeticError):
    """A run whose loss or gradient is no longer finite; `history` is the History of that run."""

    def __init__(self, message, history=None):
        super().__init__(message)
        self.history = history
