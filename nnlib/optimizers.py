"""Optimizers: how parameters move once their gradients are known; gradient clipping, and averages of weights.

A new optimizer is a subclass of `Optimizer` that writes one method, `update`: the formula for a single array.
"""

import copy
import inspect
import math

import numpy as np

from nnlib.arguments import require
from nnlib.autograd import Tensor
from nnlib.errors import GradientError, ShapeError
from nnlib.module import Module, Parameter

__all__ = ["Adagrad", "Adam", "AdamW", "AveragedModel", "Optimizer", "RMSprop", "SGD", "clip_grad_norm_",
           "clip_grad_value_"]


def _tensors(name, params):
    """Parameters given as one tensor, a list or a generator, as a list; TypeError for anything else in it."""
    if isinstance(params, Module):
        raise TypeError(f"{name}: expected parameters but got a {type(params).__name__}; "
                        "did you mean model.parameters()?")
    if isinstance(params, Tensor) or not hasattr(params, "__iter__"):
        params = [params]
    params = list(params)
    for p in params:
        if not (isinstance(p, Parameter) or isinstance(p, Tensor) and p.requires_grad):  # a Parameter may be frozen
            raise TypeError(f"{name}: expected tensors with requires_grad=True but got {type(p).__name__}; "
                            "try Tensor(array, requires_grad=True)")
    return params


