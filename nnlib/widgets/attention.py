"""AttentionExplorer: each word asks all others, and takes from them in proportion to how well they answer."""

import inspect
import zlib
from dataclasses import dataclass

import ipywidgets
import numpy as np
from matplotlib import font_manager
from matplotlib.collections import LineCollection
from matplotlib.ft2font import FT2Font
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from nnlib import ops, plots
from nnlib.attention import causal_mask
from nnlib.widgets.base import (
    Explorer,
    LearnerError,
    checkbox,
    choice,
    data_of,
    learners,
    learners_array,
    log_slider,
    slider,
)
from nnlib.widgets.images import APART, let_reach, short

FEATURES = "living", "thing", "action", "link"  # of a word's meaning; a link describes, or says where
MEANING, FREQUENCIES = len(FEATURES), (2.0, 0.6)  # the latter in radians from one position to the next
SIZE = MEANING + 2 * len(FREQUENCIES)
LOUD = 3.0  # how strongly a word asks for a position
FEWEST, MOST, LONGEST, NUMBERS = 2, 8, 12, 6  # words, letters of a word, rows up to which the matrix has numbers
COLDEST, HOTTEST = 0.1, 10.0
# Of the row written out, in the axes' own units: where keys and values begin, and how wide a number in them is.
KEYS_AT, KEY, VALUES_AT, VALUE, BAR_AT, BAR = 1.65, 0.27, 7.7, 0.56, 5.6, 1.35
HEADS, STAGES, OWN = (1, 2, 4), ("scores", "scaled", "masked", "weights"), "yours"
SENTENCES = {"cat and mat": "the cat sat on the mat", "big dog": "the big dog chased a small red ball",
             "dog bites man": "dog bites man", "man bites dog": "man bites dog"}
WORDS = {**dict.fromkeys(("man", "woman", "child"), (1, 0, 0, 0)), "fish": (0.6, 0.6, 0, 0),
         **dict.fromkeys(("cat", "dog", "bird"), (0.8, 0, 0, 0)),
         **dict.fromkeys(("mat", "ball", "tree", "book"), (0, 1, 0, 0)),
         **dict.fromkeys(("sat", "bites", "chased", "saw", "reads", "sleeps"), (0, 0, 1, 0)),
         **dict.fromkeys(("on", "under", "big", "small", "red", "old"), (0, 0, 0, 1)),
         **dict.fromkeys(("the", "a", "and"), (0, 0, 0, 0))}
# What a word with each of FEATURES asks for: a column for each, a row for each feature that is asked for.
ASKS = np.array([[0, 0, 4, 2], [0, 0, 2, 4], [4, 2, 0, 0], [2, 4, 0, 0]], dtype=float)


@dataclass(frozen=True)
class WeightGoal:
    """A row that puts so much of its weight on one token.

    on: the number of that token; None: any.   temperature: the lowest at which it counts; None: any.
    """

    row: int = 3
    weight: float = 0.9
    on: int | None = None
    temperature: float | None = None

    def __str__(self):
        where = "one token" if self.on is None else f"token {self.on}"
        warm = "" if self.temperature is None else f", at a temperature of {self.temperature:g} or more"
        return f"make row {self.row} put {self.weight:g} of its weight on {where}{warm}"

    def judge(self, weights, allowed, temperature):
        """Whether it is reached, and in words how far it is.

        Args: weights: (rows, tokens).   allowed: to how many tokens each row may attend, (rows,).
        """
        if self.row >= len(weights) or (self.on or 0) >= len(weights):
            return False, f"There are only {len(weights)} tokens."
        if allowed[self.row] < 3:
            return False, f"Row {self.row} may attend to {allowed[self.row]}: it counts from three tokens on."
        row = weights[self.row]
        at = int(np.argmax(row)) if self.on is None else self.on
        words = f"Row {self.row} puts {row[at]:.3f} on token {at}."
        if self.temperature is not None and temperature < self.temperature * (1 - 1e-6):
            return False, f"{words} The temperature is {temperature:.3g}."
        return bool(row[at] >= self.weight), words


