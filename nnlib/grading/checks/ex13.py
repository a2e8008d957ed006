"""ex13, convolutional networks: the questions of solutions/ex13_convolutional_networks."""

import hashlib

import numpy as np

from nnlib import (
    AvgPool2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    Softmax,
    Tensor,
    conv2d,
    datasets,
    manual_seed,
    predict,
)
from nnlib.grading import Case, Exercise, Misconception

NAME = "ex13_convolutional_networks"
AUTOMATIC = ("nnlib.Tensor.backward", "nnlib.numerical_gradient")


def single(function):
    """The same answer in float32."""
    return lambda *args, **named: np.asarray(function(*args, **named), dtype=np.float32)


def padded(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


# The gradient of the weights.

def conv2d_backward_weight(G, x, kernel_size, stride=1, padding=0):
    G, x = np.asarray(G), padded(x, padding)
    (kh, kw), (down, across) = kernel_size, G.shape[2:]
    dW = np.zeros((G.shape[1], x.shape[1], kh, kw))
    for i in range(kh):
        for j in range(kw):
            seen = x[:, :, i:i + stride * (down - 1) + 1:stride, j:j + stride * (across - 1) + 1:stride]
            dW[:, :, i, j] = np.einsum("nohw,nchw->oc", G, seen)
    return dW


def weight_by_places(G, x, kernel_size, stride=1, padding=0):
    """At every place the image under the window, times the gradient of what came out of it."""
    x, (kh, kw) = padded(x, padding), kernel_size
    dW = np.zeros((G.shape[1], x.shape[1], kh, kw))
    for n, o, r, c in np.ndindex(*G.shape):
        dW[o] += G[n, o, r, c] * x[n, :, r * stride:r * stride + kh, c * stride:c * stride + kw]
    return dW.tolist()


def weight_by_windows(G, x, kernel_size, stride=1, padding=0):
    windows = np.lib.stride_tricks.sliding_window_view(padded(x, padding), kernel_size, axis=(2, 3))
    return np.tensordot(G, windows[:, :, ::stride, ::stride], axes=((0, 2, 3), (0, 2, 3)))


def weight_after(before=lambda G, x, k, s, p: (G, x, k, s, p), after=lambda dW: dW):
    """The right weight gradient of changed arguments, then changed."""
    return lambda G, x, kernel_size, stride=1, padding=0: after(conv2d_backward_weight(
        *before(G, x, kernel_size, stride, padding)))


def weight_stride_ignored(G, x, kernel_size, stride=1, padding=0):
    return conv2d_backward_weight(G, x, kernel_size, 1, padding)


def weight_padding_ignored(G, x, kernel_size, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))  # all of it on one side
    return conv2d_backward_weight(G, x, kernel_size, stride, 0)


def weight_channels_merged(G, x, kernel_size, stride=1, padding=0):
    dW = conv2d_backward_weight(G, np.sum(x, axis=1, keepdims=True), kernel_size, stride, padding)
    return np.repeat(dW, np.shape(x)[1], axis=1)


def weight_all_of_the_window(G, x, kernel_size, stride=1, padding=0):
    """Sizes by arithmetic alone: as many weights as fit, also where the stride left pixels over."""
    kh, kw = (size + 2 * padding - stride * (places - 1) for size, places in zip(x.shape[2:], G.shape[2:], strict=True))
    return conv2d_backward_weight(G, x, (kh, kw), stride, padding)


def weight_not_spread(G, x, kernel_size, stride=1, padding=0):
    """The chapter's correlation of the image with G, as if the places were neighbors."""
    return conv2d(padded(x, padding).swapaxes(0, 1), G.swapaxes(0, 1)).swapaxes(0, 1)


def weight_stride_at_the_weight(G, x, kernel_size, stride=1, padding=0):
    """The stride multiplies the offset of the weight, in place of that of the output."""
    (kh, kw), (down, across) = kernel_size, G.shape[2:]
    x, dW = padded(x, padding), np.zeros((G.shape[1], np.shape(x)[1], kh, kw))
    for i, j in np.ndindex(kh, kw):
        seen = x[:, :, stride * i:stride * i + down, stride * j:stride * j + across]
        dW[:, :, i, j] = np.einsum("nohw,nchw->oc", G, seen)
    return dW


