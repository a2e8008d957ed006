"""The chapters of the course as data: what each promises, what it needs first, where its notebooks are."""

from dataclasses import dataclass
from pathlib import Path

PARTS = {"I": "one neuron", "II": "computing gradients", "III": "networks that learn", "IV": "seeing"}


def course_folder(around_nnlib):
    """The folder that holds notebooks/: around nnlib or, where that was installed by itself, around the notebook."""
    welcome = "notebooks/00_welcome.ipynb"
    if Path(around_nnlib, welcome).is_file():
        return around_nnlib
    return next((folder for folder in Path.cwd().parents if Path(folder, welcome).is_file()), around_nnlib)


ROOT = course_folder(Path(__file__).resolve().parents[2])


@dataclass(frozen=True)
class Chapter:
    """One chapter.

    number: two digits.   part: a key of PARTS.   needs: numbers of the chapters to work through first; what
    those need is not repeated.   minutes: to work through the notebook, without its exercises.
    """

    number: str
    title: str
    part: str
    promise: str
    needs: tuple
    minutes: int

    def __str__(self):
        return f"{self.number} {self.title}"

    def notebook(self, root=ROOT):
        """The path of the notebook, or None while the chapter is still to come."""
        return next(iter(sorted(Path(root, "notebooks").glob(f"{self.number}_*.ipynb"))), None)

    def exercises(self, root=ROOT):
        """The path of the learner's exercise notebook, or None where there is none."""
        folders = f"ex{self.number}_*"
        return next((path for path in sorted(Path(root, "exercises").glob(f"{folders}/{folders}.ipynb"))
                     if path.stem == path.parent.name), None)


CHAPTERS = {chapter.number: chapter for chapter in [
    Chapter("00", "Welcome", "I", "You know what is coming, and that everything works.", (), 60),
    Chapter("01", "Logistic regression", "I",
            "You train a single neuron on real data, with a gradient of your own.", ("00",), 90),
    Chapter("02", "From likelihood to loss", "I",
            "You say where each loss comes from, and choose the right one for an output.", ("01",), 120),
    Chapter("03", "Gradient descent", "I",
            "You choose a learning rate for a reason, and read from a trace what went wrong.", ("01",), 180),
    Chapter("04", "Three ways to get a gradient", "II",
            "You can check any gradient, and know three ways to compute one.", ("03",), 90),
    Chapter("05", "Computation graphs", "II",
            "You write an automatic differentiator of sixty lines, and know why it is fast.", ("04",), 135),
    Chapter("06", "Backpropagation", "II",
            "You derive, write and test the backward pass of a network with layers.", ("02", "05"), 150),
    Chapter("07", "Multilayer perceptrons", "III",
            "You solve XOR by hand, and let a network find for itself the features it needs.", ("06",), 150),
    Chapter("08", "Activations, initialization and gradient flow", "III",
            "You see why gradients vanish in deep networks, and make them flow.", ("07",), 105),
    Chapter("09", "Momentum and adaptive rates", "III",
            "You write the optimizers that everyone uses, and see what each is good for.", ("03", "08"), 120),
    Chapter("10", "Training in practice", "III",
            "You find the bug in a training script that does not learn.", ("09",), 95),
    Chapter("11", "Over-fitting and regularization", "III",
            "You tell over-fitting from under-fitting, and know a remedy for each.", ("10",), 150),
    Chapter("12", "Convolution", "IV",
            "You make one small window of weights look at a whole image.", ("07",), 150),
    Chapter("13", "Convolutional networks", "IV",
            "You build a network that reads handwritten digits, and draw one for it.", ("11", "12"), 130),
    Chapter("14", "What networks learn", "IV",
            "You look inside a trained network, and fool it.", ("13",), 100),
    Chapter("15", "Skip connections and recurrence", "IV",
            "You train networks that are very deep, or that remember.", ("08", "09"), 125),
    Chapter("16", "Attention and beyond", "IV",
            "You build the block that language models are made of.", ("15",), 120),
]}
