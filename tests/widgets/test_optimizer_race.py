"""OptimizerRace without a kernel: every control at both ends, the goal, and learners' rules, right and wrong."""

import itertools

import numpy as np
import pytest
from support import assert_refused

from nnlib.optimizers import Adam, Optimizer
from nnlib.widgets import Goal, OptimizerRace
from nnlib.widgets.descent import FAR, RACES, momentum_step, nesterov_step
from nnlib.widgets.optimizer_race import FASTEST, RACERS, RATES, SLOWEST, out_at, race, read_rule

pytestmark = pytest.mark.filterwarnings("error")

GOAL = Goal(loss=1e-3, steps=200)


def plain(w, gradient, rate):
    return w - rate * gradient


def momentum_rule(w, gradient, velocity, rate, momentum):
    return momentum_step(w, gradient, velocity, rate, momentum)


def nesterov_rule(w, gradient, velocity, rate, momentum):
    return nesterov_step(w, gradient, velocity, rate, momentum)


def adagrad_rule(w, gradient, total, rate, eps=1e-10):
    total += gradient ** 2
    return w - rate * gradient / (np.sqrt(total) + eps), total


def rmsprop_rule(w, gradient, memory, t, rate):
    memory = 0.99 * memory + 0.01 * gradient ** 2
    return [w - rate * gradient / (np.sqrt(memory) + 1e-8), memory]


