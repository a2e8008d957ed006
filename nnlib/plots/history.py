"""The history of neural networks on one page."""

from nnlib.plots.base import FAINT, GRAY, GREEN, INK, VERMILION

# Sources: lecture decks A, C and E; the papers are listed in notebook 00.
EVENTS = (
    (1943, "McCulloch and Pitts: a neuron as a unit of logic", "idea"),
    (1958, "Rosenblatt: the perceptron learns its weights from examples", "idea"),
    (1969, "Minsky and Papert: one layer cannot compute XOR", "doubt"),
    (1974, "Werbos: the chain rule run backward, at first little noticed", "idea"),
    (1986, "Rumelhart, Hinton and Williams: backpropagation becomes known", "idea"),
    (1989, "LeCun and others: a convolutional network reads zip codes", "idea"),
    (1995, "Cortes and Vapnik: support vector machines, soon preferred", "doubt"),
    (1998, "LeCun, Bottou, Bengio and Haffner: convolutional networks read digits", "idea"),
    (2006, "Hinton, Osindero and Teh: deep networks, pre-trained layer by layer", "idea"),
    (2009, "ImageNet: millions of labeled photographs", "data"),
    (2012, "AlexNet: a deep convolutional network wins on ImageNet", "idea"),
    (2017, "Vaswani and others: the Transformer, attention without recurrence", "idea"))
ERAS = ((1969, 1982, "the quiet\nyears"), (1992, 2006, "the SVM\nyears"))
KINDS = {"idea": ("o", GREEN, "a step forward"), "data": ("s", INK, "data"),
         "doubt": ("X", VERMILION, "a reason to doubt")}


def timeline(ax, events=EVENTS, eras=ERAS):
    """A vertical time axis, the earliest year on top, with a mark and a line of text for every event.

    Args: events: (year, text, kind), kind a key of KINDS.   eras: (first year, last year, text), shaded.
    """
    for first, last, text in eras:
        ax.axhspan(first, last, xmax=0.13, color=FAINT, linewidth=0)
        ax.text(0.065, (first + last) / 2, text, ha="center", va="center", size=9.5, color=INK)
    ax.plot([0.13, 0.13], [1940, 2020], color=GRAY, linewidth=1.5)
    for kind, (marker, color, label) in KINDS.items():
        years = [year for year, _, k in events if k == kind]
        ax.plot([0.13] * len(years), years, marker, color=color, label=label, markersize=9,
                markeredgecolor="white", linestyle="none")
    for year, text, _ in events:
        ax.text(0.155, year, f"{year}  {text}", va="center", size=10)
    ax.set(xlim=(0, 1), ylim=(2020, 1940), ylabel="year", yticks=range(1940, 2021, 10))
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.grid(False)
    ax.legend(loc="upper right")
    return ax