GOAL = WeightGoal()


@dataclass(frozen=True)
class Steps:
    """The steps of an attention: arrays (queries, keys), and the output (queries, values)."""

    scores: np.ndarray
    scaled: np.ndarray
    masked: np.ndarray
    weights: np.ndarray
    output: np.ndarray


def read_words(text):
    """The words of a text, as they are shown: FEWEST to MOST, each of at most LONGEST letters; else LearnerError."""
    known = _letters()
    words = ["".join(c if ord(c) in known else "?" for c in word) for word in str(text).split()]
    if not FEWEST <= len(words) <= MOST:
        raise LearnerError(f"expected {FEWEST} to {MOST} words with spaces between but got {len(words)}; try "
                           f"“{SENTENCES['cat and mat']}”")
    if longest := next((word for word in words if len(word) > LONGEST), None):
        raise LearnerError(f"the word “{longest[:LONGEST]}…” is too long: {LONGEST} letters at most")
    return words


def _letters():
    return FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap()


def features_of(words, positions=True):
    """The features of tokens, (tokens, SIZE): four of meaning, then a sine and cosine of the position for each of
    FREQUENCIES, or zeros without positions.

    A word that is not in WORDS has features drawn from its letters, the same every time.
    """
    X = np.zeros((len(words), SIZE))
    for x, word in zip(X, words):
        key = word.lower().strip(".,;:!?")
        if key in WORDS:
            x[:MEANING] = WORDS[key]
        else:
            drawn = np.random.default_rng(zlib.crc32(key.encode())).uniform(size=MEANING)
            x[:MEANING] = drawn / np.linalg.norm(drawn)
    if positions:
        angles = np.arange(len(words))[:, None] * FREQUENCIES
        X[:, MEANING::2], X[:, MEANING + 1::2] = np.sin(angles), np.cos(angles)
    return X


def projections(X):
    """Queries, keys (tokens, SIZE) and values (tokens, MEANING) of tokens with features X.

    A key is what a token is, its features. A query is what it asks for: features by ASKS, and the position before
    its own, LOUD times. A value is the meaning.
    """
    W = np.zeros((SIZE, SIZE))
    W[:MEANING, :MEANING] = ASKS
    for k, frequency in enumerate(FREQUENCIES):  # sin and cos of one position before
        at, s, c = MEANING + 2 * k, np.sin(frequency), np.cos(frequency)
        W[at:at + 2, at:at + 2] = LOUD * np.array([[c, -s], [s, c]])
    return X @ W.T, X.copy(), X[:, :MEANING].copy()


def attend(Q, K, V, mask=None, temperature=1.0, scaled=True):
    """Attention step by step, as `Steps`: softmax(Q K^T / (sqrt(d) T)) V.

    Args: Q: (queries, d).   K: (keys, d).   V: (keys, v).   mask: booleans (queries, keys), True where a query may
        attend.   scaled: whether the scores are divided by sqrt(d).
    """
    scores = Q @ K.T
    divided = scores / ((np.sqrt(Q.shape[1]) if scaled else 1) * temperature)
    masked = divided if mask is None else np.where(mask, divided, -np.inf)
    weights = ops.softmax(masked)
    return Steps(scores, divided, masked, weights, weights @ V)


