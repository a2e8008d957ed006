"""Explorers: interactive figures for JupyterLab, one file each, and the predict-first questions."""

import importlib

from nnlib.widgets.base import (
    Explorer,
    Goal,
    LearnerError,
    Player,
    button,
    checkbox,
    choice,
    learners,
    log_slider,
    slider,
)
from nnlib.widgets.question import Choice, Number, Ordering, Question, questions

# Each explorer and the module it is in: a new one is added here, and nowhere else.
_EXPLORERS = {"ActivationExplorer": "activation", "AttentionExplorer": "attention", "BatchSizeExplorer": "batch_size",
              "ConvolutionExplorer": "convolution", "CourseMap": "course_map", "DrawDigit": "draw_digit",
              "FeatureMapExplorer": "feature_map", "FiniteDifferenceExplorer": "finite_difference",
              "FiringExplorer": "firing", "GradientFlowExplorer": "gradient_flow", "GraphStepper": "graph_stepper",
              "LearningRateExplorer": "learning_rate", "LogisticRegressionExplorer": "logistic",
              "MomentumExplorer": "momentum", "OptimizerRace": "optimizer_race", "Playground": "playground",
              "PoolingExplorer": "pooling", "ReceptiveFieldExplorer": "receptive_field",
              "RecurrenceExplorer": "recurrence", "RegularizationExplorer": "regularization",
              "ScheduleExplorer": "schedule", "SoftmaxExplorer": "softmax", "TrainingCurvesExplorer": "training_curves",
              "TrainingDashboard": "training_dashboard"}

__all__ = ["Choice", "Explorer", "Goal", "LearnerError", "Number", "Ordering", "Player", "Question", "button",
           "checkbox", "choice", "learners", "log_slider", "questions", "slider", *_EXPLORERS]


def __getattr__(name):
    """Load an explorer when it is first asked for, so that a notebook pays only for the ones it shows."""
    if name not in _EXPLORERS:
        raise AttributeError(f"nnlib.widgets has no {name!r}; its explorers are {', '.join(_EXPLORERS)}")
    return getattr(importlib.import_module(f"nnlib.widgets.{_EXPLORERS[name]}"), name)
