"""ex12, convolution: the questions of solutions/ex12_convolution and how answers are tried."""

import itertools
import math

import numpy as np

from nnlib.grading import Case, Exercise, Misconception

NAME = "ex12_convolution"
DECK_D = np.array([[1.0, 1, 2, 5], [5, 7, 7, 8], [3, 1, 1, 0], [1, 2, 3, 4]])[None, None]  # the pooling example


def each(answer, *tries):
    """What an answer gives for several tuples of arguments."""
    return [answer(*args) for args in tries]


# Counting parameters.

def conv_parameters(in_channels, out_channels, kernel_size, bias=True):
    return out_channels * (in_channels * kernel_size ** 2 + bias)


def parameters_of_arrays(in_channels, out_channels, kernel_size, bias=True):
    arrays = [np.zeros((out_channels, in_channels, kernel_size, kernel_size))] + bias * [np.zeros(out_channels)]
    return sum(array.size for array in arrays)


def parameters_one_by_one(in_channels, out_channels, kernel_size, bias=True):
    return float(sum(sum(kernel_size * kernel_size for _ in range(in_channels)) + (1 if bias else 0)
                     for _ in range(out_channels)))


def sizes_of_layers(count, **options):
    """make(rng): arguments of several layers; kernels of 2 to 7, so that no two slips agree."""
    def make(rng):
        return tuple((int(rng.integers(2, 12)), int(rng.integers(13, 40)), int(rng.integers(2, 8)), *options.values())
                     for _ in range(count))
    return make


CONV_PARAMETERS = Exercise(
    "conv_parameters", 1, conv_parameters,
    forbidden=("nnlib.Conv2d", "nnlib.architecture.count_parameters", "nnlib.architecture.layer_table",
               "nnlib.architecture.Conv"),
    cases=[
        Case("deck D's layer, which you can verify by hand", lambda rng: (3, 16, 3),
             hint="Sixteen filters, each a stack of three 3x3 kernels, and a bias for each filter."),
        Case("four layers", sizes_of_layers(4), call=each,
             hint="The weight has shape (out_channels, in_channels, kernel_size, kernel_size), the bias "
                  "(out_channels,)."),
        Case("layers without a bias", sizes_of_layers(3, bias=False), call=each,
             hint="With bias=False the weights alone are learned."),
    ],
    misconceptions=[
        Misconception("forgets the channels", lambda i, o, k, bias=True: o * (k * k + bias),
                      "You count one kernel in each filter. A filter looks at all channels, with a kernel of its own "
                      "for each: a stack of in_channels kernels."),
        Misconception("forgets the biases", lambda i, o, k, bias=True: o * i * k * k,
                      "The weights are all there, the biases are not: one number for each filter."),
        Misconception("biases in any case", lambda i, o, k, bias=True: o * (i * k * k + 1),
                      "You count biases even where `bias` is False."),
        Misconception("a bias for each kernel", lambda i, o, k, bias=True: o * i * (k * k + bias),
                      "You give every kernel a bias. The kernels of a stack are added to one number, which needs one "
                      "bias: out_channels of them, not in_channels * out_channels."),
        Misconception("one bias for all", lambda i, o, k, bias=True: o * i * k * k + bias,
                      "You count one bias in all. Each filter has its own."),
        Misconception("biases of the inputs", lambda i, o, k, bias=True: o * i * k * k + bias * i,
                      "You count a bias for each channel that comes in. There is one for each that goes out."),
        Misconception("a side in place of an area", lambda i, o, k, bias=True: o * (i * k + bias),
                      "A kernel of size 3 holds 3 * 3 = 9 weights; you count 3."),
        Misconception("one filter", lambda i, o, k, bias=True: i * k * k + bias,
                      "That is one filter. There are out_channels of them."),
        Misconception("channels added", lambda i, o, k, bias=True: (i + o) * k * k + bias * o,
                      "You add the channels. Every filter has a kernel for every input channel, so they multiply."),
        Misconception("each channel its own filter", lambda i, o, k, bias=True: i * k * k + bias * o,
                      "You count in_channels kernels in all. Every one of the out_channels filters has that many."),
    ],
    alternatives=[parameters_of_arrays, parameters_one_by_one])


# The matrix of a convolution.

def toeplitz(w, n):
    T = np.zeros((n - len(w) + 1, n))
    for row in range(len(T)):
        T[row, row:row + len(w)] = w
    return T


def toeplitz_of_diagonals(w, n):
    rows = n - len(w) + 1
    return sum(weight * np.eye(rows, n, k) for k, weight in enumerate(w)).astype(np.float32)


def toeplitz_of_lists(w, n):
    w = [float(weight) for weight in w]
    return [[0.0] * row + w + [0.0] * (n - len(w) - row) for row in range(n - len(w) + 1)]


def toeplitz_by_index(w, n):
    k = len(w)
    offset = np.arange(n)[None, :] - np.arange(n - k + 1)[:, None]
    return np.where((offset >= 0) & (offset < k), np.asarray(w)[np.clip(offset, 0, k - 1)], 0)


def banded(rows=lambda n, k: n - k + 1, start=lambda row, n, k: row, weights=lambda w, row: w, wrap=False):
    """A matrix with the weights from column `start` on; what falls outside is cut off, or comes in again."""
    def wrong(w, n):
        k = len(w)
        T = np.zeros((rows(n, k), n))
        for row in range(len(T)):
            for offset, weight in enumerate(weights(w, row)):
                column = start(row, n, k) + offset
                if wrap or 0 <= column < n:
                    T[row, column % n] += weight
        return T
    return wrong