class Optimizer:
    """What all optimizers share: the list of parameters, the loop over them, and the checks.

    Args:
        params: tensors with requires_grad=True: one, a list, or `model.parameters()`.
        lr: learning rate, > 0; the attribute may be changed between steps.
        weight_decay: strength of the L2 penalty weight_decay / 2 |w|^2, >= 0.
    Raises TypeError for parameters that are not such tensors, ValueError for one that stands twice in the list, an
    empty list, or a number outside its range.
    """

    def __init__(self, params, lr, weight_decay=0.0):
        name = type(self).__name__
        self.params = _tensors(name, params)
        for p in self.params:
            if not p.is_leaf:
                raise TypeError(f"{name}: expected tensors made by hand but got the result of {p.operation!r}, which "
                                "never receives a gradient; wrap its value: Tensor(result.data, requires_grad=True)")
        if not self.params:
            raise ValueError(f"{name}: expected at least one parameter but got an empty list; "
                             f"try {name}([w, b], lr=0.1)")
        if len({id(p) for p in self.params}) < len(self.params):
            raise ValueError(f"{name}: expected each parameter once but one stands in the list again, and would move "
                             "twice in a step; model.parameters() names each once")
        require(self, lambda lr: math.isfinite(lr) and lr > 0, "a finite learning rate above 0", lr,
                "0.1 is a common start")
        require(self, lambda decay: math.isfinite(decay) and decay >= 0, "a weight decay of at least 0", weight_decay,
                "try 1e-4")
        self.lr, self.weight_decay = float(lr), float(weight_decay)
        self._steps = [0] * len(self.params)
        self._memory = [None] * len(self.params)
        self._kept = len(inspect.signature(self.update).parameters) - 3

    def update(self, w, gradient, t):
        """The formula of the optimizer, for one parameter: a subclass writes it.

        Args:
            w, gradient: arrays of one shape, not to be changed.   t: how often w was updated, 1 in the first step.
            Every further argument is an array like w, zeros in the first step, that is kept for the next one: change
            it in place (`m *= beta`, not `m = beta * m`).
        Returns the array to be subtracted from w.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update method; write "
                                  "`def update(self, w, gradient, t): return self.lr * gradient`")

    def decay(self, w, gradient):
        """The gradient with that of the L2 penalty added, where `weight_decay` is not 0."""
        return gradient + self.weight_decay * w

    def step(self):
        """Move every parameter that has a gradient, in place; the others rest. GradientError when none has one."""
        if all(p.grad is None for p in self.params):
            raise GradientError(f"{type(self).__name__}: none of the {len(self.params)} parameters has a gradient; "
                                "call loss.backward() before step(), on a loss that was computed from these parameters")
        self.lr = float(self.lr)  # NumPy's numbers would widen float32
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges shows in its loss
            for i, p in enumerate(self.params):
                if p.grad is None:
                    continue
                if not isinstance(p.grad, np.ndarray) or p.grad.shape != p.shape:
                    raise ShapeError(f"{type(self).__name__}: expected a gradient that is an array of shape {p.shape} "
                                     f"but parameter {i} has {type(p.grad).__name__} of shape {np.shape(p.grad)}")
                if self._memory[i] is None:
                    self._memory[i] = [np.zeros(p.shape, p.dtype) for _ in range(self._kept)]
                self._steps[i] += 1
                gradient = self.decay(p.data, p.grad) if self.weight_decay else p.grad
                p.data -= self.update(p.data, gradient, self._steps[i], *self._memory[i])
                p.mark_changed()

    def zero_grad(self):
        """Forget all gradients, before the next backward pass."""
        for p in self.params:
            p.zero_grad()

    def __repr__(self):
        settings = [f"{k}={v}" for k, v in vars(self).items() if k != "params" and not k.startswith("_")]
        return f"{type(self).__name__}({', '.join([f'{len(self.params)} tensors', *settings])})"


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, in PyTorch's form.

        velocity <- momentum * velocity + gradient
        parameter <- parameter - lr * velocity

    Args:
        params: tensors with requires_grad=True.   lr: learning rate, > 0.   momentum: in [0, 1).
        nesterov: look ahead, stepping by gradient + momentum * velocity.
        weight_decay: adds weight_decay * parameter to the gradient, >= 0.
    Errors as in `Optimizer`.
    Source: decks B and C; Sutskever et al., "On the importance of initialization and momentum" (2013).
    """

    def __init__(self, params, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(params, lr, weight_decay)
        require(self, lambda momentum: 0 <= momentum < 1, "a momentum in [0, 1)", momentum, "0.9 is a common choice")
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov looks ahead along the velocity, so it needs a momentum above 0; try 0.9")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)

    def update(self, w, gradient, t, velocity):
        if not self.momentum:
            return self.lr * gradient
        velocity *= self.momentum
        velocity += gradient
        return self.lr * (gradient + self.momentum * velocity if self.nesterov else velocity)


class Adagrad(Optimizer):
    """Each weight has its own rate, which falls with the sum of its squared gradients (Duchi et al., 2011; deck D).

        total <- total + gradient^2
        parameter <- parameter - lr * gradient / (sqrt(total) + eps)

    Args: params, lr, weight_decay and errors as in `Optimizer`.   eps: > 0, keeps 0/0 out.
    """

    def __init__(self, params, lr=0.01, *, weight_decay=0.0, eps=1e-10):
        super().__init__(params, lr, weight_decay)
        require(self, lambda eps: eps > 0, "an eps above 0", eps, "1e-10 is the usual one")
        self.eps = float(eps)

    def update(self, w, gradient, t, total):
        total += gradient * gradient
        return self.lr * gradient / (np.sqrt(total) + self.eps)


class RMSprop(Optimizer):
    """As Adagrad, but the squares are averaged and old ones forgotten, so the rate need not fall (deck D).

        square <- alpha * square + (1 - alpha) * gradient^2
        parameter <- parameter - lr * gradient / (sqrt(square) + eps)

    Args:
        params, lr, weight_decay and errors as in `Optimizer`.   alpha: in [0, 1).   eps: > 0.
        momentum: in [0, 1); above 0, these steps are gathered in a velocity as in `SGD`.
    Source: Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012).
    """

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0):
        super().__init__(params, lr, weight_decay)
        require(self, lambda alpha: 0 <= alpha < 1, "an alpha in [0, 1)", alpha, "0.99 and 0.9 are common choices")
        require(self, lambda eps: eps > 0, "an eps above 0", eps, "1e-8 is the usual one")
        require(self, lambda momentum: 0 <= momentum < 1, "a momentum in [0, 1)", momentum, "0.9 is a common choice")
        self.alpha, self.eps, self.momentum = float(alpha), float(eps), float(momentum)

    def update(self, w, gradient, t, square, velocity):
        square *= self.alpha
        square += (1 - self.alpha) * gradient * gradient
        scaled = gradient / (np.sqrt(square) + self.eps)
        if not self.momentum:
            return self.lr * scaled
        velocity *= self.momentum
        velocity += scaled
        return self.lr * velocity