def learners_attention(function):
    """A learner's attention as a function (Q, K, V, mask) -> (output, weights), checked.

    It is called with Q, K (n, d), V (n, v) and, under the name `mask` or as the fourth argument, booleans (n, n), True
    where a query may attend, or None; under the name `causal` with True or False. What it takes with a batch axis only,
    it is given with one. It returns the output, or (output, weights).
    """
    if not callable(function):
        raise ValueError(f"AttentionExplorer: expected attention to be a function but got {type(function).__name__}")
    parameters = inspect.signature(function).parameters
    named = "mask" if "mask" in parameters else "causal" if "causal" in parameters else None
    fourth = len(parameters) > 3 or any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    guarded = learners(lambda arrays, options: function(*arrays, **options), "attention")

    def ask(Q, K, V, mask):
        if mask is not None and not (named or fourth):
            raise LearnerError("attention has no argument `mask`: add it, or leave the mask off")
        options = {"mask": mask} if named == "mask" else {"causal": mask is not None} if named else {}
        arrays = [Q.copy(), K.copy(), V.copy(), *([mask] if fourth and not named else [])]
        shapes = (len(Q), V.shape[1]), (len(Q), len(K))
        try:
            return _answers(guarded(arrays, options), *shapes)
        except LearnerError as error:
            batch = [a if a is None else a[None] for a in arrays[:3]]
            try:
                return _answers(guarded([*batch, *arrays[3:]], options), *shapes)
            except LearnerError:
                raise error from None

    def run(Q, K, V, mask=None):
        output, weights = ask(Q, K, V, mask)
        return output, ask(Q, K, np.eye(len(K)), mask)[0] if weights is None else weights
    return run


def _answers(result, shape, square):
    """What a learner's attention returned, as (output, weights or None)."""
    parts = result if isinstance(result, tuple) else (result,)
    if len(parts) not in (1, 2):
        raise LearnerError(f"attention: expected the output, or (output, weights), but got {len(parts)} values")
    arrays = []
    for part, wanted, name in zip(parts, (shape, square), ("output", "weights")):
        value = data_of(part)
        got = np.shape(value)
        if got == (1, *wanted):
            value, got = np.reshape(value, wanted), wanted
        hint = {square: "; these are the weights: multiply them by V", shape[::-1]: "; it is transposed",
                (shape[1],): "; one row for each query"}.get(got) if name == "output" and got != wanted else None
        if hint:
            raise LearnerError(f"attention: expected an output of shape {wanted} but got {got}{hint}")
        if getattr(value, "dtype", None) in (np.float32, np.float64) and np.isnan(value).any():
            raise LearnerError("attention: nan came out: a row with nothing but −infinity has no softmax; is the mask "
                               "the wrong way round? True means: may attend")
        arrays.append(learners_array(value, wanted, "attention" if name == "output" else "attention's weights"))
    return arrays[0], arrays[1] if len(arrays) == 2 else None


def attention_fault(attention, masked=True):
    """What is wrong with a learner's checked attention, as a sentence; empty if nothing is.

    masked: whether it is tried with a mask, too.
    """
    rng = np.random.default_rng(5)
    Q, K, V = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    for mask in (None, causal_mask(5))[:1 + masked]:
        got, weights = attention(Q, K, V, mask)
        right = attend(Q, K, V, mask)
        if np.allclose(got, right.output, atol=1e-5) and np.allclose(weights, right.weights, atol=1e-5):
            continue
        for wanted, words in _slips(Q, K, V, mask, right):
            if np.allclose(got, wanted @ V, atol=1e-5):
                return f"Your attention: {words}."
        if np.allclose(got, right.output, atol=1e-5):
            return "Your attention: its output is right, but the weights that it returns are others."
        row, column = np.unravel_index(np.abs(got - right.output).argmax(), got.shape)
        how = "" if mask is None else "right without a mask, but with a causal mask "
        return (f"Your attention: {how}on random numbers the output of query {row} comes out as {got[row, column]:.4f} "
                f"where it is {right.output[row, column]:.4f}.")
    return ""


