"""What learners, and those who come from PyTorch, get wrong: each has a sentence, and no wrong number in silence."""

import copy
import os
import pickle
import signal
import threading

import numpy as np
import pytest
from support import uniform

import nnlib
from nnlib import (
    GRU,
    LSTM,
    SGD,
    Adam,
    BatchNorm1d,
    Conv2d,
    DataError,
    Dropout,
    Flatten,
    GradientError,
    Linear,
    MultiHeadAttention,
    ReLU,
    Sequential,
    ShapeError,
    StepLR,
    Tensor,
    accuracy,
    architecture,
    cross_entropy,
    datasets,
    evaluate,
    fit,
    initializers,
    no_grad,
    numerical_gradient,
    predict,
    primitive,
    tuning,
)

IMAGES, KERNELS = uniform(1, (2, 3, 6, 5)), uniform(2, (4, 3, 3, 3))
X, T = uniform(3, (20, 5)), np.arange(20) % 2


def w(*shape):
    return Tensor(uniform(4, shape or (2, 3)), requires_grad=True)


def trained(**options):
    model = Sequential(Linear(5, 2))
    return fit(model, (X, T), **{"optimizer": SGD(model.parameters(), 0.1), "progress": False, "epochs": 1, **options})


@pytest.mark.parametrize(("call", "error", "sentence"), [
    # PyTorch's names
    (lambda: w().sum(dim=0), TypeError, "sum: expected arguments among x, axis, keepdims but got dim; PyTorch's dim"),
    (lambda: w().mean(axis=0, keepdim=True), TypeError, "mean: .* got keepdim; .*its keepdim keepdims"),
    (lambda: nnlib.relu(w(), inplace=True), TypeError, "relu: expected arguments among x but got inplace$"),
    (lambda: w().view(6), AttributeError, "what PyTorch calls view is reshape here"),
    (lambda: w().unsqueeze(0), AttributeError, r"x\[None\]"), (lambda: w().shap, AttributeError, "'shap'$"),
    (lambda: w().__setitem__(0, 1.0), TypeError, "elements do not change"),
    # kinds of data
    (lambda: nnlib.relu(["a"]), TypeError, "relu: expected real numbers but got dtype <U1"),
    (lambda: nnlib.exp(None), TypeError, "exp: expected real numbers but got dtype object"),
    (lambda: nnlib.sin([1j]), TypeError, "sin: .* dtype complex128"),
    (lambda: w() + "a", TypeError, "add: expected real numbers"),
    (lambda: nnlib.squared_loss(w(), np.full((2, 3), None)), TypeError, "squared_loss: .* dtype object"),
    (lambda: cross_entropy([["a", "b"]], [0]), TypeError, "cross_entropy: expected real numbers"),
    (lambda: nnlib.gaussian_nll_loss(w(), w().data, None), TypeError, "gaussian_nll_loss: .* dtype object"),
    (lambda: nnlib.where(X, X, 0.0), TypeError, "where: expected a boolean condition but got float64; try x > 0"),
    (lambda: nnlib.gru(X[:, None], None, *[uniform(0, (9, n)) for n in (5, 3)]), TypeError, "gru: .* dtype object"),
    # axes, shapes, sizes
    (lambda: w().sum(axis=1.5), TypeError, r"sum: cannot work on shape \(2, 3\): 'float' object"),
    (lambda: nnlib.concatenate([w(), w()], axis=None), TypeError, "concatenate: .*NoneType"),
    (lambda: nnlib.concatenate(w(), w()), TypeError, "concatenate: .*'Tensor' object"),
    (lambda: nnlib.lstm(X[:, None], *[np.zeros((2, 3))] * 2, *[uniform(0, (12, n)) for n in (5, 3)]), ShapeError,
     r"lstm: expected x .*4 hidden.* but got \(20, 1, 5\), \(2, 3\), \(2, 3\), \(12, 5\), \(12, 3\) and \(\), \(\)"),
    (lambda: nnlib.conv2d(IMAGES, KERNELS, stride=1.5), TypeError, "conv2d: expected stride to be an integer"),
    (lambda: nnlib.conv2d(IMAGES, KERNELS, stride=True), TypeError, "conv2d: expected stride to be an integer"),
    (lambda: nnlib.conv2d(IMAGES, KERNELS, padding="reflect"), ValueError, "^conv2d: expected padding to be a"),
    (lambda: nnlib.max_pool2d(IMAGES, 9), ShapeError, r"max_pool2d: a window of size \(9, 9\) is larger"),
    (lambda: nnlib.output_size("a", 5), TypeError, "output_size: expected size to be an integer"),
    (lambda: nnlib.batch_norm(X, np.zeros(5)), ShapeError, "expected a running mean and a running variance"),
    (lambda: nnlib.layer_norm(np.ones((2, 0)), 0), ShapeError, "none of them 0"),
    (lambda: nnlib.attention_weights(1.0, 1.0), ShapeError, r"attention: expected queries .* but got \(\) and \(\)"),
    (lambda: nnlib.causal_mask(2.5), TypeError, "causal_mask: expected length to be an integer"),
    (lambda: nnlib.positional_encoding(-1, 4), ValueError, "positional_encoding: expected length to be at least 0"),
    # layers
    (lambda: GRU(2.0, 3), TypeError, "GRU: expected input_size to be an integer but got 2.0"),
    (lambda: LSTM(2, 3, 1.5), TypeError, "LSTM: expected num_layers to be an integer"),
    (lambda: MultiHeadAttention("8", 2), TypeError, "MultiHeadAttention: expected embed_dim to be an integer"),
    (lambda: MultiHeadAttention(8, 2, 2.0), ValueError, "MultiHeadAttention: expected dropout to be a probability"),
    (lambda: Dropout("half"), TypeError, "Dropout: expected p to be a probability .* but got 'half'"),
    (lambda: Linear(2, 2).train("eval"), TypeError, "train: expected True or False but got 'eval'"),
    (lambda: Linear(2, 2).register_forward_hook(None), TypeError, "a function of .* but got None"),
    (lambda: nnlib.save(Linear(2, 2), "x.npz"), TypeError, r"save: expected a dict .*Linear; try save"),
    (lambda: nnlib.save({}, "no such folder/x.npz"), DataError, "save: there is no folder"),
    # optimizers, schedules, starts, seeds
    (lambda: SGD([w()], lr="0.1"), TypeError, "SGD: expected a finite learning rate above 0 but got '0.1'"),
    (lambda: Adam([w()], lr=None), TypeError, "Adam: expected a finite learning rate"),
    (lambda: Adam([w()], betas=0.9), ValueError, "Adam: expected two betas"),
    (lambda: nnlib.clip_grad_norm_([w()], "1"), TypeError, "clip_grad_norm_: expected a max_norm above 0"),
    (lambda: nnlib.AveragedModel(Linear(2, 2), "0.9"), TypeError, "AveragedModel: expected a decay"),
    (lambda: StepLR(5, SGD([w()], 0.1)), TypeError, "StepLR: expected a step_size"),
    (lambda: StepLR(Linear(2, 2), 5), TypeError, "StepLR: expected an optimizer, .* but got Linear"),
    (lambda: nnlib.LinearWarmup(SGD([w()], 0.1), 5, StepLR), ValueError, "LinearWarmup: expected `then`"),
    (lambda: initializers.normal_(w(), "a"), TypeError, "normal_: expected a finite mean"),
    (lambda: initializers.uniform_(w(), -np.inf, np.inf), ValueError, "uniform_: expected finite bounds"),
    (lambda: initializers.constant_(w(), "a"), TypeError, "constant_: expected a number"),
    (lambda: nnlib.manual_seed(-1), ValueError, "manual_seed: expected seed to be at least 0"),
    (lambda: nnlib.manual_seed("a"), TypeError, "manual_seed: expected seed to be an integer"),
    (lambda: nnlib.generator(-3), ValueError, "rng: expected the seed to be at least 0 but got -3"),
    (lambda: numerical_gradient(lambda x: x, X[0]), ShapeError, r"return one number but got shape \(5,\); take"),
    (lambda: numerical_gradient(np.sum, X[0], 0), ValueError, "numerical_gradient: expected a step above 0"),
    # training and tuning
    (lambda: trained(loss="cross_entropy"), TypeError, "fit: expected loss to be a function but got 'c"),
    (lambda: trained(loss=None), TypeError, "fit: expected loss to be a function but got None"),
    (lambda: trained(metric="accuracy"), TypeError, "fit: expected metric to be a function"),
    (lambda: trained(metric=lambda outputs, t: np.ones(3)), TypeError, r"a number but got ndarray of shape \(3,\)"),
    (lambda: trained(callbacks=print), TypeError, r"fit: expected callbacks to be a list but got builtin"),
    (lambda: trained(batch_callbacks=["a"]), TypeError, r"fit: expected batch_callbacks\[0\] to be a function"),
    (lambda: trained(schedule=StepLR), TypeError, "fit: expected a schedule but got <class"),
    (lambda: trained(seed=-1), ValueError, "expected the seed to be at least 0"),
    (lambda: evaluate(Linear(5, 2), (X, T), loss="a"), TypeError, "evaluate: expected loss to be a function"),
    (lambda: predict(LSTM(5, 2), X[:, None]), TypeError, "predict: expected .* one tensor but got tuple"),
    (lambda: accuracy(uniform(0, (3, 2)), [0, 5, 1]), ValueError, "expected targets 0 to 1 .* got 0 to 5"),
    (lambda: accuracy(uniform(0, (3,)), [0, 2, 1]), ValueError, "accuracy: expected targets 0 to 1"),
    (lambda: accuracy(uniform(0, (3,)), [-1, 0, 1]), ValueError, "accuracy: expected targets -1 to 1"),
    (lambda: tuning.refine({"x": tuning.uniform(0, 1)}, [1]), TypeError, "refine: expected the Results of a search"),
    (lambda: tuning.refine({"x": tuning.uniform(0, 1)}, tuning.grid_search(abs, {"x": [1]}, progress=False)),
     ValueError, "all 1 trials failed"),
    (lambda: tuning.refine({"y": tuning.uniform(0, 1)},
                           tuning.grid_search(lambda x: x, {"x": [1]}, progress=False)), ValueError, "have no y"),
    (lambda: tuning.choice(3), TypeError, r"choice: expected a list of options but got 3; try choice\(\[3\]\)"),
    # architecture and data
    (lambda: architecture.layer_table(5, (5,)), TypeError, "expected a module, an Architecture"),
    (lambda: architecture.layer_table((3,), (5,)), TypeError, "layer 0: expected a module or a plain layer"),
    (lambda: architecture.layer_table(Linear(5, 2), "5"), ShapeError, "expected an input shape without batch"),
    (lambda: architecture.layer_table((architecture.Dense(-3),), (5,)), ValueError, "Dense: expected out to be at"),
    (lambda: architecture.layer_table((architecture.Conv(2, 3, groups=0),), (2, 5, 5)), ValueError, "Conv: .* groups"),
    (lambda: architecture.receptive_field([(3.5, 1)]), TypeError, "to be an integer but got 3.5"),
    (lambda: architecture.summary(architecture.VGG16, (3, 8, 8)), TypeError, "summary: expected a module"),
    (lambda: datasets.load_digits("38"), ValueError, "different digits"),
    (lambda: datasets.load_digits((1.0, 2.0)), ValueError, "different digits"),
    (lambda: datasets.make_xor(2.5), TypeError, "make_xor: expected n to be an integer"),
    (lambda: datasets.make_blobs(-5), ValueError, "make_blobs: expected n to be at least 2"),
    (lambda: datasets.make_blobs().split("a"), TypeError, "split: expected a test fraction"),
    (lambda: datasets.make_blobs().folds(2.5), TypeError, "folds: expected k from 2"),
    (lambda: datasets.rotate(IMAGES, "a"), TypeError, "rotate|affine: expected max_degrees of at least 0"),
    (lambda: datasets.Normalizer([[np.inf], [1.0]]), ValueError, "Normalizer: expected finite numbers"),
    (lambda: datasets.Normalizer([[1e308], [-1e308]]), ValueError, "Normalizer: expected finite numbers"),
    (lambda: datasets.Normalizer([["a"]]), TypeError, "Normalizer: expected real numbers"),
])
@pytest.mark.filterwarnings("error")
def test_a_misuse_has_its_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