TOEPLITZ = Exercise(
    "toeplitz", 2, toeplitz,
    cases=[
        Case("three weights, five inputs, which you can verify by hand", lambda rng: (np.array([1.0, 2.0, 3.0]), 5),
             hint="Row 0 is [1, 2, 3, 0, 0]. Each further row holds the same weights one column further to the right."),
        Case("four weights, nine inputs", lambda rng: (rng.normal(size=4), 9),
             hint="The window of k weights has n - k + 1 places: a row for each."),
        Case("two weights, seven inputs", lambda rng: (rng.normal(size=2), 7),
             hint="Nothing depends on three weights: use len(w)."),
        Case("as many weights as inputs", lambda rng: (rng.normal(size=5), 5),
             hint="There is one place then: a matrix with a single row, of shape (1, n)."),
    ],
    misconceptions=[
        Misconception("square", banded(rows=lambda n, k: n),
                      "Your last rows are cut off at the edge. A unit stands only where its whole window fits: "
                      "n - k + 1 rows."),
        Misconception("padded", banded(rows=lambda n, k: n, start=lambda row, n, k: row - (k - 1) // 2),
                      "Your matrix has as many rows as columns: that is the matrix of 'same' padding. Here only whole "
                      "windows count, n - k + 1 of them."),
        Misconception("full", banded(rows=lambda n, k: n + k - 1, start=lambda row, n, k: row - k + 1),
                      "Your windows begin before the first input and end behind the last: 'full' padding. Here only "
                      "whole windows count."),
        Misconception("wrapped around", banded(rows=lambda n, k: n, wrap=True),
                      "Your last rows begin again at the left, as if the inputs stood in a ring. They stand in a line: "
                      "leave those rows out."),
        Misconception("transposed", lambda w, n: toeplitz(w, n).T,
                      "Your matrix lies on its side: you gave each unit a column. Weights are (out, in), so each unit "
                      "has a row."),
        Misconception("flipped", lambda w, n: toeplitz(w[::-1], n),
                      "Your weights run from the last to the first: that is convolution as mathematicians write it. "
                      "Here w[0] multiplies the leftmost input of the window."),
        Misconception("nothing moves", banded(start=lambda row, n, k: 0),
                      "All your rows are the same, so all units look at the same inputs. Row j begins at column j."),
        Misconception("to the left", banded(start=lambda row, n, k: n - k - row),
                      "Your window moves to the left. The first unit looks at the first inputs."),
        Misconception("windows side by side", banded(rows=lambda n, k: n // k, start=lambda row, n, k: row * k),
                      "Your window jumps by its whole length. Move it by one column from row to row."),
        Misconception("a row is missing", banded(rows=lambda n, k: n - k),
                      "The last place is missing: n - k + 1 windows fit, not n - k."),
        Misconception("one weight for all", banded(weights=lambda w, row: [w[0]] * len(w)),
                      "You share one weight among all inputs of the window. Sharing goes along the diagonal: each "
                      "offset in the window keeps a weight of its own."),
        Misconception("everything shared", lambda w, n: np.ones((n - len(w) + 1, n)) * np.mean(w),
                      "Every entry of your matrix is the same, so every unit computes the same. Share along the "
                      "diagonals only."),
    ],
    alternatives=[toeplitz_of_diagonals, toeplitz_of_lists, toeplitz_by_index])


# How many places a window has.

def output_size(size, kernel_size, stride=1, padding=0):
    return (size - kernel_size + 2 * padding) // stride + 1


def places_counted(size, kernel_size, stride=1, padding=0):
    first, count = -padding, 0
    while first + kernel_size <= size + padding:
        first, count = first + stride, count + 1
    return count


def places_listed(size, kernel_size, stride=1, padding=0):
    return len(range(0, size + 2 * padding - kernel_size + 1, stride))


def geometries(count, least_stride=1, padding=3, rest=False):
    """make(rng): several (size, kernel_size, stride, padding); with `rest` the stride does not divide the way."""
    def make(rng):
        found = []
        while len(found) < count:
            size, k = int(rng.integers(9, 40)), int(rng.integers(2, 8))
            stride, p = int(rng.integers(least_stride, 6)), int(rng.integers(1, padding + 1)) if padding else 0
            if not rest or (size - k + 2 * p) % stride:
                found.append((size, k, stride, p))
        return tuple(found)
    return make


OUTPUT_SIZE = Exercise(
    "output_size", 1.5, output_size,
    cases=[
        Case("the second layer of deck D's example", lambda rng: (32, 5, 2, 2),
             hint="32 - 5 + 4 = 31 pixels of way; steps of 2; the first place needs no step."),
        Case("every pixel, no padding", lambda rng: tuple((size, k) for size, k, *_ in geometries(5)(rng)), call=each,
             hint="With stride 1 and no padding a window of k pixels has size - k + 1 places."),
        Case("with padding", lambda rng: tuple((size, k, 1, p) for size, k, _, p in geometries(5)(rng)), call=each,
             hint="Padding stands on both sides."),
        Case("with strides", geometries(6, least_stride=2, rest=True), call=each,
             hint="The last stride may not fit any more. How many whole steps fit into the way?"),
    ],
    misconceptions=[
        Misconception("no floor", lambda size, k, s=1, p=0: (size - k + 2 * p) / s + 1,
                      "Half a place? So deck D prints the formula. A last step that does not fit is not made: round "
                      "the fraction down."),
        Misconception("rounded up", lambda size, k, s=1, p=0: math.ceil((size - k + 2 * p) / s) + 1,
                      "You round up, so your last window hangs over the edge. Round down."),
        Misconception("rounded", lambda size, k, s=1, p=0: round((size - k + 2 * p) / s) + 1,
                      "You round to the nearest whole number. A last step fits, or it does not: round down."),
        Misconception("no first place", lambda size, k, s=1, p=0: (size - k + 2 * p) // s,
                      "You count the steps. The places are one more: the first needs no step."),
        Misconception("the 1 inside", lambda size, k, s=1, p=0: (size - k + 2 * p + 1) // s,
                      "You divide the 1 by the stride, too. Steps = way // stride; the 1 for the first place comes "
                      "after that."),
        Misconception("padding on one side", lambda size, k, s=1, p=0: (size - k + p) // s + 1,
                      "Padding stands before and behind the image: 2 * padding."),
        Misconception("padding forgotten", lambda size, k, s=1, p=0: (size - k) // s + 1,
                      "The padding is missing: it makes the image longer by 2 * padding."),
        Misconception("padding taken away", lambda size, k, s=1, p=0: (size - k - 2 * p) // s + 1,
                      "Padding makes the image larger; you make it smaller."),
        Misconception("stride forgotten", lambda size, k, s=1, p=0: size - k + 2 * p + 1,
                      "The stride is missing: a window that moves by 2 has about half as many places."),
        Misconception("the stride before the window", lambda size, k, s=1, p=0: (size + 2 * p) // s - k + 1,
                      "You divide before you take the window away. First the way, size - kernel_size + 2 * padding, "
                      "then the steps."),
        Misconception("the window forgotten", lambda size, k, s=1, p=0: (size + 2 * p) // s,
                      "The kernel's size is missing: a larger window has fewer places."),
    ],
    alternatives=[places_counted, places_listed,
                  lambda size, kernel_size, stride=1, padding=0:
                      float(math.floor((size - kernel_size + 2 * padding) / stride + 1))])


# Convolution.

def conv2d(x, weight, bias, stride=1, padding=0):
    out_channels, _, height, width = weight.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], (height, width), strict=True))
    z = np.zeros((len(x), out_channels, rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = x[:, :, i * stride:i * stride + height, j * stride:j * stride + width]
            z[:, :, i, j] = window.reshape(len(x), -1) @ weight.reshape(out_channels, -1).T + bias
    return z


def conv2d_by_loops(x, weight, bias, stride=1, padding=0):
    """Seven loops over plain lists, as a learner without NumPy writes it."""
    (images, channels, height, width), (filters, _, down, across) = np.shape(x), np.shape(weight)
    x, weight = np.asarray(x).tolist(), np.asarray(weight).tolist()

    def place(n, o, i, j):
        total = float(bias[o])
        for c, u, v in itertools.product(range(channels), range(down), range(across)):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < height and 0 <= column < width:
                total += weight[o][c][u][v] * x[n][c][row][column]
        return total

    rows, columns = (height - down + 2 * padding) // stride + 1, (width - across + 2 * padding) // stride + 1
    return [[[[place(n, o, i, j) for j in range(columns)] for i in range(rows)] for o in range(filters)]
            for n in range(images)]


def conv2d_of_views(x, weight, bias, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, np.shape(weight)[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return (np.einsum("ncijuv,ocuv->noij", windows, weight) + np.reshape(bias, (-1, 1, 1))).astype(np.float32)


def conv2d_weight_by_weight(x, weight, bias, stride=1, padding=0):
    """The sum of shifted images, one for each weight of the kernel."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = (n - k + 1 for n, k in zip(x.shape[2:], weight.shape[2:], strict=True))
    z = sum(np.einsum("nchw,oc->nohw", x[:, :, u:u + rows, v:v + columns], weight[:, :, u, v])
            for u, v in np.ndindex(weight.shape[2:]))
    return z[:, :, ::stride, ::stride] + np.asarray(bias)[None, :, None, None]


def prepared(x=lambda x: x, weight=lambda w: w, bias=lambda b, w: b, stride=lambda s: s, padding=lambda p, k: p):
    """conv2d with another argument in the place of one; with the defaults it is right."""
    def wrong(images, w, b, s=1, p=0):
        return conv2d(x(images), weight(w), bias(b, w), stride(s), padding(p, w.shape[2]))
    return wrong


def padded_by(mode):
    """conv2d with another padding than zeros."""
    def wrong(x, weight, bias, stride=1, padding=0):
        return conv2d(np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode), weight, bias, stride)
    return wrong


def placed(place):
    """conv2d whose window at (i, j) begins at `place`(i, j, stride)."""
    def wrong(x, weight, bias, stride=1, padding=0):
        z, x = conv2d(x, weight, bias, stride, padding), np.pad(x, ((0, 0), (0, 0), *[(padding, padding)] * 2))
        down, across = weight.shape[2:]
        for i, j in np.ndindex(z.shape[2:]):
            row, column = place(i, j, stride)
            window = x[:, :, row:row + down, column:column + across]
            z[:, :, i, j] = np.einsum("ncuv,ocuv->no", window, weight) + bias
        return z
    return wrong


def one_side(x, weight, bias, stride=1, padding=0):
    return conv2d(np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0))), weight, bias, stride)


def pads_everything(x, weight, bias, stride=1, padding=0):
    padded = np.pad(x, padding)
    return conv2d(padded[:, padding:padded.shape[1] - padding], weight, bias, stride)


def last_place_missing(x, weight, bias, stride=1, padding=0):
    z = conv2d(x, weight, bias, stride, padding)
    return z[:, :, :-1, :-1] if min(z.shape[2:]) > 1 else z


def stretched(x, weight, bias, stride=1, padding=0):
    """The stride between the pixels of a window in place of between windows."""
    large = np.zeros((*weight.shape[:2], *((k - 1) * stride + 1 for k in weight.shape[2:])))
    large[:, :, ::stride, ::stride] = weight
    return conv2d(x, large, bias, 1, padding)


def images_of(shape, weight, stride=1, padding=0, integers=False):
    """make(rng) for conv2d: images, weights and biases, none of them small."""
    def make(rng):
        x, w, b = ((rng.integers(-3, 4, size=size).astype(float) if integers else rng.normal(size=size))
                   for size in (shape, weight, weight[:1]))
        return x, w, b + np.where(b < 0, -1, 1), stride, padding
    return make


TINY = np.array([[[[1.0, 2, 0], [0, 1, 3], [4, 0, 1]]]])
CONV2D = Exercise(
    "conv2d", 4, conv2d,
    forbidden=("nnlib.Conv2d", "nnlib.conv1d", "nnlib.Conv1d", "scipy.signal.correlate", "scipy.signal.correlate2d",
               "scipy.signal.convolve", "scipy.signal.convolve2d", "scipy.ndimage.correlate",
               "scipy.ndimage.convolve"),
    cases=[
        Case("one image, one kernel, which you can verify by hand",
             lambda rng: (TINY, np.array([[[[1.0, 0], [2, -1]]]]), np.array([0.5])),
             hint="At the first place: 1*1 + 2*0 + 0*2 + 1*(-1) + 0.5 = 0.5."),
        Case("one channel, a kernel that is not square", images_of((1, 1, 5, 6), (1, 1, 3, 2)), points=0.5,
             hint="The kernel has a height and a width of its own: weight.shape[2] and weight.shape[3]."),
        Case("three images, two channels, four filters", images_of((3, 2, 5, 4), (4, 2, 2, 3)), points=1,
             hint="A filter is a stack of kernels, one for each channel: multiply all, add all to one number, then the "
                  "filter's bias."),
        Case("with padding", images_of((2, 2, 4, 5), (3, 2, 3, 3), padding=1),
             hint="Put zeros around height and width alone: np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))."),
        Case("with a stride that leaves a rest", images_of((1, 2, 8, 6), (2, 2, 3, 3), stride=2),
             hint="The window at row i, column j begins at pixel (i * stride, j * stride). How many fit? "
                  "output_size tells."),
        Case("stride 3 and padding 2", images_of((2, 3, 9, 10), (2, 3, 4, 3), stride=3, padding=2),
             hint="First pad, then count the places of the padded image, then fill them one by one."),
    ],
    misconceptions=[
        Misconception("the kernel flipped", prepared(weight=lambda w: w[:, :, ::-1, ::-1]),
                      "You turn the kernel round: convolution as mathematicians write it. Here, as in PyTorch, the "
                      "kernel lies on the window as it is."),
        Misconception("the kernel transposed", prepared(weight=lambda w: w.transpose(0, 1, 3, 2)),
                      "Your kernel lies on its side: rows of the kernel belong on rows of the image."),
        Misconception("no bias", prepared(bias=lambda b, w: 0 * b), "The bias is missing: one number for each filter, "
                      "added at all places."),
        Misconception("a bias for each channel", prepared(bias=lambda b, w: w.shape[1] * b),
                      "You add the bias once for every channel. Add the channels first, then the bias, once."),
        Misconception("a bias for each weight", prepared(bias=lambda b, w: b * w[0].size),
                      "You add the bias to every product. It is added once to their sum."),
        Misconception("a mean", prepared(weight=lambda w: w / w[0].size),
                      "You take the mean of the products. A convolution adds them up."),
        Misconception("the mean of the channels", prepared(weight=lambda w: w / w.shape[1]),
                      "You average over the channels. They are added."),
        Misconception("the first channel", prepared(weight=lambda w: w * (np.arange(w.shape[1]) == 0)[:, None, None]),
                      "You use the first channel of the image alone. A filter has a kernel for each channel, and adds "
                      "what they see."),
        Misconception("one kernel for all channels", prepared(weight=lambda w: np.repeat(w[:, :1], w.shape[1], axis=1)),
                      "You lay the first kernel of the stack on every channel. Each channel has its own."),
        Misconception("the first filter", prepared(weight=lambda w: np.repeat(w[:1], len(w), axis=0)),
                      "All your feature maps show the first filter. Map o belongs to weight[o]."),
        Misconception("the first image", prepared(x=lambda x: np.repeat(x[:1], len(x), axis=0)),
                      "All your answers show the first image. Every image of the batch is filtered."),
        Misconception("no padding", prepared(padding=lambda p, k: 0), "You do not pad: put `padding` zeros on each "
                      "side of height and width."),
        Misconception("always same", prepared(padding=lambda p, k: (k - 1) // 2),
                      "You pad so that the size is kept, whatever `padding` says. It may be 0."),
        Misconception("padding on one side", one_side, "You pad above and to the left only. Zeros belong on all four "
                      "sides."),
        Misconception("padding twice", prepared(padding=lambda p, k: 2 * p),
                      "You pad 2 * padding on each side. In the size formula the 2 is there because there are two "
                      "sides."),
        Misconception("the batch padded", pads_everything,
                      "np.pad(x, padding) pads every axis, the batch and the channels, too. Give it a pair for each "
                      "axis."),
        Misconception("the edge repeated", padded_by("edge"),
                      "You pad with copies of the edge. Here the padding is zeros."),
        Misconception("stride forgotten", prepared(stride=lambda s: 1),
                      "Your window moves by one pixel whatever `stride` says."),
        Misconception("the first windows", placed(lambda i, j, s: (i, j)),
                      "The number of places is right, but your window still moves by one pixel: it should begin at "
                      "(i * stride, j * stride)."),
        Misconception("the stride downward only", placed(lambda i, j, s: (i * s, j)),
                      "Your stride works for rows, not for columns: the window begins at column j * stride."),
        Misconception("the stride across only", placed(lambda i, j, s: (i, j * s)),
                      "Your stride works for columns, not for rows: the window begins at row i * stride."),
        Misconception("the kernel stretched", stretched,
                      "You step over pixels inside the window. The window itself stays whole; it is moved by `stride` "
                      "from place to place."),
        Misconception("the last place is missing", last_place_missing,
                      "Your last row and column are missing: there are (n - k) // stride + 1 places."),
        Misconception("channels last", lambda *args: conv2d(*args).transpose(0, 2, 3, 1),
                      "Your feature maps stand last. The shape is (batch, out channels, height, width)."),
        Misconception("filters first", lambda *args: conv2d(*args).transpose(1, 0, 2, 3),
                      "Your filters stand before the batch. The shape is (batch, out channels, height, width)."),
        Misconception("a ReLU behind it", lambda *args: np.maximum(conv2d(*args), 0),
                      "Your numbers below 0 have become 0: that is what a ReLU behind the layer does. The convolution "
                      "itself keeps them."),
        Misconception("filters added", lambda *args: conv2d(*args).sum(axis=1, keepdims=True),
                      "You add up the filters. Channels that come in are added; each filter keeps a map of its own."),
    ],
    alternatives=[conv2d_by_loops, conv2d_of_views, conv2d_weight_by_weight])


# Pooling.

def pooling(reduce, size=lambda k: k, stride=lambda k, s: s, places=lambda n, k, s: (n - k) // s + 1):
    """A pooling by `reduce`, from windows (batch, channels, pixels) to (batch, channels)."""
    def answer(x, kernel_size, stride_given):
        k, s = size(kernel_size), stride(kernel_size, stride_given)
        rows, columns = (places(n, k, s) for n in x.shape[2:])
        y = np.zeros((*x.shape[:2], rows, columns))
        for i in range(rows):
            for j in range(columns):
                window = x[:, :, i * s:i * s + k, j * s:j * s + k]
                y[:, :, i, j] = reduce(window.reshape(*x.shape[:2], -1))
        return y
    return answer


def max_pool2d(x, kernel_size, stride):
    rows, columns = ((n - kernel_size) // stride + 1 for n in x.shape[2:])
    y = np.zeros((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            row, column = i * stride, j * stride
            y[:, :, i, j] = x[:, :, row:row + kernel_size, column:column + kernel_size].max(axis=(2, 3))
    return y


def mean_pool2d(x, kernel_size, stride):
    rows, columns = ((n - kernel_size) // stride + 1 for n in x.shape[2:])
    y = np.zeros((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            row, column = i * stride, j * stride
            y[:, :, i, j] = x[:, :, row:row + kernel_size, column:column + kernel_size].mean(axis=(2, 3))
    return y


def median_pool2d(x, kernel_size, stride):
    rows, columns = ((n - kernel_size) // stride + 1 for n in x.shape[2:])
    y = np.zeros((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            row, column = i * stride, j * stride
            y[:, :, i, j] = np.median(x[:, :, row:row + kernel_size, column:column + kernel_size], axis=(2, 3))
    return y


def pooled_views(reduce):
    """The same by NumPy's sliding windows, answered in float32."""
    def answer(x, kernel_size, stride):
        windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
        return reduce(windows[:, :, ::stride, ::stride], axis=(4, 5)).astype(np.float32)
    return answer


def pooled_lists(reduce):
    """The same by loops over plain lists; reduce: from a list of numbers."""
    def answer(x, kernel_size, stride):
        rows, columns = ((n - kernel_size) // stride + 1 for n in np.shape(x)[2:])
        return [[[[reduce([float(channel[i * stride + u][j * stride + v])
                           for u in range(kernel_size) for v in range(kernel_size)]) for j in range(columns)]
                  for i in range(rows)] for channel in image] for image in np.asarray(x).tolist()]
    return answer


def middle(numbers):
    numbers, half = sorted(numbers), len(numbers) // 2
    return numbers[half] if len(numbers) % 2 else (numbers[half - 1] + numbers[half]) / 2


def maps(shape, kernel_size, stride, low=-3.0, high=3.0):
    return lambda rng: (rng.uniform(low, high, size=shape), kernel_size, stride)


def pool_cases(negative):
    """The cases of a pooling; `negative`: the hint where all numbers are below 0."""
    return [
        Case("deck D's example, stride 2", lambda rng: (DECK_D, 2, 2),
             hint="Four windows: (1, 1, 5, 7), (2, 5, 7, 8), (3, 1, 1, 2) and (1, 0, 3, 4)."),
        Case("two images, three channels", maps((2, 3, 4, 6), 2, 2),
             hint="Each channel of each image is pooled by itself: reduce over the two axes of the window alone."),
        Case("stride 1: windows overlap", maps((1, 2, 4, 5), 3, 1),
             hint="The stride is given: the window at row i, column j begins at (i * stride, j * stride)."),
        Case("a last window that does not fit", maps((2, 2, 7, 8), 3, 2),
             hint="Only whole windows count, (n - kernel_size) // stride + 1 of them."),
        Case("numbers below 0", maps((1, 2, 5, 5), 2, 3, -5.0, -1.0), hint=negative),
    ]


def slips(right, reduce):
    """What goes wrong in every pooling."""
    return [
        Misconception("the stride is the window's size", pooling(reduce, stride=lambda k, s: k),
                      "Your windows stand side by side whatever `stride` says. With a stride below the window's size "
                      "they overlap, above it they leave gaps."),
        Misconception("stride 1", pooling(reduce, stride=lambda k, s: 1),
                      "Your window moves by one pixel whatever `stride` says."),
        Misconception("always windows of 2", lambda x, k, s: right(x, 2, s),
                      "Your window has 2 x 2 numbers whatever `kernel_size` says."),
        Misconception("windows over the edge",
                      pooling(reduce, places=lambda n, k, s: math.ceil(max(n - k, 0) / s) + 1),
                      "Your last windows hang over the edge. Only whole windows count: round the number of steps "
                      "down."),
        Misconception("the last window is missing", pooling(reduce, places=lambda n, k, s: max(1, (n - k) // s)),
                      "The last window of each row is missing: (n - kernel_size) // stride + 1 fit."),
        Misconception("the whole image", lambda x, k, s: reduce(x.reshape(*x.shape[:2], -1)),
                      "You reduce the whole image to one number. Each window gives one."),
        Misconception("channels pooled, too", lambda x, k, s: np.broadcast_to(
                          pooling(lambda w: reduce(w.reshape(len(w), -1))[:, None])(x, k, s),
                          right(x, k, s).shape).copy(),
                      "You pool over the channels as well. Each channel keeps a map of its own: reduce over the two "
                      "axes of the window."),
        Misconception("the batch pooled, too", lambda x, k, s: np.broadcast_to(
                          pooling(lambda w: reduce(w.transpose(1, 0, 2).reshape(w.shape[1], -1)))(x, k, s),
                          right(x, k, s).shape).copy(),
                      "You pool over the images as well. Each image is pooled by itself."),
        Misconception("the window's place", lambda x, k, s: pooled_at(x, k, s, reduce),
                      "The number of outputs is right, but your window moves by one pixel: it should begin at "
                      "(i * stride, j * stride)."),
    ]


def pooled_at(x, k, s, reduce):
    y = pooling(reduce)(x, k, s)
    for i, j in np.ndindex(y.shape[2:]):
        y[:, :, i, j] = reduce(x[:, :, i:i + k, j:j + k].reshape(*x.shape[:2], -1))
    return y


def largest(w):
    return w.max(axis=-1)


def average(w):
    return w.mean(axis=-1)


def median(w):
    return np.median(w, axis=-1)


def medians_of_medians(w):
    side = math.isqrt(w.shape[-1])
    return np.median(np.median(w.reshape(*w.shape[:-1], side, side), axis=-1), axis=-1)


MAX_POOL2D = Exercise(
    "max_pool2d", 1.5, max_pool2d, forbidden=("nnlib.MaxPool2d",),
    cases=pool_cases("The largest of numbers below 0 is below 0, too. Where does your maximum begin?"),
    misconceptions=[
        *slips(max_pool2d, largest),
        Misconception("begins at 0", pooling(lambda w: np.maximum(largest(w), 0)),
                      "Where all numbers of a window are below 0 you answer 0: your maximum begins at 0. Begin with "
                      "the first number of the window."),
        Misconception("the mean", pooling(average), "That is the mean of each window. This question asks for the "
                      "largest number."),
        Misconception("the smallest", pooling(lambda w: w.min(axis=-1)), "You take the smallest number of each window. "
                      "This question asks for the largest."),
        Misconception("the farthest from 0", pooling(lambda w: np.abs(w).max(axis=-1)),
                      "You take absolute values. -3 is smaller than 1."),
        Misconception("where it is", pooling(lambda w: w.argmax(axis=-1)),
                      "You say where in the window the largest number is (argmax). The question asks for the number."),
        Misconception("the largest of the first row", lambda x, k, s: pooling(
                          lambda w: w[..., :k].max(axis=-1))(x, k, s),
                      "You look at the first row of each window alone."),
    ],
    alternatives=[pooled_views(np.max), pooled_lists(max), pooling(lambda w: np.sort(w, axis=-1)[..., -1])])

MEAN_POOL2D = Exercise(
    "mean_pool2d", 1, mean_pool2d, forbidden=("nnlib.avg_pool2d", "nnlib.AvgPool2d"),
    cases=pool_cases("The mean of numbers below 0 is below 0, too."),
    misconceptions=[
        *slips(mean_pool2d, average),
        Misconception("the sum", pooling(lambda w: w.sum(axis=-1)), "You add the numbers of each window. Divide by how "
                      "many there are."),
        Misconception("divided by the side", lambda x, k, s: pooling(lambda w: w.sum(axis=-1) / k)(x, k, s),
                      "You divide by kernel_size. A window holds kernel_size * kernel_size numbers."),
        Misconception("divided by four", pooling(lambda w: w.sum(axis=-1) / 4),
                      "You divide by 4. That is right for a 2x2 window alone."),
        Misconception("divided by the stride", lambda x, k, s: pooling(lambda w: w.sum(axis=-1) / s**2)(x, k, s),
                      "You divide by stride * stride. The mean is over the window, whatever the stride."),
        Misconception("the maximum", max_pool2d, "That is the largest number of each window. This question asks for "
                      "the mean."),
        Misconception("the median", median_pool2d, "That is the median of each window. This question asks for the "
                      "mean."),
        Misconception("whole numbers", pooling(lambda w: np.floor(average(w))),
                      "You round down: `//` in place of `/`, or an array of integers to collect the means?"),
    ],
    alternatives=[pooled_views(np.mean), pooled_lists(lambda w: sum(w) / len(w)),
                  pooling(lambda w: w @ np.full(w.shape[-1], 1 / w.shape[-1]))])

MEDIAN_POOL2D = Exercise(
    "median_pool2d", 1, median_pool2d,
    cases=pool_cases("Sort the numbers of the window; the median stands in the middle."),
    misconceptions=[
        *slips(median_pool2d, median),
        Misconception("the mean", mean_pool2d, "That is the mean of each window. The median is the number in the "
                      "middle once they are sorted."),
        Misconception("the maximum", max_pool2d, "That is the largest number of each window. The median stands in the "
                      "middle."),
        Misconception("the upper middle", pooling(lambda w: np.sort(w, axis=-1)[..., w.shape[-1] // 2]),
                      "Of four numbers two stand in the middle, and you take the larger. The median is their mean."),
        Misconception("the lower middle", pooling(lambda w: np.sort(w, axis=-1)[..., (w.shape[-1] - 1) // 2]),
                      "Of four numbers two stand in the middle, and you take the smaller. The median is their mean."),
        Misconception("not sorted", pooling(lambda w: (w[..., (w.shape[-1] - 1) // 2] + w[..., w.shape[-1] // 2]) / 2),
                      "You take the middle of the window. Sort its numbers first; where they stand in the image does "
                      "not matter."),
        Misconception("medians of medians", pooling(medians_of_medians),
                      "You take the medians of the rows, and the median of these. That is another number: sort all "
                      "numbers of the window at once."),
        Misconception("between the extremes", pooling(lambda w: (w.max(axis=-1) + w.min(axis=-1)) / 2),
                      "You take the middle between the smallest and the largest number. The median does not care how "
                      "large these are."),
    ],
    alternatives=[pooled_views(np.median), pooled_lists(middle), pooling(lambda w: np.quantile(w, 0.5, axis=-1))])


# How far a unit sees.

def receptive_field(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


def field_backward(layers):
    """From the unit back to the image: s units less one, and a window, see (r - 1) s + k of the layer below."""
    field = 1
    for kernel_size, stride in reversed(list(layers)):
        field = (field - 1) * stride + kernel_size
    return np.float32(field)


def field_of_pixels(layers):
    """The pixels themselves, as a set."""
    seen = {0}
    for kernel_size, stride in layers[::-1]:
        seen = {unit * stride + offset for unit in seen for offset in range(kernel_size)}
    return float(max(seen) - min(seen) + 1)


def field_as_a_sum(layers):
    return 1 + sum((kernel_size - 1) * math.prod(stride for _, stride in layers[:i])
                   for i, (kernel_size, _) in enumerate(layers))


def walking(grow=lambda r, k, j: r + (k - 1) * j, leap=lambda j, s: j * s, first=False, start=(1, 1)):
    """A receptive_field with one thing wrong; first: the jump grows before the field does."""
    def wrong(layers):
        field, jump = start
        for kernel_size, stride in layers:
            jump = leap(jump, stride) if first else jump
            field = grow(field, kernel_size, jump)
            jump = jump if first else leap(jump, stride)
        return field
    return wrong


def multiplied_at_pooling(layers):
    field = 1
    for kernel_size, stride in layers:
        field = field * kernel_size if kernel_size == stride > 1 else field + kernel_size - 1
    return field


def multiplied_at_strides(layers):
    field = 1
    for kernel_size, stride in layers:
        field = field * kernel_size if stride > 1 else field + kernel_size - 1
    return field


def pooling_left_out(layers):
    return receptive_field([layer for layer in layers if not layer[0] == layer[1] > 1])


def stacks(count, *kinds):
    """make(rng): several stacks of layers; kinds: "conv" (stride 1), "stride" (2 or 3, below the kernel) or "pool"."""
    def layer(rng, kind):
        k = int(rng.integers(4, 8))
        if kind == "pool":
            k = int(rng.integers(2, 4))
        return k, {"conv": 1, "stride": int(rng.integers(2, 4)), "pool": k}[kind]
    return lambda rng: tuple(([layer(rng, kind) for kind in kinds],) for _ in range(count))


RECEPTIVE_FIELD = Exercise(
    "receptive_field", 3, receptive_field,
    forbidden=("nnlib.architecture.layer_table",),
    cases=[
        Case("conv3, conv3, pool2, which you can verify by hand", lambda rng: ([(3, 1), (3, 1), (2, 2)],),
             hint="1, then 3, then 5, then 6: two neighbors of the second layer see 5 pixels each, one pixel apart."),
        Case("convolutions of stride 1", stacks(4, "conv", "conv", "conv"), call=each,
             hint="Without strides every layer adds kernel_size - 1."),
        Case("strides", stacks(4, "stride", "conv", "stride", "conv"), call=each,
             hint="Behind a stride of 2 neighbors look 2 pixels apart, behind two of them 4. That is the jump."),
        Case("pooling between convolutions", stacks(4, "conv", "pool", "conv", "pool", "conv"), call=each,
             hint="A pooling is a window like any other: it adds (kernel_size - 1) jumps, then the jump grows."),
        Case("pooling first, and no layer at all", lambda rng: (*stacks(3, "pool", "conv")(rng), ([],)), call=each,
             hint="Without layers a unit is a pixel, and sees 1."),
    ],
    misconceptions=[
        Misconception("multiplied at every pooling", multiplied_at_pooling,
                      "You multiply the field by every pooling window, as deck D's note says: 10 for conv3, conv3, "
                      "pool2. But neighbors overlap: a pooling adds (kernel_size - 1) jumps, like any window."),
        Misconception("strides forgotten", walking(leap=lambda j, s: 1),
                      "You add kernel_size - 1 for every layer, without the strides. Behind a stride, neighbors look "
                      "further apart: multiply by the jump."),
        Misconception("its own stride counts", walking(first=True),
                      "You let the jump grow before the layer uses it. A layer's own stride moves its outputs apart, "
                      "not its inputs: add first, then multiply the jump."),
        Misconception("the last stride only", walking(leap=lambda j, s: s),
                      "You keep the last stride alone. Strides multiply: behind two of 2, neighbors are 4 pixels "
                      "apart."),
        Misconception("strides added", walking(leap=lambda j, s: j + s),
                      "You add the strides to the jump. They multiply."),
        Misconception("strides added from 0", walking(leap=lambda j, s: j + s - 1),
                      "You add stride - 1 to the jump. Strides multiply: behind two of 3, neighbors are 9 pixels "
                      "apart, not 5."),
        Misconception("whole kernels added", walking(lambda r, k, j: r + k * j),
                      "Each layer adds kernel_size jumps in your sum. It adds one less: the first pixel was counted "
                      "before."),
        Misconception("the first pixel is missing", walking(start=(0, 1)),
                      "Your field begins at 0. Without any layer a unit sees 1 pixel: itself."),
        Misconception("from the wrong end", lambda layers: receptive_field(layers[::-1]),
                      "You go through the layers from the wrong end. Adding jumps goes from the image on; going from "
                      "the last layer back it would be r = (r - 1) * stride + kernel_size."),
        Misconception("kernels multiplied", lambda layers: math.prod(k for k, _ in layers),
                      "You multiply the kernels. Windows overlap, so the field grows by sums."),
        Misconception("the jump", lambda layers: math.prod(s for _, s in layers),
                      "You return how far apart two neighbors look, the jump. The question asks how much one sees."),
        Misconception("an area", lambda layers: receptive_field(layers) ** 2,
                      "You return the number of pixels, field times field. The question asks for the length along one "
                      "axis."),
        Misconception("the first layer alone", lambda layers: layers[0][0] if layers else 1,
                      "That is what a unit of the first layer sees. Is there a return inside your loop, which ends it "
                      "after one layer?"),
        Misconception("multiplied at every stride", multiplied_at_strides,
                      "You multiply the field wherever there is a stride. Neighbors overlap: every layer adds "
                      "(kernel_size - 1) jumps, and its stride makes the jump larger."),
        Misconception("poolings left out", pooling_left_out,
                      "You leave the poolings out. They have no weights, but they have windows and strides."),
    ],
    alternatives=[field_backward, field_of_pixels, field_as_a_sum])

EXERCISES = [CONV_PARAMETERS, TOEPLITZ, OUTPUT_SIZE, CONV2D, MAX_POOL2D, MEAN_POOL2D, MEDIAN_POOL2D, RECEPTIVE_FIELD]


# What mutants are compared on, besides the drawn cases.

def any_convolution(rng):
    kernel, padding = rng.integers(1, 4, size=2), int(rng.integers(0, 3))
    size = [int(rng.integers(max(1, k - 2 * padding), k + 5)) for k in kernel]
    channels, filters, batch = (int(n) for n in rng.integers(1, 4, size=3))
    return images_of((batch, channels, *size), (filters, channels, *map(int, kernel)), int(rng.integers(1, 4)),
                     padding)(rng)


def any_maps(rng):
    k = int(rng.integers(1, 4))
    size = [int(n) for n in rng.integers(k, k + 6, size=2)]
    return maps((int(rng.integers(1, 3)), int(rng.integers(1, 3)), *size), k, int(rng.integers(1, 5)))(rng)


def any_stack(rng):
    return ([tuple(int(n) for n in rng.integers(1, 6, size=2)) for _ in range(rng.integers(0, 6))],)


def any_geometry(rng):
    kernel, padding = int(rng.integers(1, 8)), int(rng.integers(0, 4))
    return (int(rng.integers(max(1, kernel - 2 * padding), 40)), kernel, int(rng.integers(1, 6)), padding)


DOMAIN = {
    "conv_parameters": [Case("any layer", lambda rng: (*map(int, rng.integers(1, 40, size=3)),
                                                       bool(rng.integers(0, 2))))],
    "toeplitz": [Case("any weights", lambda rng: (rng.normal(size=(k := int(rng.integers(1, 6)))),
                                                  int(rng.integers(k, 12))))],
    "output_size": [Case("any window", any_geometry)],
    "conv2d": [Case("any images", any_convolution)],
    "max_pool2d": [Case("any maps", any_maps)], "mean_pool2d": [Case("any maps", any_maps)],
    "median_pool2d": [Case("any maps", any_maps)], "receptive_field": [Case("any layers", any_stack)],
}