def images_and_gradient(batch, channels, out, size, kernel, stride, padding):
    """The arguments of conv2d_backward_weight for a convolution of these sizes."""
    def make(rng):
        places = [(n + 2 * padding - k) // stride + 1 for n, k in zip(size, kernel, strict=True)]
        return (rng.normal(size=(batch, out, *places)), rng.normal(size=(batch, channels, *size)), kernel, stride,
                padding)
    return make


ROW = np.array([[[[1.0, 2.0, 3.0, 4.0]]]])
WEIGHT = Exercise(
    "conv2d_backward_weight", 3, conv2d_backward_weight, forbidden=AUTOMATIC,
    cases=[
        Case("a row of four pixels, by hand",
             lambda rng: (np.array([[[[1.0, 0.0, -1.0]]]]), ROW.copy(), (1, 2), 1, 0),
             hint="The weight j of the row saw the pixels j, j + 1 and j + 2: multiply them by G and add up."),
        Case("three images, two channels, four kernels",
             images_and_gradient(3, 2, 4, (5, 6), (3, 2), 1, 0),
             hint="The result has the shape (out, in, kernel height, kernel width). Sum over images and places; keep "
                  "both kinds of channels."),
        Case("zeros around the image", images_and_gradient(2, 3, 2, (4, 5), (3, 3), 1, 1),
             hint="With padding the weights saw the zeros, too: pad x on all four sides first."),
        Case("stride 2, and 3 with a pixel left over",
             lambda rng: (images_and_gradient(2, 2, 3, (7, 6), (3, 2), 2, 1)(rng),
                          images_and_gradient(2, 1, 2, (9, 8), (2, 3), 3, 0)(rng)),
             call=lambda answer, one, other: [answer(*one), answer(*other)],
             hint="The places are stride pixels apart, so weight (i, j) saw x[i + stride * r, j + stride * c]."),
    ],
    misconceptions=[
        Misconception("the mean over the images", lambda G, x, kernel_size, stride=1, padding=0:
                      conv2d_backward_weight(G, x, kernel_size, stride, padding) / len(x),
                      "You divide by the size of the batch. G carries the mean of the loss already: here the "
                      "contributions of all images add up."),
        Misconception("the mean over the places", lambda G, x, kernel_size, stride=1, padding=0:
                      conv2d_backward_weight(G, x, kernel_size, stride, padding) / (G.shape[2] * G.shape[3]),
                      "You divide by the number of places. A shared weight is used at every place, and blames from "
                      "several uses add up."),
        Misconception("flipped", weight_after(after=lambda dW: dW[:, :, ::-1, ::-1]),
                      "Your kernel gradients are flipped. nnlib's conv2d is a cross-correlation, so the gradient of "
                      "the weights needs no flip; that of the input does."),
        Misconception("the gradient flipped", weight_after(lambda G, x, k, s, p: (G[:, :, ::-1, ::-1], x, k, s, p)),
                      "You flip G. A weight at (i, j) meets pixel (i + r, j + c) for the output (r, c): both run in "
                      "the same direction."),
        Misconception("stride ignored", weight_stride_ignored,
                      "With stride 1 you are right. With a larger one the outputs (r, c) looked at places that are "
                      "`stride` pixels apart, and you take neighbors."),
        Misconception("padding on one side", weight_padding_ignored,
                      "The zeros belong on all four sides, `padding` of them each. Yours are all below and on the "
                      "right, so every pixel is in the wrong place."),
        Misconception("no padding", lambda G, x, kernel_size, stride=1, padding=0:
                      conv2d_backward_weight(G, x, kernel_size, stride, 0),
                      "You do not use `padding`: without its zeros around the image the windows do not match G."),
        Misconception("G ignored", weight_after(lambda G, x, k, s, p: (np.ones_like(G), x, k, s, p)),
                      "Your answer does not depend on G: it is right for an upstream gradient of ones only."),
        Misconception("in before out", weight_after(after=lambda dW: dW.swapaxes(0, 1)),
                      "Your first axis is that of the input channels. The gradient has the shape of the weight: out "
                      "channels first."),
        Misconception("kernel on its side", weight_after(after=lambda dW: dW.swapaxes(2, 3)),
                      "Height and width of your kernels are exchanged: the last two axes are (kernel height, kernel "
                      "width)."),
        Misconception("the last image only", weight_after(lambda G, x, k, s, p: (G[-1:], x[-1:], k, s, p)),
                      "You keep the last image only. In a loop over the batch add up: dW += ..., not dW = ..."),
        Misconception("input channels merged", weight_channels_merged,
                      "You sum over the input channels. The forward pass did, but each channel has weights of its own, "
                      "so their gradients stay apart."),
        Misconception("kernels merged", weight_after(lambda G, x, k, s, p: (
                          np.broadcast_to(G.sum(axis=1, keepdims=True), G.shape), x, k, s, p)),
                      "All your kernels get the same gradient: you sum G over the output channels. Each kernel made "
                      "one output channel, and gets the blame of that one."),
        Misconception("as large as fits", weight_all_of_the_window,
                      "You work the kernel's size out from the shapes. With a stride, pixels may be left over at the "
                      "border, and your gradient becomes too large: use `kernel_size`."),
        Misconception("not spread", weight_not_spread,
                      "With stride 1 you are right. With a larger one you slide G over the image as if its places "
                      "were neighbors: put stride - 1 zeros between them first, and keep as many weights as the kernel "
                      "has."),
        Misconception("stride at the weight", weight_stride_at_the_weight,
                      "You multiply the weight's own offset by the stride. The weights of a kernel look at neighboring "
                      "pixels; it is the places that are `stride` apart: x[i + stride * r, j + stride * c]."),
    ],
    alternatives=[weight_by_places, weight_by_windows, single(weight_by_windows)])


# The gradient of the input.

def conv2d_backward_input(G, weight, size, stride=1, padding=0):
    G, weight = np.asarray(G), np.asarray(weight)
    (n, _, down, across), (kh, kw) = G.shape, weight.shape[2:]
    dx = np.zeros((n, weight.shape[1], size[0] + 2 * padding, size[1] + 2 * padding))
    for i in range(kh):
        for j in range(kw):
            dx[:, :, i:i + stride * (down - 1) + 1:stride, j:j + stride * (across - 1) + 1:stride] += np.einsum(
                "nohw,oc->nchw", G, weight[:, :, i, j])
    return dx[:, :, padding:padding + size[0], padding:padding + size[1]]


def spread(G, stride):
    """G with stride - 1 zeros between its neighbors."""
    n, out, down, across = np.shape(G)
    apart = np.zeros((n, out, stride * (down - 1) + 1, stride * (across - 1) + 1))
    apart[:, :, ::stride, ::stride] = G
    return apart


def full(G, kernel, height, width):
    """`kernel` (out, in, kh, kw) slid over G with full padding as it is, without a flip; cut or filled to a size."""
    kh, kw = kernel.shape[2:]
    far = np.pad(G, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    windows = np.lib.stride_tricks.sliding_window_view(far, (kh, kw), axis=(2, 3))
    found = np.einsum("nohwij,ocij->nchw", windows, kernel)
    result = np.zeros((*found.shape[:2], height, width))
    height, width = min(height, found.shape[2]), min(width, found.shape[3])
    result[:, :, :height, :width] = found[:, :, :height, :width]
    return result


def input_by_full(G, weight, size, stride=1, padding=0, turn=lambda kernel: kernel[:, :, ::-1, ::-1],
                  crop=lambda dx, size, p: dx[:, :, p:p + size[0], p:p + size[1]]):
    """The full convolution of the chapter; with the defaults it is right."""
    dx = full(spread(G, stride), turn(np.asarray(weight)), size[0] + 2 * padding, size[1] + 2 * padding)
    return crop(dx, size, padding)


def input_by_places(G, weight, size, stride=1, padding=0):
    """Every output hands its blame back to the pixels under its window."""
    kh, kw = weight.shape[2:]
    dx = np.zeros((len(G), weight.shape[1], size[0] + 2 * padding, size[1] + 2 * padding))
    for n, o, r, c in np.ndindex(*G.shape):
        dx[n, :, r * stride:r * stride + kh, c * stride:c * stride + kw] += G[n, o, r, c] * weight[o]
    return dx[:, :, padding:padding + size[0], padding:padding + size[1]].tolist()


def input_overwritten(G, weight, size, stride=1, padding=0):
    kh, kw = weight.shape[2:]
    dx = np.zeros((len(G), weight.shape[1], size[0] + 2 * padding, size[1] + 2 * padding))
    for r, c in np.ndindex(*G.shape[2:]):
        dx[:, :, r * stride:r * stride + kh, c * stride:c * stride + kw] = np.tensordot(G[:, :, r, c], weight, (1, 0))
    return dx[:, :, padding:padding + size[0], padding:padding + size[1]]


def input_with(**changes):
    return lambda G, weight, size, stride=1, padding=0: input_by_full(G, weight, size, stride, padding, **changes)


def input_after(change):
    return lambda G, weight, size, stride=1, padding=0: change(conv2d_backward_input(G, weight, size, stride, padding))


def input_not_spread(G, weight, size, stride=1, padding=0):
    return input_by_full(G, weight, size, 1, padding)


def input_spread_too_far(G, weight, size, stride=1, padding=0):
    return input_by_full(spread(G, stride + 1) if stride > 1 else G, weight, size, 1, padding)


def input_valid(G, weight, size, stride=1, padding=0):
    kernel = weight[:, :, ::-1, ::-1]
    windows = np.lib.stride_tricks.sliding_window_view(spread(G, stride), kernel.shape[2:], axis=(2, 3))
    return np.einsum("nohwij,ocij->nchw", windows, kernel)


def input_cut_from_behind(G, weight, size, stride=1, padding=0):
    """padding:-padding, which is empty where there is no padding."""
    whole = conv2d_backward_input(G, weight, tuple(n + 2 * padding for n in size), stride, 0)
    return whole[:, :, padding:-padding, padding:-padding]


def input_wrapped(G, weight, size, stride=1, padding=0):
    """Straight into the image without its border, where an index below 0 counts from the far end."""
    dx = np.zeros((len(G), weight.shape[1], *size))
    for o, r, c, i, j in np.ndindex(*G.shape[1:], *weight.shape[2:]):
        row, column = stride * r + i - padding, stride * c + j - padding
        if row < size[0] and column < size[1]:
            dx[:, :, row, column] += np.outer(G[:, o, r, c], weight[o, :, i, j])
    return dx


def gradient_and_kernels(batch, channels, out, size, kernel, stride, padding):
    """The arguments of conv2d_backward_input for a convolution of these sizes."""
    def make(rng):
        places = [(n + 2 * padding - k) // stride + 1 for n, k in zip(size, kernel, strict=True)]
        return (rng.normal(size=(batch, out, *places)), rng.normal(size=(out, channels, *kernel)), size, stride,
                padding)
    return make


INPUT = Exercise(
    "conv2d_backward_input", 3, conv2d_backward_input, forbidden=AUTOMATIC,
    cases=[
        Case("a row of four pixels, by hand",
             lambda rng: (np.array([[[[1.0, 0.0, -1.0]]]]), np.array([[[[2.0, 3.0]]]]), (1, 4), 1, 0),
             hint="The second pixel was under the window twice: as the right pixel of the first place and as the left "
                  "one of the second."),
        Case("three images, two channels, four kernels", gradient_and_kernels(3, 2, 4, (6, 5), (3, 2), 1, 0),
             hint="Full padding around G, kernels flipped in both directions, and in and out channels exchanged."),
        Case("zeros around the image", gradient_and_kernels(2, 3, 2, (4, 5), (3, 3), 1, 2),
             hint="Compute the gradient of the padded image, then cut off `padding` rows and columns on every side."),
        Case("stride 2, and 3 with a pixel left over",
             lambda rng: (gradient_and_kernels(2, 2, 3, (7, 6), (3, 2), 2, 1)(rng),
                          gradient_and_kernels(2, 1, 2, (9, 8), (2, 3), 3, 0)(rng)),
             call=lambda answer, one, other: [answer(*one), answer(*other)],
             hint="Spread G first: stride - 1 zeros between neighbors. A pixel that no window saw has gradient 0, and "
                  "must be there."),
    ],
    misconceptions=[
        Misconception("not flipped", input_with(turn=lambda kernel: kernel),
                      "You slide the kernel as it is. A pixel is blamed by the output to its upper left through the "
                      "weight at the kernel's lower right: flip the kernel, in both directions."),
        Misconception("flipped in one direction", input_with(turn=lambda kernel: kernel[:, :, ::-1]),
                      "You flip the rows of the kernel and not its columns. Both directions: [:, :, ::-1, ::-1]."),
        Misconception("turned on its side", lambda G, weight, size, stride=1, padding=0: input_by_full(
                          G, weight, size, stride, padding, turn=lambda kernel: np.swapaxes(kernel, 2, 3)[:, :, ::-1,
                                                                                                          ::-1]),
                      "You transpose the kernels in the image plane. Flip them; what is exchanged are the in and out "
                      "channels."),
        Misconception("valid", input_valid,
                      "Your result is smaller than the image: a valid convolution loses the border. Pad G with kernel "
                      "size - 1 zeros on every side: that is `full`."),
        Misconception("not spread", input_not_spread,
                      "With stride 1 you are right. With a larger one the outputs come from places that are `stride` "
                      "pixels apart, so their blame must be put down that far apart."),
        Misconception("spread too far", input_spread_too_far,
                      "You put `stride` zeros between the neighbors of G. It must be stride - 1, so that neighbors are "
                      "`stride` pixels apart."),
        Misconception("border kept", input_with(crop=lambda dx, size, p: dx),
                      "You return the gradient of the padded image. The zeros around it are no pixels: cut them off."),
        Misconception("cut at one end", input_with(crop=lambda dx, size, p: dx[:, :, :size[0], :size[1]]),
                      "You cut the padding off below and on the right only. `padding` rows and columns go on all "
                      "four sides."),
        Misconception("cut at the other end", input_with(
                          crop=lambda dx, size, p: dx[:, :, dx.shape[2] - size[0]:, dx.shape[3] - size[1]:]),
                      "You cut the padding off above and on the left only. `padding` rows and columns go on all "
                      "four sides."),
        Misconception("overwritten", input_overwritten,
                      "Where windows overlap, your last window wins. A pixel that was used several times collects all "
                      "its blames: +=, not =."),
        Misconception("the mean over the images", lambda G, weight, size, stride=1, padding=0:
                      conv2d_backward_input(G, weight, size, stride, padding) / len(G),
                      "You divide by the size of the batch. Every image has a gradient of its own, and G carries the "
                      "mean of the loss already."),
        Misconception("the sum over the images", input_after(lambda dx: dx.sum(axis=0, keepdims=True)),
                      "You add up the images. Each one is an input of its own: the gradient has the shape of x."),
        Misconception("G ignored", lambda G, weight, size, stride=1, padding=0: conv2d_backward_input(
                          np.ones_like(G), weight, size, stride, padding),
                      "Your answer does not depend on G: it is right for an upstream gradient of ones only."),
        Misconception("the first kernel only", lambda G, weight, size, stride=1, padding=0: conv2d_backward_input(
                          G[:, :1], weight[:1], size, stride, padding),
                      "You pass the blame of the first output channel only. Every kernel looked at the same pixels, so "
                      "sum over the output channels."),
        Misconception("channels merged", input_after(lambda dx: np.repeat(dx.sum(axis=1, keepdims=True),
                                                                          dx.shape[1], axis=1)),
                      "All your channels get the same gradient. Input channel c is blamed through weight[:, c] only."),
        Misconception("cut from behind", input_cut_from_behind,
                      "Without padding your answer is empty: 0:-0 is 0:0. Cut with padding:padding + height, and the "
                      "same for the width."),
        Misconception("indices below zero", input_wrapped,
                      "The zeros around the image have indices below 0, and in Python those count from the far end: "
                      "their blame lands on real pixels. Work on the padded image, and cut off its border at last."),
    ],
    alternatives=[input_by_full, input_by_places, single(conv2d_backward_input)])


# Max pooling.

def max_pool2d_backward(G, x, size=2, stride=2):
    dx = np.zeros(np.shape(x))
    for n, c, i, j in np.ndindex(*np.shape(G)):
        window = x[n, c, i * stride:i * stride + size, j * stride:j * stride + size]
        r, s = np.unravel_index(np.argmax(window), window.shape)
        dx[n, c, i * stride + r, j * stride + s] += G[n, c, i, j]
    return dx


def pool_by_offsets(G, x, size=2, stride=2):
    """All windows at once: offset after offset, where the maximum has not been met yet."""
    down, across = np.shape(G)[2:]
    def at(i, j):
        return (..., slice(i, i + stride * (down - 1) + 1, stride), slice(j, j + stride * (across - 1) + 1, stride))
    offsets = [(i, j) for i in range(size) for j in range(size)]
    most = np.max([x[at(i, j)] for i, j in offsets], axis=0)
    dx, waiting = np.zeros(np.shape(x)), np.ones(np.shape(G), dtype=bool)
    for i, j in offsets:
        hit = waiting & (x[at(i, j)] == most)
        dx[at(i, j)] += hit * G
        waiting &= ~hit
    return dx.tolist()


def pool_but(share=None, step=None, add=True):
    """A backward pass that goes from window to window; share(window): what each of its elements gets of the blame."""
    def answer(G, x, size=2, stride=2):
        dx, step_ = np.zeros(np.shape(x)), step or stride
        for n, c, i, j in np.ndindex(*np.shape(G)):
            place = n, c, slice(i * step_, i * step_ + size), slice(j * step_, j * step_ + size)
            if np.size(x[place]):
                blame = G[n, c, i, j] * (share or first_largest)(x[place])
                dx[place] = dx[place] + blame if add else np.where(blame != 0, blame, dx[place])
        return dx
    return answer


def first_largest(window):
    return np.eye(window.size)[np.argmax(window)].reshape(window.shape)


def last_largest(window):
    return np.eye(window.size)[window.size - 1 - np.argmax(window.ravel()[::-1])].reshape(window.shape)


def pool_cropped(G, x, size=2, stride=2):
    rows, columns = ((n - 1) * stride + size for n in np.shape(G)[2:])
    return max_pool2d_backward(G, x, size, stride)[:, :, :rows, :columns]


def pooled(batch, channels, shape, size, stride, values="normal"):
    """The arguments of max_pool2d_backward; values "ties": small integers, as behind a ReLU."""
    def make(rng):
        x = rng.normal(size=(batch, channels, *shape))
        x = np.maximum(np.round(x), 0) if values == "ties" else x
        return rng.normal(size=(batch, channels, *((n - size) // stride + 1 for n in shape))), x, size, stride
    return make


POOL = Exercise(
    "max_pool2d_backward", 2, max_pool2d_backward, forbidden=AUTOMATIC,
    cases=[
        Case("deck D's image, by hand",
             lambda rng: (np.array([[[[10.0, 20.0], [30.0, 40.0]]]]),
                          np.array([[[[1.0, 1, 2, 5], [5, 7, 7, 8], [3, 1, 1, 0], [1, 2, 3, 4]]]]), 2, 2),
             hint="The largest numbers are 7, 8, 3 and 4: each gets the gradient of its window."),
        Case("three images with two channels", pooled(3, 2, (6, 8), 2, 2),
             hint="Each window of each channel of each image has a winner of its own."),
        Case("ties, as behind a ReLU", pooled(2, 2, (6, 6), 3, 3, "ties"),
             hint="Where several pixels are largest, the first of them, row by row, gets everything."),
        Case("windows that overlap, and a border left over",
             lambda rng: (pooled(2, 2, (8, 7), 3, 2)(rng), pooled(2, 1, (4, 5), 2, 1)(rng)),
             call=lambda answer, one, other: [answer(*one), answer(*other)],
             hint="A pixel may win in several windows: add up. A pixel that no window sees keeps gradient 0."),
    ],
    misconceptions=[
        Misconception("every winner", pool_but(lambda window: 1.0 * (window == window.max())),
                      "Where two pixels tie, both get the whole gradient in your answer, so more comes out than went "
                      "in. Only the first of them gets it."),
        Misconception("ties share", pool_but(lambda window: (window == window.max()) / np.sum(window == window.max())),
                      "You divide the gradient among pixels that tie. That could be defended, but nnlib and PyTorch "
                      "give all of it to the first, row by row."),
        Misconception("the last winner", pool_but(last_largest),
                      "Where pixels tie you take the last one: with `>=` every equal pixel replaces the one before. "
                      "The first wins, as np.argmax says."),
        Misconception("mean pooling", pool_but(lambda window: np.full(window.shape, 1 / window.size)),
                      "You give every pixel of a window an equal share: that is the way back of mean pooling. Here the "
                      "winner takes all."),
        Misconception("everyone gets everything", pool_but(np.ones_like),
                      "You copy the gradient to all pixels of a window. Only the largest one passed its number on."),
        Misconception("the value as a factor", pool_but(lambda window: first_largest(window) * window.max()),
                      "You multiply by the pixel's value. A maximum passes its winner on with slope 1."),
        Misconception("the smallest", pool_but(lambda window: first_largest(-window)),
                      "The gradient goes to the smallest pixel in your answer."),
        Misconception("the largest by size", pool_but(lambda window: first_largest(np.abs(window))),
                      "You look for the largest absolute value. A pixel of -3 does not win against 1."),
        Misconception("overwritten", pool_but(add=False),
                      "Where windows overlap, a pixel can win twice, and your second gradient replaces the first: +=, "
                      "not =."),
        Misconception("stride ignored", lambda G, x, size=2, stride=2: pool_but(step=size)(G, x, size, stride),
                      "Your windows are `size` pixels apart. They begin at stride * i and stride * j."),
        Misconception("G ignored", lambda G, x, size=2, stride=2: max_pool2d_backward(np.ones_like(G), x, size, stride),
                      "You mark the winners with 1: that is right for an upstream gradient of ones only."),
        Misconception("border lost", pool_cropped,
                      "Your result is smaller than x: pixels that no window sees are there, with gradient 0."),
    ],
    alternatives=[pool_by_offsets, pool_but(), single(max_pool2d_backward)])


# The network.

def stages(channels, after=(), inputs=1, **options):
    """The layers of the stages; `after`: makes what stands behind each convolution (ReLU and 2x2 max pooling)."""
    layers = []
    for out in channels:
        layers.append(Conv2d(inputs, out, **{"kernel_size": 3, "padding": 1, **options}))
        layers += [make() for make in after or (ReLU, lambda: MaxPool2d(2))]
        inputs = out
    return layers


def features(shape, channels):
    return channels[-1] * (shape[1] // 2 ** len(channels)) * (shape[2] // 2 ** len(channels))


def build_cnn(shape, channels, hidden, classes, dropout):
    layers, inputs, (_, height, width) = [], shape[0], shape
    for out in channels:
        layers += [Conv2d(inputs, out, 3, padding=1), ReLU(), MaxPool2d(2)]
        inputs, height, width = out, height // 2, width // 2
    return Sequential(*layers, Flatten(), Linear(inputs * height * width, hidden), ReLU(), Dropout(dropout),
                      Linear(hidden, classes))


class OwnNetwork(Module):
    """The same network as a class with a forward of its own."""

    def __init__(self, shape, channels, hidden, classes, dropout):
        self.convolutions = [Conv2d(i, o, 3, padding="same") for i, o in zip((shape[0], *channels), channels)]
        self.hidden, self.dropout = Linear(features(shape, channels), hidden), Dropout(dropout)
        self.scores = Linear(hidden, classes)

    def forward(self, x):
        for convolution in self.convolutions:
            x = MaxPool2d(2)(ReLU()(convolution(x)))
        return self.scores(self.dropout(ReLU()(self.hidden(Flatten()(x)))))


def pooled_first(shape, channels, hidden, classes, dropout):
    """ReLU behind the pooling: both keep the order of numbers, so this is the same."""
    return Sequential(*stages(channels, (lambda: MaxPool2d(2), ReLU), shape[0]), Flatten(),
                      Linear(features(shape, channels), hidden), Dropout(dropout), ReLU(), Linear(hidden, classes))


def network_but(after=(), head=None, last=(), inputs=None, **options):
    """A wrong network; head(features, hidden, classes, dropout): its layers behind the Flatten."""
    def answer(shape, channels, hidden, classes, dropout):
        layers = stages(channels, after, inputs or shape[0], **options)
        end = (head or usual_head)(features(shape, channels), hidden, classes, dropout)
        return Sequential(*layers, Flatten(), *end, *(make() for make in last))
    return answer


def usual_head(count, hidden, classes, dropout):
    return Linear(count, hidden), ReLU(), Dropout(dropout), Linear(hidden, classes)


def without_padding(shape, channels, hidden, classes, dropout):
    _, height, width = shape
    for _ in channels:
        height, width = (height - 2) // 2, (width - 2) // 2
    return Sequential(*stages(channels, (), shape[0], padding=0), Flatten(),
                      *usual_head(channels[-1] * height * width, hidden, classes, dropout))


def without_pooling(shape, channels, hidden, classes, dropout):
    return Sequential(*stages(channels, (ReLU,), shape[0]), Flatten(),
                      *usual_head(channels[-1] * shape[1] * shape[2], hidden, classes, dropout))


def pooled_once(shape, channels, hidden, classes, dropout):
    return Sequential(*stages(channels, (ReLU,), shape[0]), MaxPool2d(2), Flatten(),
                      *usual_head(channels[-1] * (shape[1] // 2) * (shape[2] // 2), hidden, classes, dropout))


def halves_forgotten(shape, channels, hidden, classes, dropout):
    return network_but(head=lambda count, *rest: usual_head(channels[-1] * shape[1] * shape[2], *rest))(
        shape, channels, hidden, classes, dropout)


def not_chained(shape, channels, hidden, classes, dropout):
    layers = [layer for out in channels for layer in (Conv2d(shape[0], out, 3, padding=1), ReLU(), MaxPool2d(2))]
    return Sequential(*layers, Flatten(), *usual_head(features(shape, channels), hidden, classes, dropout))


def layer_shapes(build_cnn, shape, channels, hidden, classes, dropout):
    """The shapes of the parameters, in order; a sentence where it is no Module."""
    model = build_cnn(shape, channels, hidden, classes, dropout)
    return [p.shape for p in model.parameters()] if isinstance(model, Module) else type(model).__name__


def filled(model, rng):
    """The model with the same numbers in its parameters, whoever built it."""
    for p in model.parameters():
        p.data[...] = rng.normal(size=p.shape, scale=1 / np.sqrt(max(1, p.size // len(p.data))))
        p.mark_changed()
    return model


def its_scores(build_cnn, images, channels, hidden, classes, dropout):
    """Scores in evaluation mode, with numbers of ours in the parameters."""
    model = filled(build_cnn(images.shape[1:], channels, hidden, classes, dropout), np.random.default_rng(5))
    return predict(model, images)


def its_dropout(build_cnn, shape, channels, hidden, classes, dropout):
    """The different scores in training of a network whose features and hidden units give 1: one such unit, plus 10."""
    model = build_cnn(shape, channels, hidden, classes, dropout)
    *stages, hidden_weight, hidden_bias, weight, bias = model.parameters()
    values = [*(float(p.ndim == 1) for p in stages), 1 / hidden_weight.shape[1], 0, np.eye(classes, hidden), 10]
    for p, value in zip((*stages, hidden_weight, hidden_bias, weight, bias), values, strict=True):
        p.data[...] = value
        p.mark_changed()
    model.train()
    manual_seed(0)
    return np.unique(np.round(model(Tensor(np.ones((200, *shape), np.float32))).data, 3))[:4]


def same_shapes(got, args, expected):
    """Sentences about the parameters of each layer."""
    if isinstance(got, str):
        return f"expected a Module such as Sequential(...), got {got}"
    if len(got) != len(expected):
        return (f"expected {len(expected)} arrays of parameters (a weight and a bias for each convolution and each "
                f"dense layer) but got {len(got)}")
    for number, (mine, right) in enumerate(zip(got, expected, strict=True), 1):
        if tuple(mine) != tuple(right):
            return f"parameter {number} has shape {tuple(mine)}, expected {tuple(right)}"
    return None


def any_cnn(rng):
    channels = tuple(int(c) for c in rng.integers(2, 6, size=2))
    return (int(rng.integers(1, 4)), 4 * int(rng.integers(2, 4)), 4 * int(rng.integers(1, 4))), channels


def a_network(rng):
    shape, channels = any_cnn(rng)
    return shape, channels, int(rng.integers(6, 12)), int(rng.integers(3, 6)), 0.3


def images_for_a_network(rng):
    shape, *rest = a_network(rng)
    return (rng.normal(size=(4, *shape)).astype(np.float32), *rest)


def a_dropout(rng):
    shape, channels = any_cnn(rng)
    return shape, channels, 9, 3, float(rng.choice([0.2, 0.3, 0.4, 0.6]))


BUILD = Exercise(
    "build_cnn", 3, build_cnn,
    cases=[
        Case("the layers of the worked example", lambda rng: ((1, 8, 8), (16, 32), 64, 10, 0.3), call=layer_shapes,
             judge=same_shapes, hint="Print your network, and compare its layers with the list in the question."),
        Case("other sizes, colors, one more stage", lambda rng: ((3, 16, 8), (*rng.integers(2, 6, size=3).tolist(),),
                                                                 int(rng.integers(5, 9)), 4, 0.2),
             call=layer_shapes, judge=same_shapes,
             hint="Each convolution takes as many channels as the one before gave; each pooling halves height and "
                  "width."),
        Case("the scores", images_for_a_network, call=its_scores,
             hint="The layers have the right sizes, but they compute something else: what stands between them?"),
        Case("dropout before the last layer, in training", a_dropout, call=its_dropout,
             hint="Dropout stands between the ReLU of the hidden layer and the last Linear, and nowhere else."),
    ],
    misconceptions=[
        Misconception("no padding", without_padding,
                      "Your convolutions lose a border, as without padding. padding=1 keeps 3x3 windows from "
                      "shrinking the image."),
        Misconception("no padding, sizes as with it", network_but(padding=0),
                      "Your convolutions have no padding, so each takes two rows and columns away, and what is left "
                      "does not fit the layers behind. Give them padding=1."),
        Misconception("5x5 kernels", network_but(kernel_size=5, padding=2),
                      "Your kernels are 5 by 5. Wanted are 3 by 3, with padding 1."),
        Misconception("no ReLU in the stages", network_but((lambda: MaxPool2d(2),)),
                      "There is no ReLU behind your convolutions: stages with a convolution and a pooling alone "
                      "waste what a non-linearity gives."),
        Misconception("no ReLU in the hidden layer",
                      network_but(head=lambda count, hidden, classes, dropout: (
                          Linear(count, hidden), Dropout(dropout), Linear(hidden, classes))),
                      "Two dense layers without a ReLU between them are one: the hidden layer needs its ReLU."),
        Misconception("mean pooling", network_but((ReLU, lambda: AvgPool2d(2))),
                      "You pool with the mean. Wanted is MaxPool2d(2)."),
        Misconception("no pooling", without_pooling,
                      "Your first dense layer has too many inputs, as without pooling: each stage ends with "
                      "MaxPool2d(2), which halves height and width."),
        Misconception("pooled once", pooled_once,
                      "Only one pooling halves your images. Each stage ends with its own MaxPool2d(2)."),
        Misconception("halves forgotten", halves_forgotten,
                      "Your dense layer expects the image in its full size, but each pooling halved height and width."),
        Misconception("stages not chained", not_chained,
                      "Each of your convolutions takes the channels of the image. From the second stage on it takes "
                      "what the stage before gave."),
        Misconception("no hidden layer", network_but(head=lambda count, hidden, classes, dropout: (
                          Dropout(dropout), Linear(count, classes))),
                      "Between Flatten and the scores a hidden layer is missing: Linear, ReLU, Dropout."),
        Misconception("no dropout", network_but(head=lambda count, hidden, classes, dropout: (
                          Linear(count, hidden), ReLU(), Linear(hidden, classes))),
                      "In training your network never drops a hidden unit: Dropout(dropout) is missing."),
        Misconception("the other share", network_but(head=lambda count, hidden, classes, dropout: usual_head(
                          count, hidden, classes, 1 - dropout)),
                      "You drop a share of 1 - dropout. The argument is the share that is dropped."),
        Misconception("the default share", network_but(head=lambda count, hidden, classes, dropout: usual_head(
                          count, hidden, classes, 0.5)),
                      "You drop one half of the units, whatever was asked for: pass `dropout` on."),
        Misconception("dropout on the scores", network_but(head=lambda count, hidden, classes, dropout: (
                          Linear(count, hidden), ReLU(), Linear(hidden, classes), Dropout(dropout))),
                      "You drop scores: then a class is sometimes out of the race. Dropout stands before the last "
                      "Linear."),
        Misconception("dropout on the features", network_but(head=lambda count, hidden, classes, dropout: (
                          Dropout(dropout), Linear(count, hidden), ReLU(), Linear(hidden, classes))),
                      "Your dropout stands before the hidden layer. Wanted is one behind it, before the scores."),
        Misconception("softmax at the end", network_but(last=(lambda: Softmax(-1),)),
                      "Your network ends with a softmax. cross_entropy takes scores and has the softmax inside: end "
                      "with the Linear."),
        Misconception("ReLU at the end", network_but(last=(ReLU,)),
                      "You cut negative scores off with a ReLU at the end. Scores may have either sign."),
        Misconception("a list of layers", lambda *args: list(build_cnn(*args)),
                      "You return a list. Put the layers into a network: Sequential(*layers)."),
    ],
    alternatives=[OwnNetwork, pooled_first, network_but()])


# Training. The labels of the held-out digits stay here: an answer gets the images only. And it gets them mirrored or
# turned, with the classes in another order, so that labels that it knows from elsewhere are of no use to it.

TRUTH = {}  # labels of held-out images, by what their bytes hash to
TURNS = [lambda a, k=k, mirror=mirror: np.rot90(a[..., ::-1] if mirror else a, k, axes=(-2, -1))
         for k in range(4) for mirror in (False, True)][1:]


def remembered(held_out):
    return TRUTH[hashlib.sha256(np.ascontiguousarray(held_out).tobytes()).hexdigest()]


def digits_to_learn(count=None):
    """Training images and labels, and held-out images, from a fresh split; `count`: of the training images."""
    def make(rng):
        train, held_out = datasets.load_digits().split(seed=int(rng.integers(2 ** 31)))
        turn, names = TURNS[rng.integers(len(TURNS))], rng.permutation(10)
        images, others = (np.ascontiguousarray(turn(part.images), np.float32) for part in (train, held_out))
        TRUTH[hashlib.sha256(others.tobytes()).hexdigest()] = names[held_out.t]
        return images[:count], names[train.t][:count], others
    return make


def reads(train_cnn, images, labels, held_out):
    """(scores of the held-out images, number of convolution kernels) of the network that the answer trains."""
    model = train_cnn(images, labels)
    if model is None:
        return None
    if not isinstance(model, Module):
        return type(model).__name__
    scores = predict(model, held_out)
    return scores, sum(p.shape[0] for p in model.parameters() if len(p.shape) == 4)


def reads_at_least(wanted):
    """A judge: the share of held-out digits that must be read correctly."""
    def judge(got, args, expected):
        if isinstance(got, str):
            return f"expected the trained network, got {got}"
        (scores, kernels), truth = got, remembered(args[2])
        if scores.shape != (len(truth), 10):
            return f"expected ten scores for each image, shape {(len(truth), 10)}, got shape {scores.shape}"
        if not kernels:
            return "your network has no convolution"
        share = np.mean((scores.argmax(axis=1) == truth) & np.isfinite(scores).all(axis=1))
        if share >= wanted:
            return None
        if share < 0.25:
            return "your network reads new digits no better than by guessing"
        band = int(20 * share) * 5
        return f"your network reads {band}% to {band + 5}% of the new digits; {wanted:.0%} are wanted"
    return judge


class RandomKernels(Module):
    """Kernels as the dice threw them, and only the last layer fitted, in closed form: a network in a tenth of a second.

    It stands in for a trained network wherever the check itself is tried, since training takes seconds.
    """

    def __init__(self, images, labels, kernels=120, penalty=0.02, rows=None):
        rng = np.random.default_rng(0)
        self.convolution = Conv2d(1, kernels, 5, padding=2, rng=rng)
        self.convolution.bias.data[...] = rng.uniform(-0.3, 0.3, kernels)
        X = self.seen(Tensor(images[:rows])).data.astype(float)
        X = np.hstack([X, np.ones((len(X), 1))])
        targets = np.eye(10)[labels[:rows]]
        solution = X.T @ np.linalg.solve(X @ X.T + penalty * len(X) * np.eye(len(X)), targets)
        self.scores = Linear(X.shape[1] - 1, 10)
        self.scores.weight.data[...], self.scores.bias.data[...] = solution[:-1].T, solution[-1]

    def seen(self, x):
        return Flatten()(MaxPool2d(2)(ReLU()(self.convolution(x))))

    def forward(self, x):
        return self.scores(self.seen(x))


def train_cnn(images, labels):
    return RandomKernels(images, labels)


def flat_network(images, labels):
    X = np.hstack([images.reshape(len(images), -1), np.ones((len(images), 1))]).astype(float)
    solution = np.linalg.solve(X.T @ X + 0.1 * np.eye(X.shape[1]), X.T @ np.eye(10)[labels])
    linear = Linear(X.shape[1] - 1, 10)
    linear.weight.data[...], linear.bias.data[...] = solution[:-1].T, solution[-1]
    return linear


def wrong_scores(images, labels):
    model = RandomKernels(images, labels)
    return Sequential(model, Linear(10, 1))


def in_place(images, labels):
    images -= images.mean()
    return RandomKernels(images, labels)


TRAIN = Exercise(
    "train_cnn", 4, train_cnn, forbidden=("nnlib.datasets.load_digits", "sklearn.datasets.load_digits"),
    time_limit=30,  # in a learner's kernel, where other programs run; the grader allows 10, on a core of its own
    cases=[
        Case("500 digits to learn from: 85% of new ones", digits_to_learn(500), points=1, call=reads,
             judge=reads_at_least(0.85),
             hint="Does the loss fall? Give `fit` progress=True in a cell of your own and look at it."),
        Case("1,347 digits: 92% of new ones", digits_to_learn(), points=1, call=reads, judge=reads_at_least(0.92),
             hint="More epochs, or another learning rate: look at the loss of the last epochs."),
        Case("another 1,347: 95% of new ones", digits_to_learn(), points=2, call=reads, judge=reads_at_least(0.95),
             hint="The remedies of the chapter: a rate that falls along a cosine, shifted images, dropout."),
    ],
    misconceptions=[
        Misconception("not trained", lambda images, labels: build_cnn((1, 8, 8), (4, 8), 16, 10, 0.3),
                      "Guessing gets one in ten. Did `fit` run, on this network's parameters, with images and labels "
                      "in the same order? Is the rate so large that it killed the ReLUs?"),
        Misconception("the history instead", lambda images, labels: {"loss": [2.3, 0.1]},
                      "You return what the training recorded, or something else that is no network. The last line is "
                      "`return model`."),
        Misconception("predictions instead", lambda images, labels: np.asarray(labels),
                      "You return an array. New images come only after your function has ended: return the network."),
        Misconception("no convolution", lambda images, labels: Sequential(Flatten(), flat_network(images, labels)),
                      "Without a convolution it is an MLP or a logistic regression. Build it with your build_cnn."),
        Misconception("flat images", flat_network,
                      "Your network takes rows of 64 pixels. It will be given images of shape (n, 1, 8, 8)."),
        Misconception("one score", wrong_scores,
                      "Your network does not give ten scores for an image. The last layer is Linear(..., 10)."),
        Misconception("too few digits", lambda images, labels: RandomKernels(images, labels, rows=40),
                      "It has seen too little: do all images take part, in all epochs?"),
        Misconception("images in place", in_place,
                      "Your function changes the caller's images. Write images = images - ..., which makes new ones."),
    ],
    alternatives=[lambda images, labels: RandomKernels(images, labels, 150, 0.03),
                  lambda images, labels: Sequential(RandomKernels(images, labels, 110))])


EXERCISES = [WEIGHT, INPUT, POOL, BUILD, TRAIN]


# What a user may give to a right answer: not graded, but no change of one may go unnoticed (see mutation.py).

def any_convolution(make):
    def draw(rng):
        kernel = tuple(int(k) for k in rng.integers(1, 4, size=2))
        size = tuple(int(k) + int(n) for k, n in zip(kernel, rng.integers(0, 5, size=2), strict=True))
        batch, channels, out = map(int, rng.integers(1, 4, size=3))
        return make(batch, channels, out, size, kernel, int(rng.integers(1, 4)), int(rng.integers(0, 3)))(rng)
    return draw


def any_pooling(rng):
    size, stride = map(int, rng.integers(1, 4, size=2))
    shape = tuple(int(n) + size for n in rng.integers(0, 5, size=2))
    return pooled(*map(int, rng.integers(1, 3, size=2)), shape, size, stride, "ties" if rng.random() < 0.5 else "")(rng)


EXEMPT = {"train_cnn": "trains a network, for seconds"}
DOMAIN = {
    "conv2d_backward_weight": [Case("any convolution", any_convolution(images_and_gradient))],
    "conv2d_backward_input": [Case("any convolution", any_convolution(gradient_and_kernels))],
    "max_pool2d_backward": [Case("any pooling", any_pooling)],
    "build_cnn": [Case("any network", images_for_a_network, call=its_scores)],
}