def _slips(Q, K, V, mask, right):
    """Pairs (weights, words) of what often goes wrong."""
    d, allowed = Q.shape[1], np.ones((len(Q), len(K)), bool) if mask is None else mask
    scaled = right.scaled

    def soft(scores, mask=allowed, axis=-1):
        scores = np.where(mask, scores, -1e9)
        e = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    every = np.ones_like(allowed)
    slips = [(soft(right.scores), "the scores are not divided by √d"),
             (soft(right.scores / d), "the scores are divided by d; it is √d"),
             (soft(right.scores * np.sqrt(d)), "the scores are multiplied by √d; divide"),
             (soft(scaled, axis=0), "the softmax runs over the queries; it is over the keys, axis=-1"),
             (soft(scaled.T), "queries and keys are exchanged; the scores are Q K^T"),
             (soft(-scaled), "the sign of the scores is wrong"),
             (np.exp(np.where(allowed, scaled, -1e9)), "the division by the sum is missing: a row sums to 1"),
             (np.where(allowed, scaled, 0), "the softmax is missing")]
    if mask is not None:
        others = ~mask | ~mask.any(axis=1, keepdims=True)
        slips = [(soft(scaled, every), "the mask changes nothing"),
                 (soft(scaled, others), "the mask is the wrong way round; True means: may attend"),
                 (soft(scaled, ~mask), "the mask is the wrong way round; True means: may attend"),
                 (soft(scaled, every) * mask, "the mask comes after the softmax, and the rows no longer sum to 1"),
                 (soft(np.where(mask, scaled, 0), every), "masked scores are set to 0, and e^0 is 1; set them to "
                  "−infinity"), (soft(scaled, mask.T), "the mask is transposed: row i may see the columns up to i"),
                 (soft(scaled, np.tri(len(Q), k=-1, dtype=bool)), "a query may attend to itself, too"), *slips]
    return slips


def text_line(label, value, tooltip):
    """A line to type in, which counts when Enter is pressed or the line is left."""
    return ipywidgets.Text(value, description=label, tooltip=tooltip, continuous_update=False,
                           layout={"width": "430px", "max_width": "100%"}, style={"description_width": "90px"})