class Adam(Optimizer):
    """RMSprop with momentum, both averages corrected for their start at zero (Kingma and Ba, 2015; deck D).

        m <- beta1 * m + (1 - beta1) * gradient
        v <- beta2 * v + (1 - beta2) * gradient^2
        parameter <- parameter - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)

    Args: params, lr, weight_decay and errors as in `Optimizer`.   betas: two numbers in [0, 1).   eps: > 0.
    """

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr, weight_decay)
        require(self, lambda betas: np.shape(betas) == (2,) and all(0 <= beta < 1 for beta in betas),
                "two betas in [0, 1)", betas, "(0.9, 0.999) are the usual ones")
        require(self, lambda eps: eps > 0, "an eps above 0", eps, "1e-8 is the usual one")
        self.betas, self.eps = tuple(map(float, betas)), float(eps)

    def update(self, w, gradient, t, m, v):
        beta1, beta2 = self.betas
        m *= beta1
        m += (1 - beta1) * gradient
        v *= beta2
        v += (1 - beta2) * gradient * gradient
        return self.lr / (1 - beta1**t) * m / (np.sqrt(v / (1 - beta2**t)) + self.eps)


class AdamW(Adam):
    """Adam whose weight decay shrinks the weights themselves: all at one rate, whatever their gradients were.

    Args as for `Adam`, `weight_decay` being 0.01. Source: Loshchilov and Hutter (2019).
    """

    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps, weight_decay)

    def decay(self, w, gradient):
        """The gradient as it is: w itself shrinks by the factor 1 - lr * weight_decay."""
        w *= 1 - self.lr * self.weight_decay
        return gradient


@np.errstate(over="ignore", invalid="ignore")
def clip_grad_norm_(params, max_norm):
    """Scale all gradients together so that their common Euclidean norm is at most `max_norm` (Pascanu et al., 2013).

    Args: params: as for an optimizer.   max_norm: > 0; infinity only measures.
    Returns the norm before, a Python number; where it is infinite or NaN, so become the gradients, as in PyTorch.
    Whoever holds the old arrays sees no change: each `grad` becomes a new one.
    Raises TypeError for what are no parameters, ValueError for a max_norm that is not above 0.
    """
    params = [p for p in _tensors("clip_grad_norm_", params) if p.grad is not None]
    require("clip_grad_norm_", lambda norm: norm > 0, "a max_norm above 0", max_norm, "1.0 is a common start")
    norm = math.hypot(*(np.linalg.norm(p.grad) for p in params))
    scale = float(max_norm) / (norm + 1e-6)
    if not scale >= 1:
        for p in params:
            p.grad = p.grad * scale
    return norm


def clip_grad_value_(params, clip_value):
    """Clip every element of the gradients to [-clip_value, clip_value]. Each `grad` becomes a new array.

    Args: params: as for an optimizer.   clip_value: > 0.
    Raises TypeError for what are no parameters, ValueError for a clip_value that is not above 0.
    """
    params = _tensors("clip_grad_value_", params)
    require("clip_grad_value_", lambda value: value > 0, "a clip_value above 0", clip_value, "try 1.0")
    for p in params:
        if p.grad is not None:
            p.grad = np.clip(p.grad, -float(clip_value), float(clip_value))


class AveragedModel:
    """A second copy of a model, whose weights are the average of those that the model goes through (deck C).

    Args:
        model: a Module; it is trained on as before.
        decay: None for the plain average over all calls of `update` (Izmailov et al., 2018), or a number in [0, 1) for
            one that forgets: average <- decay * average + (1 - decay) * weights.
    Attributes: `module`, the copy, set to eval(); buffers (running means) are the model's latest. `updates`, a count.
    Raises TypeError for what is no Module, ValueError for a decay out of range.
    """

    def __init__(self, model, decay=None):
        if not isinstance(model, Module):
            raise TypeError(f"AveragedModel: expected a Module but got {type(model).__name__}; pass the model itself")
        require(self, lambda decay: decay is None or 0 <= decay < 1, "a decay in [0, 1) or None", decay,
                "0.999 is common")
        self.model, self.decay, self.updates = model, decay, 0
        self.module = copy.deepcopy(model).eval()
        self.module.zero_grad()

    def update(self):
        """Take the model's present weights into the average; the first call copies them."""
        self.updates += 1
        share = 1.0 if self.updates == 1 else 1 / self.updates if self.decay is None else 1 - float(self.decay)
        averages = dict([*self.module.named_parameters(), *self.module.named_buffers()])
        for name, p in self.model.named_parameters():
            averages[name].data *= 1 - share
            averages[name].data += share * p.data
        for name, buffer in self.model.named_buffers():
            averages[name].data[...] = buffer.data