def adam_rule(w, gradient, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient ** 2
    return w - lr * m / (1 - beta1 ** t) / (np.sqrt(v / (1 - beta2 ** t)) + eps), m, v


def with_state(w, gradient, state, rate):
    state["total"] = state.get("total", 0) + gradient ** 2
    return w - rate * gradient / (np.sqrt(state["total"]) + 1e-10)


def with_state_returned(w, gradient, state, rate):
    return with_state(w, gradient, state, rate), state


def looks_itself(w, gradient, rate, gradient_at):
    return w - rate * gradient_at(w)


@pytest.fixture(scope="module")
def explorer():
    return OptimizerRace(surface="Rosenbrock", goal=GOAL)


@pytest.fixture(scope="module")
def own():
    return OptimizerRace({"mine": plain}, show=["mine"], rates={"mine": 0.02}, steps=40)


def replace(explorer, rule):
    """Another rule under the name mine, in an explorer that is there: a new one would take its time."""
    explorer.own["mine"] = rule
    explorer._kept.clear()
    explorer.refresh()


@pytest.mark.usefixtures("painted")
def test_every_surface_and_the_ends_of_every_control():
    explorer, seen = OptimizerRace(goal=GOAL, steps=30, show=["SGD", "Nesterov", "AdaGrad", "Adam"]), set()
    explorer.most = 30
    for name, factor, momentum, steps in itertools.product(RACES, (0.1, 10), (0.0, 0.99), (0, 30)):
        with explorer.setting_controls():
            explorer.factor.value, explorer.momentum.value, explorer.steps.value = factor, momentum, steps
        explorer.surface_choice.value = name
        explorer.refresh()
        text = explorer.alt + explorer._caption_text + explorer._goal_text
        assert explorer.message == "" and "nan" not in text and "inf" not in text
        assert name in explorer.alt and f"after {steps} steps" in explorer.alt
        assert explorer.plane.get_xlim() == RACES[name].bounds[:2]
        assert all(np.isfinite(path).all() for path, _ in explorer.results.values())
        seen.add(explorer.alt)
    assert len(seen) == 40


def test_slowest_and_fastest_rate_of_every_racer():
    explorer = OptimizerRace(surface="Beale", steps=40)
    for name, rate in itertools.product(RACERS, (SLOWEST, FASTEST)):
        explorer.who.value = name
        explorer.rate.value = rate
        assert explorer.rate_of(name) == pytest.approx(rate) and explorer.message == ""
        assert f"{name} (rate {rate:.3g})" in explorer.alt
    assert "grown a thousandfold: " in explorer._caption_text and "SGD (step" in explorer._caption_text
    assert explorer.out["SGD"] is not None and explorer.cells[-1][2].get_text().startswith("out at")


def test_each_racer_keeps_its_rate_on_each_surface():
    explorer = OptimizerRace(steps=20)
    explorer.who.value, explorer.rate.value = "Adam", 0.5
    explorer.who.value = "SGD"
    assert explorer.rate.value == RATES["valley"]["SGD"]
    explorer.surface_choice.value = "saddle"
    assert explorer.rate.value == RATES["saddle"]["SGD"]
    explorer.who.value = "Adam"
    assert explorer.rate.value == RATES["saddle"]["Adam"]
    explorer.surface_choice.value = "valley"
    assert explorer.rate.value == 0.5


def test_boxes_decide_who_races():
    explorer = OptimizerRace(show=["SGD", "Adam"])
    assert set(explorer.places) == {"SGD", "Adam"} and "RMSProp" not in explorer.alt
    explorer.boxes["RMSProp"].value = True
    assert "RMSProp" in explorer.alt and len(explorer.paths["RMSProp"].get_xdata()) > 10
    for box in explorer.boxes.values():
        box.value = False
    assert "Nobody races" in explorer._caption_text and "nobody" in explorer.alt and explorer.message == ""
    assert len(explorer.paths["RMSProp"].get_xdata()) == 0


def test_paths_are_those_of_the_optimizers():
    explorer = OptimizerRace(surface="valley", steps=30)
    surface = RACES["valley"]
    w, velocity = np.array(surface.start), np.zeros(2)
    for _ in range(30):
        w, velocity = momentum_step(w, surface.gradient(w), velocity, RATES["valley"]["momentum"], 0.9)
    assert explorer.results["momentum"][0][-1] == pytest.approx(w)
    assert explorer.results["momentum"][1][-1] == pytest.approx(surface.value(w))


def test_goal_on_rosenbrock_needs_tuning(explorer):
    assert "○ Goal not reached yet" in explorer._goal_text and "on the surface Rosenbrock" in explorer._goal_text
    explorer.who.value = "Nesterov"
    explorer.rate.value = 1e-3
    assert "○" in explorer._goal_text
    explorer.momentum.value = 0.97
    assert "✓ Goal reached" in explorer._goal_text and "Nesterov reaches it at step 65" in explorer._goal_text
    assert "leaves it again: now 0.019" in explorer._goal_text
    assert "65" in [row[3].get_text() for row in explorer.cells]
    explorer.steps.value = 50
    assert "○" in explorer._goal_text, "what has not been shown yet does not count"
    explorer.steps.value = 200
    explorer.surface_choice.value = "valley"
    assert "○" in explorer._goal_text and "This is the surface valley" in explorer._goal_text
    assert not explorer.corner[0].get_visible()


def test_plain_descent_never_reaches_the_goal_on_rosenbrock():
    surface = RACES["Rosenbrock"]
    for rate in np.geomspace(1e-4, 1e-2, 25):
        _, losses = race(lambda w, g, rate=rate: w - rate * g, surface, GOAL.steps)
        assert GOAL.reached_at(losses) is None


def test_player_goes_from_the_start_to_the_end():
    explorer = OptimizerRace(steps=20)
    explorer.player.reset()
    assert explorer.steps.value == 0 and "after 0 steps" in explorer.alt
    count = 1
    while explorer.player.tick():
        count += 1
    assert explorer.steps.value == 20 and count == 20
    assert not explorer.player.tick()


@pytest.mark.parametrize("rule, twin", [
    (plain, "SGD"), (momentum_rule, "momentum"), (momentum_step, "momentum"), (nesterov_rule, "Nesterov"),
    (adagrad_rule, "AdaGrad"), (with_state, "AdaGrad"), (with_state_returned, "AdaGrad"), (rmsprop_rule, "RMSProp"),
    (adam_rule, "Adam"), (looks_itself, "SGD"), (Adam, "Adam")])
def test_own_rules_race_and_are_recognized(own, rule, twin):
    replace(own, rule)
    assert own.message == "" and f"mine takes the same path as {twin} at this rate" in own._caption_text


def test_an_own_optimizer_class_and_a_rule_of_another_kind():
    class Halves(Optimizer):
        def update(self, w, gradient, t):
            return 0.5 * w

    explorer = OptimizerRace({"halves": Halves, "sign": lambda w, gradient, rate: w - rate * np.sign(gradient)})
    assert explorer.results["halves"][0][1] == pytest.approx(np.array(RACES["valley"].start) / 2)
    assert "same path" not in explorer._caption_text and explorer.places[0] == "halves"


def test_goal_is_for_your_rule_if_there_is_one():
    explorer = OptimizerRace({"mine": lambda w, gradient, rate: w}, goal=Goal(1e-3, 200), surface="valley")
    assert "○ Goal not reached yet" in explorer._goal_text and "by your rule" in explorer._goal_text
    assert "Nearest: mine" in explorer._goal_text
    explorer = OptimizerRace({"mine": plain}, goal=Goal(1e-3, 200), rates={"mine": 0.07})
    assert "✓ Goal reached" in explorer._goal_text and "mine reaches it" in explorer._goal_text
    assert "leaves" not in explorer._goal_text
    explorer.boxes["mine"].value = False
    assert "○" in explorer._goal_text and "No such racer yet" in explorer._goal_text


@pytest.mark.parametrize("rule, words", [
    (lambda w, gradient, rate: 1 / 0, "mine raised ZeroDivisionError"),
    (lambda w, gradient, rate: None, "mine returned None"),
    (lambda w, gradient, rate: (w, gradient), "expected w alone but got 2 values"),
    (lambda w, gradient, rate: w[:1], "mine: expected an array of shape (2,)"),
    (lambda w, gradient, rate: w * np.nan, "finite"),
    (lambda w, gradient, rate: "a", "real numbers"),
    (lambda w, gradient, rate: w + 1j, "real numbers"),
    (lambda w, gradient, rate: exit(), "SystemExit"),
    (lambda w, gradient, velocity, rate: w, "expected (w, velocity) but got an array of shape (2,)"),
    (lambda w, gradient, velocity, rate: None, "expected (w, velocity) but got None"),
    (lambda w, gradient, velocity, rate: (w, velocity, 1), "got 3 values; try `return w, velocity`"),
    (lambda w, gradient, velocity, rate: (w, 0.0), "mine, velocity: expected an array of shape (2,)"),
    (lambda w, gradient, m, v, rate: (w, m), "expected (w, m, v) but got 2 values"),
    (lambda w, gradient, state: state["m"], "KeyError"),
    (lambda w, gradient, m, rate: ("w", m), "mine, w: expected an array"),
])
def test_wrong_rules_are_told_inside_the_explorer(own, rule, words):
    replace(own, rule)
    assert words in own.message and "One of your racers stopped" in own.message
    replace(own, plain)
    assert own.message == ""


@pytest.mark.usefixtures("painted")
def test_a_rule_that_never_worked_leaves_the_axes():
    explorer = OptimizerRace({"mine": lambda w, gradient, rate: None}, show=["mine"], steps=10)
    assert explorer.picture and "stopped" in explorer.alt and "mine returned None" in explorer.message


def test_a_rule_cannot_change_what_the_race_holds(own):
    def in_place(w, gradient, velocity, rate, momentum):
        velocity *= momentum
        velocity += gradient
        w -= rate * velocity
        gradient *= 0
        return w, velocity

    replace(own, in_place)
    assert "same path as momentum" in own._caption_text


@pytest.mark.parametrize("arguments", [
    {"surface": "moon"}, {"steps": 5}, {"steps": 2000}, {"show": ["Newton"]}, {"rates": {"Newton": 1.0}},
    {"rates": {"SGD": 0.0}}, {"momentum": 1.0},
    {"optimizers": {"mine": 3}}, {"optimizers": {"mine": lambda w: w}}, {"optimizers": {"Adam": plain}},
    {"optimizers": dict.fromkeys("abcd", plain)}])
def test_wrong_arguments(arguments):
    assert_refused(OptimizerRace, arguments)


def test_names_of_surfaces_and_roles_of_arguments():
    assert OptimizerRace(surface="rosenbrock", steps=10).surface.name == "Rosenbrock"
    assert read_rule("adam", adam_rule) == {"m": "memory", "v": "memory", "t": "count", "lr": "rate", "beta1": 0.9,
                                            "beta2": 0.999, "eps": 1e-8}
    assert read_rule("x", lambda w, gradient, state, gradient_at, momentum=0.5, alpha=0.3, *rest, **more: w) == {
        "state": "state", "gradient_at": "gradient_at", "momentum": "momentum"}


def test_a_racer_that_leaves_is_out():
    path, losses = race(lambda w, g: 10 * w, RACES["valley"], 30)
    assert np.abs(path).max() == FAR and np.isinf(losses[-1]) and out_at(losses) == 2
    assert out_at(np.array([1.0, 1e5, 2.0])) is None and out_at(np.array([0.0, 0.5])) is None