class AttentionExplorer(Explorer):
    """Choose words, a query row and the steps of attention; see all weights, and one row written out.

    Heads cut queries and keys only: all share the values here, so that every answer can be read. A network's heads have
    values of their own.

    Args:
        tokens: a text of 2 to 8 words. The words of WORDS have a meaning; others get features from their letters.
        row: the query row written out first.   heads: 1, 2 or 4; the head shown is chosen by a slider.
        causal, positions: whether the mask and the positions are on at first.
        attention: your own; see `learners_attention` for what it is given. What is shown then is its work; the
            temperature, and √d where the scale is off, are in the Q that it gets.
        goal: a `WeightGoal`, or None.
    Raises ValueError for other numbers of heads, and for a row that is none.
    Source: deck D; Vaswani et al. (2017).
    """

    _lead = "Not shown:"

    def __init__(self, tokens="the cat sat on the mat", *, row=3, heads=1, causal=False, positions=False,
                 attention=None, goal=GOAL):
        try:
            words = read_words(tokens)
        except LearnerError as error:
            raise ValueError(f"AttentionExplorer: {error}") from None
        if heads not in HEADS or row not in range(len(words)):
            raise ValueError(f"AttentionExplorer: expected 1, 2 or 4 heads and a row from 0 to {len(words) - 1} but "
                             f"got {heads!r} and {row!r}")
        self.own = None if attention is None else learners_attention(attention)
        self.goal, self.words, self._frame, self._fault = goal, words, None, {}
        self._make_controls(" ".join(words), len(words), int(row), heads, causal, positions)
        figure = self._draw()
        self.assemble(figure, [[self.sentence, self.text], [self.row, self.temperature],
                               [self.heads, self.head], [self.scale, self.causal, self.positions], [self.stage]],
                      self._artists, goal=str(goal) if goal else None)

    def _make_controls(self, text, count, row, heads, causal, positions):
        known = next((name for name, words in SENTENCES.items() if words == text), OWN)
        self.sentence = choice("sentence", [*SENTENCES, OWN], known, tooltip="the tokens; or type your own beside")
        self.text = text_line("your words", text, f"{FEWEST} to {MOST} words with spaces between; then Enter")
        self.row = slider("query row", 0, count - 1, row, unit="token", tooltip="the token that asks, whose row is "
                                                                                 "written out")
        self.temperature = log_slider("temperature", COLDEST, HOTTEST, 1.0, unit="T",
                                      tooltip="divides the scores: below 1 the weights become sharper, above 1 flatter")
        self.heads = choice("heads", {str(n): n for n in HEADS}, heads,
                            tooltip="into how many parts queries and keys are cut, each with weights of its own; "
                                    "all share the values here")
        self.head = slider("head shown", 0, max(1, heads - 1), 0, unit="number", tooltip="which of the heads is shown")
        self.scale = checkbox("divide by √d", True, "divide the scores by the root of the size of a key")
        self.causal = checkbox("causal mask", bool(causal), "a token may attend to itself and to those before it only")
        self.positions = checkbox("positions", bool(positions), "give tokens sines and cosines of their position")
        self.stage = choice("matrix shows", list(STAGES), "weights", tooltip="which step of the calculation is drawn "
                                                                             "for all rows")
        for control in (self.sentence, self.heads, self.stage):
            control.layout.margin = APART

    # Controls that move one another

    def _changed(self, change):
        owner = change["owner"]
        with self.setting_controls():
            if owner is self.sentence and self.sentence.value in SENTENCES:
                self.text.value = SENTENCES[self.sentence.value]
            elif owner is self.text:
                self.sentence.value = next((name for name, words in SENTENCES.items()
                                            if words == " ".join(self.text.value.split())), OWN)
        super()._changed(change)

    # The picture

    def _draw(self):
        figure, (self.matrix_ax, ax) = plots.subplots(1, 2, width=10.4, height=5.0,
                                                      gridspec_kw={"width_ratios": (1, 1.55)})
        self.matrix_ax.grid(False)
        self.matrix_ax.set_anchor("N")
        self.matrix_ax.tick_params(length=0)
        self.matrix_ax.spines[:].set_visible(False)
        self.matrix_ax.xaxis.tick_top()
        self.matrix_ax.patch.set(hatch="////", edgecolor=plots.GRAY)
        shades = plots.DIVERGING.with_extremes(bad=(1, 1, 1, 0))
        self.matrix = self.matrix_ax.imshow(np.zeros((2, 2)), cmap=shades, vmin=-1, vmax=1, interpolation="nearest")
        self.cells = [self.matrix_ax.text(0, 0, "", ha="center", va="center", fontsize=9.5)
                      for _ in range(NUMBERS ** 2)]
        self.frame = self.matrix_ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=plots.VERMILION,
                                                        linewidth=2.5, clip_on=False, path_effects=[
                                                            withStroke(linewidth=4.5, foreground="white")]))
        self.matrix_ax.set_xlabel("keys: who is asked")
        self.matrix_ax.set_ylabel("queries: who asks")
        self.matrix_ax.xaxis.set_label_position("bottom")
        self._set_tokens([f"0 {'n' * LONGEST}"] * MOST)  # for the layout
        self._draw_table(ax)
        self._artists = [self.matrix, *self.cells, self.frame, *self.heats.values(), *self.bars, *self.tokens,
                         *self.scores, *self.divided, *self.shares, *self.answers, self.asks, self.title,
                         self.sum_text, self.keys_text, self.lines, *self.key_names, self.divisor]
        return figure

    def _draw_table(self, ax):
        self.table_ax = ax
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        ax.spines[:].set_visible(False)
        line = {"aspect": "auto", "cmap": plots.DIVERGING, "interpolation": "nearest"}
        self.heats = {name: ax.imshow(np.zeros((1, 1)), **line) for name in ("query", "keys", "values", "answer")}
        ax.set(xlim=(0, 10), ylim=(MOST + 1.4, -3.2))
        self.lines = ax.add_collection(LineCollection([], colors=plots.GRAY, linewidths=0.6))
        self.bars = ax.barh(np.arange(MOST), 0, height=0.62, left=BAR_AT, color=plots.POSITIVE, edgecolor=plots.INK,
                            linewidth=0.8).patches
        middle = {"ha": "center", "va": "center", "fontsize": 9.5}
        self.tokens = [ax.text(1.5, k, "", ha="right", va="center", fontsize=10, parse_math=False)
                       for k in range(MOST)]
        self.scores = [ax.text(4.28, k, "", **middle) for k in range(MOST)]
        self.divided = [ax.text(5.12, k, "", **middle) for k in range(MOST)]
        self.shares = [ax.text(0, k, "", ha="left", va="center", fontsize=10) for k in range(MOST)]
        self.answers = [ax.text(VALUES_AT + VALUE * (k + 0.5), 0, "", ha="center", va="center", fontsize=8.5)
                        for k in range(MEANING)]
        self.asks = ax.text(1.5, -1, "", ha="right", va="center", fontsize=10, fontweight="bold")
        self.sum_text = ax.text(VALUES_AT - 0.1, 0, "sum of weight × value", ha="right", va="center", fontsize=10,
                                fontweight="bold")
        upright = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 9}
        self.key_names = [ax.text(KEYS_AT + KEY * (k + 0.5), -1.55, "", **upright) for k in range(SIZE)]
        for k, name in enumerate(FEATURES):
            ax.text(VALUES_AT + VALUE * (k + 0.5), -0.6, name, **upright)
        for x, text in ((4.28, "q · k"), (BAR_AT + BAR / 2, "weight")):
            ax.text(x, -0.6, text, ha="center", va="bottom", fontsize=10)
        ax.text(VALUES_AT + VALUE * MEANING / 2, -2.3, "values", ha="center", va="bottom", fontsize=10,
                fontweight="bold")
        self.keys_text = ax.text(KEYS_AT, 0, "keys", ha="left", va="center", fontsize=10, fontweight="bold")
        self.divisor = ax.text(5.12, -0.6, "", ha="center", va="bottom", fontsize=10, linespacing=1.1)
        self.title = ax.set_title("row 0", pad=12)
        self.title.set_parse_math(False)

    def _set_tokens(self, labels):
        """Names on the axes of the matrix, which is as large as there are tokens."""
        n, ax = len(labels), self.matrix_ax
        self.matrix.set_extent((-0.5, n - 0.5, n - 0.5, -0.5))
        ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
        for axis, rotation in ((ax.xaxis, 60), (ax.yaxis, 0)):
            axis.set_ticks(range(n))
            axis.set_ticklabels(labels, fontsize=9.5, rotation=rotation, parse_math=False)
        for label in ax.get_xticklabels():
            label.set(ha="left", rotation_mode="anchor")

    def update(self):
        """Compute the attention of the head shown, and draw all of it and the row chosen."""
        self.words = read_words(self.text.value)
        n = len(self.words)
        with self.setting_controls():
            let_reach(self.row, n)
            let_reach(self.head, self.heads.value)
        size = SIZE // self.heads.value
        self.part = slice(self.head.value * size, (self.head.value + 1) * size)
        Q, K, V = projections(features_of(self.words, self.positions.value))
        self.Q, self.K, self.V = Q[:, self.part], K[:, self.part], V
        self.mask = causal_mask(n) if self.causal.value else None
        self.steps = attend(self.Q, self.K, V, self.mask, self.temperature.value, self.scale.value)
        self.weights, self.output = self.steps.weights, self.steps.output
        self.fault = ""
        if self.own is not None:
            self._lead = "Your attention stopped:"
            factor = (1 if self.scale.value else np.sqrt(size)) / self.temperature.value
            self.output, self.weights = self.own(factor * self.Q, self.K, V, self.mask)
            masked = self.mask is not None
            if masked not in self._fault:
                self._fault[masked] = attention_fault(self.own, masked)
            self.fault = self._fault[masked]
            self._lead = type(self)._lead
        self._draw_matrix(n)
        self._draw_row(n, size)
        self._tell(size)

    def _draw_matrix(self, n):
        if self._frame != self.words:
            self._frame = list(self.words)
            self._set_tokens([f"{k} {word}" for k, word in enumerate(self.words)])
            self.table_ax.set_ylim(max(n, 5) + 1.4, -3.2)
            self.background_changed()
        stage = self.stage.value
        values = self.weights if stage == "weights" else getattr(self.steps, stage)
        shown = np.where(np.isfinite(values), values, np.nan)
        if stage == "weights" and self.mask is not None:
            shown = np.where(self.mask | (np.abs(values) > 1e-9), shown, np.nan)
        limit = 1.0 if stage == "weights" else max(float(np.nanmax(np.abs(shown))), 1e-9)
        self.matrix.set(data=np.ma.masked_invalid(shown), clim=(-limit, limit))
        grounds = self.matrix.to_rgba(np.nan_to_num(shown))
        for i, text in enumerate(self.cells):
            row, column = divmod(i, n)
            there = n <= NUMBERS and i < n * n and np.isfinite(shown[row, column])
            text.set_visible(there)
            if there:
                value = shown[row, column]
                text.set(position=(column, row), color=plots.text_on(grounds[row, column]),
                         text=f"{value:.2f}" if stage == "weights" else short(value))
        self.frame.set(xy=(-0.5, self.row.value - 0.5), width=n, height=1)

    def _draw_row(self, n, size):
        row, T = self.row.value, self.temperature.value
        limits = (max(float(np.abs(array).max()), 1e-9) for array in (self.Q, self.K))
        keys, values = (KEYS_AT, KEYS_AT + KEY * size), (VALUES_AT, VALUES_AT + VALUE * MEANING)
        drawn = {"query": (self.Q[row][None], next(limits), (*keys, -0.6, -1.4)),
                 "keys": (self.K, next(limits), (*keys, n - 0.5, -0.5)),
                 "values": (self.V, 1.0, (*values, n - 0.5, -0.5)),
                 "answer": (self.output[row][None], 1.0, (*values, n + 1.0, n + 0.2))}
        segments = []
        for name, (array, top, (left, right, bottom, upper)) in drawn.items():
            self.heats[name].set(data=array, extent=(left, right, bottom, upper), clim=(-top, top))
            segments += [[(left, y), (right, y)] for y in np.linspace(upper, bottom, len(array) + 1)]
            segments += [[(x, upper), (x, bottom)] for x in np.linspace(left, right, array.shape[1] + 1)]
        self.lines.set_segments(segments)
        scale = BAR / max(1.0, float(np.abs(self.weights[row]).max()))
        for k in range(MOST):
            for artist in (self.tokens[k], self.scores[k], self.divided[k], self.shares[k], self.bars[k]):
                artist.set_visible(k < n)
            if k < n:
                self._draw_token(k, row, scale)
        for k, text in enumerate(self.answers):
            value = self.output[row, k]
            text.set(y=n + 0.6, text=short(value), color=plots.text_on(self.heats["answer"].to_rgba(value)))
        for text, name in zip(self.key_names, [*self._names()[self.part], *[""] * SIZE]):
            text.set_text(name)
        self.asks.set_text(f"query of {row}")
        self.sum_text.set_y(n + 0.6)
        self.keys_text.set_y(n)
        divisors = [f"/ √{size}"] * self.scale.value + [f"/ {T:.2g}"] * (T != 1)
        self.divisor.set_text("\n".join(divisors) or "as it is")
        heads = f", head {self.head.value} of {self.heads.value}" if self.heads.value > 1 else ""
        self.title.set_text(f"row {row}, “{self.words[row]}”{heads}")

    def _draw_token(self, k, row, scale):
        weight = self.weights[row, k]
        self.tokens[k].set_text(f"{k} {self.words[k]}")
        self.scores[k].set_text(short(self.steps.scores[row, k]))
        divided = self.steps.scaled[row, k]
        self.divided[k].set_text(f"{divided:.{1 if abs(divided) >= 10 else 2}f}".replace("-", "−")
                                 if self.mask is None or self.mask[row, k] else "−∞")
        self.bars[k].set_width(scale * weight)
        self.shares[k].set(x=BAR_AT + 0.08 + scale * max(weight, 0), text=f"{weight:.2f}".replace("-", "−"))

    @staticmethod
    def _names():
        """The names of all features."""
        return [*FEATURES, *(f"{wave} {f:g}p" for f in FREQUENCIES for wave in ("sin", "cos"))]

    def _asked(self, size):
        """Which features this head compares, in words."""
        first, last = self.part.start, self.part.stop
        meaning = [name for k, name in enumerate(FEATURES) if first <= k < last]
        return " and ".join(filter(None, [", ".join(meaning), "position" if last > MEANING and (
            self.positions.value or not meaning) else ""]))

    def _worked(self, row, T, size):
        """From the query to the largest weight of a row, as a sentence."""
        asker, count, weights = f"Token {row}, “{self.words[row]}”,", self._allowed()[row], self.weights[row]
        at = int(np.argmax(weights))
        may = np.isfinite(self.steps.masked[row])
        if count == 1:
            return f"{asker} may attend to itself only: its weight is {weights[at]:.3f}, whatever the score."
        if np.ptp(self.steps.scaled[row][may]) < 1e-9:
            return (f"{asker} has the same score for each of the {count} tokens that it may attend to, and gives each "
                    f"of them {weights[at]:.3f} of its weight.")
        products = " + ".join(f"{short(q)}·{short(k)}" for q, k in zip(self.Q[row], self.K[at]) if abs(q * k) > 1e-9)
        divisors = " · ".join(filter(None, [f"√{size}" if self.scale.value else "", f"{T:.2g}" if T != 1 else ""]))
        divided = f"; divided by {divisors} it is {self.steps.scaled[row, at]:.2f}" if divisors else ""
        return (f"{asker} attends most to token {at}, “{self.words[at]}”: q · k = {products or '0'} = "
                f"{short(self.steps.scores[row, at])}{divided}, and the softmax over {count} tokens makes the weight "
                f"{weights[at]:.3f}.")

    def _tell(self, size):
        row, T = self.row.value, self.temperature.value
        parts = [self._worked(row, T, size)]
        answer = ", ".join(f"{v:.2f} {name}" for name, v in zip(FEATURES, self.output[row]) if abs(v) > 5e-3)
        parts.append(f"Its answer: {answer or 'nothing'}. This head compares {self._asked(size)}.")
        if self.heads.value > 1:
            parts.append("All heads share the values here; in a network each has its own.")
        if not self.positions.value and self.part.start >= MEANING:
            parts.append("Positions are off, so it knows nothing, and all tokens weigh the same.")
        elif not np.abs(self.Q[row]).max():
            parts.append("This word asks for nothing here: its query is 0.")
        if self.own is not None:
            parts.append(self.fault or "Your attention gives the same numbers as nnlib's.")
        self.say(" ".join(parts).replace(" -", " −"))
        if self.goal:
            reached, words = self.goal.judge(self.weights, self._allowed(), T)
            self.report_goal(reached and not self.fault, words)

    def _allowed(self):
        n = len(self.words)
        return np.full(n, n) if self.mask is None else self.mask.sum(axis=1)

    def describe(self):
        """Alternative text: tokens, the stage shown, the row's scores and weights, and its answer."""
        row, stage = self.row.value, self.stage.value
        scores = ", ".join(f"{word} {'masked' if not np.isfinite(m) else f'{s:.2f}'} to {w:.2f}" for word, s, m, w in
                           zip(self.words, self.steps.scaled[row], self.steps.masked[row], self.weights[row]))
        answer = ", ".join(f"{name} {value:.2f}" for name, value in zip(FEATURES, self.output[row]))
        what = [f"temperature {self.temperature.value:.3g}", "scaled" if self.scale.value else "not scaled",
                "causal mask" if self.causal.value else "no mask",
                "positions" if self.positions.value else "no positions",
                f"head {self.head.value} of {self.heads.value}"]
        return (f"A matrix of the {stage} of {len(self.words)} tokens, “{' '.join(self.words)}”, row {row} framed "
                f"({', '.join(what)}). Beside it that row written out, from score to weight: {scores}. The sum of "
                f"weight times value is {answer}.{' ' + self.fault if self.fault else ''}")
