"""Schedules: how the learning rate changes as training goes on. Each is one closed form, `factor(t)`."""

import numpy as np

from nnlib.arguments import require

__all__ = ["CosineAnnealingLR", "ExponentialLR", "InverseTimeLR", "LinearWarmup", "Schedule", "StepLR"]


class Schedule:
    """Sets `optimizer.lr` to base_lr * factor(t), where t counts the calls of `step`, and base_lr is the rate given.

    A subclass writes `factor`. Call `step` after each epoch, or after each batch: t then counts those.

    Args: optimizer: what has the attribute `lr`; None for a schedule that is only looked at (base_lr is then 1).
    Raises ValueError for a number outside its range.
    """

    def __init__(self, optimizer):
        if not hasattr(optimizer, "lr") and optimizer is not None:
            raise TypeError(f"{type(self).__name__}: expected an optimizer, with an attribute lr, but got "
                            f"{type(optimizer).__name__}; try {type(self).__name__}(optimizer, ...)")
        self.optimizer, self.t = optimizer, 0
        self.base_lr = 1.0 if optimizer is None else optimizer.lr
        self._set_rate()

    def _set_rate(self):
        if self.optimizer is not None:
            self.optimizer.lr = float(self.base_lr * self.factor(self.t))

    def factor(self, t):
        """What the base rate is multiplied by after t steps (a number, or an array of them to draw the curve)."""
        raise NotImplementedError(f"{type(self).__name__} has no factor method; write `def factor(self, t): ...`")

    def step(self):
        """Go on to the next t."""
        self.t += 1
        self._set_rate()


class StepLR(Schedule):
    """factor = gamma^floor(t / step_size): a staircase, such as 0.5 every 5 epochs, or 0.1 every 20 (deck C).

    Args: step_size: an integer >= 1.   gamma: in (0, 1].
    """

    def __init__(self, optimizer, step_size, gamma=0.1):
        require(self, lambda n: n >= 1 and n == int(n), "a step_size of 1, 2, ...", step_size, "try 5")
        require(self, lambda gamma: 0 < gamma <= 1, "a gamma in (0, 1]", gamma, "0.5 halves the rate")
        self.step_size, self.gamma = int(step_size), float(gamma)
        super().__init__(optimizer)

    def factor(self, t):
        """gamma^floor(t / step_size)"""
        return self.gamma ** (t // self.step_size)


class ExponentialLR(Schedule):
    """factor = gamma^t = e^(-k t) with gamma = e^-k: every step takes the same share of the rate (deck C).

    Args: gamma: in (0, 1].
    """

    def __init__(self, optimizer, gamma):
        require(self, lambda gamma: 0 < gamma <= 1, "a gamma in (0, 1]", gamma, "0.95 loses 5% a step")
        self.gamma = float(gamma)
        super().__init__(optimizer)

    def factor(self, t):
        """gamma^t"""
        return self.gamma**t


class InverseTimeLR(Schedule):
    """factor = 1 / (1 + decay t): falls fast at first and then ever more slowly (deck C, 1/t decay).

    Args: decay: >= 0; after 1 / decay steps the rate has halved.
    """

    def __init__(self, optimizer, decay):
        require(self, lambda decay: 0 <= decay < np.inf, "a finite decay of at least 0", decay,
                "0.1 halves the rate in 10 steps")
        self.decay = float(decay)
        super().__init__(optimizer)

    def factor(self, t):
        """1 / (1 + decay t)"""
        return 1 / (1 + self.decay * t)


class CosineAnnealingLR(Schedule):
    """Half a cosine wave from the base rate down to eta_min at t = T_max, and eta_min from there on.

    Args: T_max: length of the way down, >= 1.   eta_min: the last rate, from 0 to the base rate.
    Source: Loshchilov and Hutter, "SGDR" (2017), without the restarts.
    """

    def __init__(self, optimizer, T_max, eta_min=0.0):
        base_lr = getattr(optimizer, "lr", 1.0)
        require(self, lambda steps: steps >= 1, "a T_max of at least 1", T_max, "try the number of steps you will make")
        require(self, lambda rate: 0 <= rate <= base_lr, f"an eta_min from 0 to the rate {base_lr}", eta_min, "try 0")
        self.T_max, self.eta_min, self._floor = T_max, float(eta_min), float(eta_min / base_lr)
        super().__init__(optimizer)

    def factor(self, t):
        """floor + (1 - floor) (1 + cos(pi t / T_max)) / 2, with floor = eta_min / base rate"""
        return self._floor + (1 - self._floor) * (1 + np.cos(np.pi * np.minimum(t / self.T_max, 1))) / 2


class LinearWarmup(Schedule):
    """Rates 1/steps, 2/steps, ... of the base rate during the first `steps` steps, then as `then` says from its start.

        LinearWarmup(optimizer, 5, then=CosineAnnealingLR(optimizer, 95))

    Args: steps: an integer >= 1.   then: another schedule of the same optimizer; None keeps the base rate.
    Only the outer schedule is to be stepped. Source: Goyal et al. (2017), who met it with large batches.
    """

    def __init__(self, optimizer, steps, then=None):
        require(self, lambda n: n >= 1 and n == int(n), "1, 2, ... steps", steps, "try 5")
        if then is not None and getattr(then, "optimizer", None) is not optimizer:
            raise ValueError("LinearWarmup: expected `then` to be a schedule of the same optimizer but it has another; "
                             "pass that optimizer to both")
        self.steps, self.then = int(steps), then
        super().__init__(optimizer)

    def factor(self, t):
        """(t + 1) / steps while t < steps, then the other's factor(t - steps)"""
        after = np.maximum(t - self.steps, 0)
        rest = 1.0 if self.then is None else self.then.factor(after)
        return np.where(t < self.steps, (t + 1) / self.steps, rest)[()]