def test_what_looks_like_misuse_and_works():
    np.testing.assert_array_equal(nnlib.softmax(2.0), 1.0)
    np.testing.assert_array_equal(nnlib.log_softmax(np.array(3.0)), 0.0)
    assert nnlib.logsumexp(2) == 2.0 and nnlib.softplus(True) == pytest.approx(1.3132616875182228)
    bias = [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_array_equal(nnlib.conv2d(IMAGES, KERNELS, bias), nnlib.conv2d(IMAGES, KERNELS, np.array(bias)))
    np.testing.assert_array_equal(nnlib.layer_norm(X, 5, [2.0] * 5), 2 * nnlib.layer_norm(X, 5))
    np.testing.assert_array_equal(nnlib.batch_norm(X, weight=[2.0] * 5, training=True),
                                  2 * nnlib.batch_norm(X, training=True))
    assert float(Tensor([2.0])) == 2.0
    assert datasets.load_digits(3).class_names == ("3",)
    assert accuracy(np.full((3, 2), np.nan), [0, 1, 0]) == 0.0 == accuracy(np.full(3, np.nan), [0, 0, 0])


def test_a_layer_of_float32_gives_float64_for_float64_data():
    layer = Linear(64, 10)
    y = layer(datasets.load_digits().X)
    y.sum().backward()
    assert y.dtype == np.float64 and layer.weight.grad.dtype == np.float32


def test_an_option_that_wants_a_gradient_is_refused():
    slope = Tensor(0.1, requires_grad=True)
    with pytest.raises(GradientError, match="leaky_relu: one of its options is a tensor that wants a gradient"):
        nnlib.leaky_relu(w(), slope).sum().backward()
    with pytest.raises(GradientError, match="clip: one of its options"):
        nnlib.clip(w(), max=slope).sum().backward()


def test_a_type_error_inside_an_operation_of_ones_own_keeps_its_cause():
    @primitive
    def broken(x):
        return x + None, lambda g: (g,)

    with pytest.raises(TypeError, match=r"broken: cannot work on shape \(2, 3\)") as caught:
        broken(w())
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize("change", ["step", "in place"])
def test_a_parameter_that_changed_after_the_forward_pass(change):
    """The vector-Jacobian products would see its new values: not the gradient where the loss was computed."""
    p = Tensor([1.0, 2.0], requires_grad=True)
    optimizer = SGD([p], lr=1.0)
    loss = (p * p).sum()
    if change == "step":
        p.grad = np.ones(2)
        optimizer.step()
    else:
        with no_grad():
            p -= 1.0
    with pytest.raises(GradientError, match="a parameter has changed since multiply computed with it.*before the step"):
        loss.backward()
    optimizer.zero_grad()
    (p * p).sum().backward()
    np.testing.assert_array_equal(p.grad, 2 * p.data)
    for twin in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        twin.zero_grad()
        (twin * twin).sum().backward()
        np.testing.assert_array_equal(twin.grad, 2 * p.data)


@pytest.mark.parametrize("gradient", [np.ones(1), np.ones((2, 3)), [1.0, 1.0, 1.0], 1.0])
def test_a_gradient_of_another_shape_moves_nothing(gradient):
    p = Tensor(np.ones(3), requires_grad=True)
    p.grad = gradient
    with pytest.raises(ShapeError, match=r"SGD: expected a gradient that is an array of shape \(3,\) but parameter 0"):
        SGD([p], lr=0.1).step()
    np.testing.assert_array_equal(p.data, 1.0)


def test_a_parameter_in_two_places_and_a_thousand_layers():
    layer = Linear(3, 3, dtype=np.float64)
    model = Sequential(layer, nnlib.tanh, layer)
    assert len(list(model.parameters())) == 2
    nnlib.gradcheck(lambda x, *parameters: model(x), uniform(1, (2, 3)), *model.parameters())
    deep = Sequential(*[Linear(4, 4, rng=i) for i in range(1000)])
    twin = pickle.loads(pickle.dumps(copy.deepcopy(deep)))
    x = Tensor(uniform(1, (2, 4)), requires_grad=True)
    twin(x).sum().backward()
    np.testing.assert_array_equal(twin(x).data, deep(x).data)
    assert x.grad.shape == (2, 4) and len(repr(deep).splitlines()) == 1002


def test_a_model_and_its_optimizer_are_copied_together():
    model = Sequential(Linear(3, 3), BatchNorm1d(3))
    optimizer = Adam(model.parameters())
    model(uniform(1, (4, 3))).sum().backward()
    optimizer.step()
    model_2, optimizer_2 = copy.deepcopy((model, optimizer))
    assert all(a is b for a, b in zip(model_2.parameters(), optimizer_2.params, strict=True))
    optimizer.step()
    optimizer_2.step()
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(model_2.state_dict()[name], array)


def test_two_runs_in_two_threads_are_as_alone():
    X = uniform(1, (100, 1, 8, 8)).astype(np.float32)
    t = (X.mean((1, 2, 3)) > 0).astype(int)

    def run(seed, losses):
        model = Sequential(Conv2d(1, 8, 3, rng=seed), ReLU(), Dropout(0.3), Flatten(), Linear(288, 2, rng=seed))
        losses[seed] = fit(model, (X, t), optimizer=Adam(model.parameters()), epochs=2, seed=seed, progress=False).loss

    alone, together = {}, {}
    for seed in (1, 2):
        run(seed, alone)
    threads = [threading.Thread(target=run, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone == together


@pytest.mark.skipif(os.name == "nt", reason="signals to oneself are another thing on Windows")
def test_a_convolution_works_on_after_an_interrupt():
    x, kernels = uniform(1, (64, 16, 30, 30)).astype(np.float32), uniform(2, (32, 16, 5, 5)).astype(np.float32)
    expected = nnlib.conv2d(x[:4], kernels)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            timer.start()
            for _ in range(1000):
                nnlib.conv2d(x, kernels)
    finally:
        signal.signal(signal.SIGINT, before)
    np.testing.assert_allclose(nnlib.conv2d(x, kernels)[:4], expected, rtol=1e-4, atol=1e-4)
