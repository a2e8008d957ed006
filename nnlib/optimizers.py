"""Optimizers: how parameters move once their gradients are known."""

import math

import numpy as np

from nnlib.autograd import Tensor


class SGD:
    """Stochastic gradient descent with momentum, in PyTorch's form.

        velocity <- momentum * velocity + gradient
        parameter <- parameter - lr * velocity

    Args:
        params: tensors with requires_grad=True.   lr: learning rate, > 0.   momentum: in [0, 1).
        nesterov: look ahead, stepping by gradient + momentum * velocity.
        weight_decay: adds weight_decay * parameter to the gradient, >= 0.
    Raises TypeError for parameters that are not such tensors, ValueError for a number outside its range.
    Source: decks B and C; Sutskever et al., "On the importance of initialization and momentum" (2013).
    """

    def __init__(self, params, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.params = [params] if isinstance(params, Tensor) else list(params)
        for p in self.params:
            if not (isinstance(p, Tensor) and p.requires_grad):
                raise TypeError(f"SGD: expected tensors with requires_grad=True but got {type(p).__name__}; "
                                "try Tensor(array, requires_grad=True)")
            if not p.is_leaf:
                raise TypeError(f"SGD: expected tensors made by hand but got the result of {p.operation!r}, which "
                                "never receives a gradient; wrap its value: Tensor(result.data, requires_grad=True)")
        if not self.params:
            raise ValueError("SGD: expected at least one parameter but got an empty list; try SGD([w, b], lr=0.1)")
        if not (math.isfinite(lr) and lr > 0):
            raise ValueError(f"SGD: expected a finite learning rate above 0 but got {lr}; 0.1 is a common start")
        if not 0 <= momentum < 1:
            raise ValueError(f"SGD: expected a momentum in [0, 1) but got {momentum}; 0.9 is a common choice")
        if not (math.isfinite(weight_decay) and weight_decay >= 0):
            raise ValueError(f"SGD: expected a weight decay of at least 0 but got {weight_decay}; try 1e-4")
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov looks ahead along the velocity, so it needs a momentum above 0; try 0.9")
        self.lr, self.momentum, self.nesterov, self.weight_decay = lr, momentum, nesterov, weight_decay
        self._velocities = [np.zeros_like(p.data) for p in self.params]

    def zero_grad(self):
        """Forget all gradients, before the next backward pass."""
        for p in self.params:
            p.zero_grad()

    def step(self):
        """Move every parameter that has a gradient, in place."""
        for p, velocity in zip(self.params, self._velocities):
            if p.grad is None:
                continue
            gradient = p.grad + self.weight_decay * p.data if self.weight_decay else p.grad
            if self.momentum:
                velocity *= self.momentum
                velocity += gradient
                gradient = gradient + self.momentum * velocity if self.nesterov else velocity
            p.data -= self.lr * gradient
