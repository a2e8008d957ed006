"""Schedules against their closed forms, their lecture's numbers and PyTorch, and what they refuse."""

import numpy as np
import pytest

from nnlib import (
    SGD,
    CosineAnnealingLR,
    ExponentialLR,
    InverseTimeLR,
    LinearWarmup,
    Parameter,
    Schedule,
    StepLR,
)

DRAWN = [StepLR(None, 5, 0.5), ExponentialLR(None, 0.9), InverseTimeLR(None, 0.25), CosineAnnealingLR(None, 12, 0.1),
         LinearWarmup(None, 4), LinearWarmup(None, 3, then=CosineAnnealingLR(None, 8))]


def optimizer(lr=0.5):
    return SGD([Parameter(1.0)], lr=lr)


def rates(make, steps=20, lr=0.5):
    """The rates that an optimizer has before the first step of a schedule, and after each."""
    mover = optimizer(lr)
    schedule = make(mover)
    found = [mover.lr]
    for _ in range(steps):
        schedule.step()
        found.append(mover.lr)
    return np.array(found)


def test_rates_that_can_be_checked_by_hand():
    np.testing.assert_allclose(rates(lambda o: StepLR(o, 5, 0.5), 11, 0.8),
                               [0.8] * 5 + [0.4] * 5 + [0.2] * 2, rtol=1e-15)
    np.testing.assert_allclose(rates(lambda o: StepLR(o, 20), 40, 1.0)[[0, 19, 20, 39, 40]], [1, 1, 0.1, 0.1, 0.01])
    np.testing.assert_allclose(rates(lambda o: ExponentialLR(o, 0.5), 3), [0.5, 0.25, 0.125, 0.0625], rtol=1e-15)
    np.testing.assert_allclose(rates(lambda o: InverseTimeLR(o, 0.1), 20)[[0, 10, 20]], [0.5, 0.25, 0.5 / 3])
    np.testing.assert_allclose(rates(lambda o: CosineAnnealingLR(o, 4, 0.1), 6, 0.9),
                               [0.9, 0.5 + 0.4 * np.sqrt(0.5), 0.5, 0.5 - 0.4 * np.sqrt(0.5), 0.1, 0.1, 0.1])
    np.testing.assert_allclose(rates(lambda o: LinearWarmup(o, 4), 5, 1.0), [0.25, 0.5, 0.75, 1, 1, 1])
    np.testing.assert_allclose(rates(lambda o: LinearWarmup(o, 2, StepLR(o, 2, 0.5)), 6, 1.0),
                               [0.5, 1, 1, 1, 0.5, 0.5, 0.25])


@pytest.mark.parametrize("schedule", DRAWN, ids=lambda s: type(s).__name__)
def test_a_factor_depends_on_t_alone_and_takes_arrays(schedule):
    t = np.arange(30)
    curve = schedule.factor(t)
    np.testing.assert_allclose(curve, [schedule.factor(int(i)) for i in t], rtol=1e-14)
    assert curve.shape == (30,) and np.all((curve >= 0) & (curve <= 1)) and schedule.t == 0
    for _ in range(3):
        schedule.step()  # without an optimizer only t moves
    np.testing.assert_array_equal(schedule.factor(t), curve)
    assert isinstance(float(schedule.factor(3)), float) and np.ndim(schedule.factor(3)) == 0


def test_the_rate_is_a_python_number_and_what_it_was_is_kept():
    mover = optimizer(np.float64(0.2))
    for make in (lambda o: CosineAnnealingLR(o, 5), lambda o: LinearWarmup(o, 5)):
        mover.lr = 0.2
        schedule = make(mover)
        schedule.step()
        assert type(mover.lr) is float and schedule.base_lr == 0.2 and schedule.t == 1


class HalfTime(Schedule):
    """What a learner may write."""

    def factor(self, t):
        return 1.0 if t < 2 else 0.5


def test_a_schedule_of_ones_own():
    np.testing.assert_array_equal(rates(HalfTime, 3, 1.0), [1, 1, 0.5, 0.5])
    with pytest.raises(NotImplementedError, match="Schedule has no factor method; write `def factor"):
        Schedule(optimizer())


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda o: StepLR(o, 0), "StepLR: expected a step_size of 1, 2, ... but got 0"),
    (lambda o: StepLR(o, 2.5), "step_size .* got 2.5"),
    (lambda o: StepLR(o, 2, 5), r"StepLR: expected a gamma in \(0, 1\] but got 5"),
    (lambda o: StepLR(o, 2, np.nan), "gamma .* got nan"),
    (lambda o: ExponentialLR(o, 0), r"ExponentialLR: expected a gamma in \(0, 1\] but got 0"),
    (lambda o: InverseTimeLR(o, -1), "InverseTimeLR: expected a finite decay of at least 0 but got -1"),
    (lambda o: InverseTimeLR(o, np.inf), "got inf"),
    (lambda o: CosineAnnealingLR(o, 0), "CosineAnnealingLR: expected a T_max of at least 1 but got 0"),
    (lambda o: CosineAnnealingLR(o, 5, 0.6), "an eta_min from 0 to the rate 0.5 but got 0.6"),
    (lambda o: CosineAnnealingLR(o, 5, -0.1), "eta_min .* got -0.1"),
    (lambda o: LinearWarmup(o, 0), "LinearWarmup: expected 1, 2, ... steps but got 0"),
    (lambda o: LinearWarmup(o, 5, StepLR(optimizer(), 2)), "LinearWarmup: .*same optimizer"),
])
def test_numbers_outside_their_range_leave_the_rate_alone(make, sentence):
    mover = optimizer(0.5)
    with pytest.raises(ValueError, match=sentence):
        make(mover)
    assert mover.lr == 0.5


def test_against_pytorch():
    torch = pytest.importorskip("torch")
    lr = torch.optim.lr_scheduler
    warm = {"start_factor": 0.2, "total_iters": 4}
    for ours, theirs, steps in [
        (lambda o: StepLR(o, 3, 0.7), lambda o: lr.StepLR(o, 3, 0.7), 20),
        (lambda o: ExponentialLR(o, 0.8), lambda o: lr.ExponentialLR(o, 0.8), 20),
        (lambda o: InverseTimeLR(o, 0.3), lambda o: lr.LambdaLR(o, lambda t: 1 / (1 + 0.3 * t)), 20),
        (lambda o: CosineAnnealingLR(o, 12, 0.01), lambda o: lr.CosineAnnealingLR(o, 12, 0.01), 12),
        (lambda o: LinearWarmup(o, 5), lambda o: lr.LinearLR(o, **warm), 20),
        (lambda o: LinearWarmup(o, 5, CosineAnnealingLR(o, 10, 0.1)),
         lambda o: lr.SequentialLR(o, [lr.LinearLR(o, **warm), lr.CosineAnnealingLR(o, 10, 0.1)], [5]), 15),
    ]:
        mover = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        schedule, expected = theirs(mover), [mover.param_groups[0]["lr"]]
        for _ in range(steps):
            mover.step()
            schedule.step()
            expected.append(mover.param_groups[0]["lr"])
        np.testing.assert_allclose(rates(ours, steps), expected, rtol=1e-10)
