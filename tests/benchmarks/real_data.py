"""What the library reaches on real images: accuracy, and seconds beside PyTorch's for the same network.

    python tests/benchmarks/real_data.py

The digits that come with scikit-learn, three seeds; then, where the folder NNLIB_DATA holds MNIST's test files, six
passes over 8,000 of its images, tested on the other 2,000. PyTorch trains beside it where it is installed, on 2
threads: its network starts from the same weights, and the two take turns, a pass each. Fails where a goal is missed.
"""

import os
import sys
import time

import numpy as np

import nnlib
from nnlib import Adam, CosineAnnealingLR, DataError, evaluate, fit
from nnlib.datasets import load_digits, load_mnist, shift

try:
    import torch
except ImportError:
    torch = None

DIGITS_GOAL, MNIST_GOAL, PASSES, RATE = 0.98, 0.97, 6, 3e-3


def digits_network(nn):
    """For images of 1x8x8; `nn` is nnlib or torch.nn, whose layers have the same names and arguments."""
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 48, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(768, 96), nn.ReLU(), nn.Dropout(0.3),
                         nn.Linear(96, 10))


def mnist_network(nn):
    """For images of 1x28x28."""
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
                         nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 64), nn.ReLU(), nn.Linear(64, 10))


def digits_accuracy(seed, epochs=30):
    """Accuracy on a quarter of the digits, drawn from every class, after training on the others."""
    train, test = load_digits().split(test=0.25, seed=seed)
    nnlib.manual_seed(seed)
    model = digits_network(nnlib)
    optimizer = Adam(model.parameters(), lr=RATE)
    fit(model, (train.images, train.t), optimizer=optimizer, schedule=CosineAnnealingLR(optimizer, epochs),
        epochs=epochs, batch_size=32, augment=lambda X, rng: shift(X, 1, rng), progress=False)
    return evaluate(model, (test.images, test.t))[1]


class Ours:
    """Six passes over MNIST by nnlib, one at a time."""

    name = "nnlib"

    def __init__(self, train):
        self.train, self.model = train, mnist_network(nnlib)
        self.optimizer = Adam(self.model.parameters(), lr=RATE)
        self.schedule = CosineAnnealingLR(self.optimizer, PASSES)

    def one_pass(self):
        """One epoch of training."""
        fit(self.model, self.train, optimizer=self.optimizer, schedule=self.schedule, epochs=1, batch_size=64,
            progress=False)

    def accuracy(self, X, t):
        """The share of right answers."""
        return evaluate(self.model, (X, t))[1]


class Theirs:
    """The same by PyTorch, from the same weights."""

    name = "PyTorch"

    def __init__(self, train, state):
        torch.set_num_threads(2)
        self.X, self.t = (torch.from_numpy(array) for array in train)
        self.model = mnist_network(torch.nn)
        self.model.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=RATE)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, PASSES)

    def one_pass(self):
        """One epoch of training."""
        for rows in torch.randperm(len(self.X)).split(64):
            self.optimizer.zero_grad()
            torch.nn.functional.cross_entropy(self.model(self.X[rows]), self.t[rows]).backward()
            self.optimizer.step()
        self.schedule.step()

    def accuracy(self, X, t):
        """The share of right answers."""
        with torch.no_grad():
            return (self.model(torch.from_numpy(X)).argmax(1).numpy() == t).mean()


def mnist_runs(folder):
    """Lists of (name, accuracy, seconds of every pass), nnlib's first."""
    train, test = load_mnist(folder, "test").split(test=0.2, seed=0)
    images, tested = (data.images.astype(np.float32) for data in (train, test))
    nnlib.manual_seed(0)
    runs = [Ours((images, train.t))]
    if torch is not None:
        torch.manual_seed(0)
        runs.append(Theirs((images, train.t), runs[0].model.state_dict()))
    seconds = [[] for _ in runs]
    for _ in range(PASSES):
        for run, times in zip(runs, seconds):
            start = time.perf_counter()
            run.one_pass()
            times.append(time.perf_counter() - start)
    return [(run.name, run.accuracy(tested, test.t), times) for run, times in zip(runs, seconds)]


def main():
    """Print the table; returns 1 where a goal is missed."""
    start = time.perf_counter()
    reached = [digits_accuracy(seed) for seed in range(3)]
    mean, seconds = np.mean(reached), (time.perf_counter() - start) / 3
    print(f"digits: test accuracy {mean:.4f}, the mean of {', '.join(f'{a:.4f}' for a in reached)} "
          f"(goal {DIGITS_GOAL}); {seconds:.1f} s a run of 30 passes")
    missed = mean < DIGITS_GOAL
    folder = os.environ.get("NNLIB_DATA")
    if not folder:
        print("MNIST: left out; set NNLIB_DATA to a folder with its two test files")
        return int(missed)
    runs = mnist_runs(folder)
    print(f"MNIST, {PASSES} passes over 8,000 images, tested on 2,000 (goal {MNIST_GOAL})")
    for name, accuracy, times in runs:
        print(f"  {name:<8} accuracy {accuracy:.4f}   seconds a pass: median {np.median(times):.2f} "
              f"({min(times):.2f} to {max(times):.2f})")
    return int(missed or runs[0][1] < MNIST_GOAL)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DataError as error:
        sys.exit(f"MNIST: {error}")
