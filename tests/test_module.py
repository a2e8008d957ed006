"""Modules: which parameters and buffers they own and how these are named, modes, hooks, states and files."""

import copy
import os
import pickle
import zipfile

import numpy as np
import pytest

from nnlib import (
    DataError,
    GradientError,
    Linear,
    Module,
    NnlibError,
    Parameter,
    ReLU,
    Sequential,
    ShapeError,
    Tensor,
    load,
    save,
)


class Scale(Module):
    """A parameter, a buffer and some attributes that are neither."""

    def __init__(self, value=2.0):
        self.size = 3
        self.factor = Parameter(np.full(3, value))
        self.seen = Tensor(np.zeros(()))
        self.last = None

    def forward(self, x):
        self.last = x * self.factor  # a result: no member
        self.seen.data += 1
        return self.last


class Network(Module):
    """Children as attribute, in a list, a tuple and a dict; a parameter of its own between them."""

    def __init__(self):
        self.first = Scale()
        self.blocks = [Scale(3.0), Sequential(Scale(4.0), ReLU())]
        self.shift = Tensor(np.ones(3), requires_grad=True)
        self.pair = (Scale(5.0), "no module", np.ones(2))
        self.heads = {"a": Scale(6.0)}

    def forward(self, x):
        x = self.blocks[1](self.blocks[0](self.first(x)))
        return self.heads["a"](self.pair[0](x)) + self.shift


NAMES = ["first.factor", "blocks.0.factor", "blocks.1.0.factor", "shift", "pair.0.factor", "heads.a.factor"]
BUFFERS = ["first.seen", "blocks.0.seen", "blocks.1.0.seen", "pair.0.seen", "heads.a.seen"]


def test_parameters_and_buffers_are_found_and_named():
    network = Network()
    named = dict(network.named_parameters())
    assert sorted(named) == sorted(NAMES)
    assert sorted(name for name, _ in network.named_buffers()) == sorted(BUFFERS)
    assert named["blocks.1.0.factor"] is network.blocks[1][0].factor and named["shift"] is network.shift
    assert [id(p) for p in network.parameters()] == [id(p) for p in named.values()]
    network(np.ones((2, 3)))
    assert sorted(dict(network.named_parameters())) == sorted(NAMES)  # what forward keeps of its results is no member


def test_modules_and_children_in_order_of_assignment():
    network = Network()
    assert [name for name, _ in network.named_children()] == ["first", "blocks.0", "blocks.1", "pair.0", "heads.a"]
    assert list(network.children()) == [network.first, *network.blocks, network.pair[0], network.heads["a"]]
    assert [name for name, _ in network.named_modules()] == [
        "", "first", "blocks.0", "blocks.1", "blocks.1.0", "blocks.1.1", "pair.0", "heads.a"]
    assert next(network.modules()) is network
    assert [name for name, _ in network.named_modules("net")][:2] == ["net", "net.first"]


def test_assigning_later_and_replacing():
    network = Network()
    network.first = Linear(3, 3, bias=False)
    network.extra = Parameter([1.0])
    assert sorted(dict(network.named_parameters())) == sorted(["first.weight", "extra", *NAMES[1:]])
    del network.extra
    assert "extra" not in network.state_dict()


def test_what_is_shared_is_met_once():
    shared = Scale()
    network = Sequential(shared, ReLU(), shared)
    other = Linear(3, 3)
    other.weight = network[0].factor
    both = Sequential(network, other)
    assert [name for name, _ in both.named_parameters()] == ["0.0.factor", "1.bias"]
    assert len(list(both.modules())) == 5
    both.requires_grad_(False)
    assert [name for name, _ in both.named_parameters()] == ["0.0.factor", "1.bias"]


def test_a_module_that_holds_its_owner_does_not_run_for_ever():
    network = Network()
    network.first.owner = network
    assert sorted(dict(network.named_parameters())) == sorted(NAMES)
    assert network.eval().first.training is False
    clone = copy.deepcopy(network)
    assert clone.first.owner is clone


def test_a_very_deep_network_is_walked():
    network = Scale()
    for _ in range(3000):
        outer = Module()
        outer.inner, network = network, outer
    assert len(list(network.modules())) == 3001 and len(list(network.parameters())) == 1


def test_train_and_eval_reach_all_and_give_the_module_back():
    network = Network()
    assert all(m.training for m in network.modules())
    assert network.eval() is network and not any(m.training for m in network.modules())
    assert network.train() is network and all(m.training for m in network.modules())
    network.blocks[1].eval()
    assert [m.training for m in network.modules()] == [True] * 3 + [False] * 3 + [True] * 2
    assert Module.training is True


def test_gradients_arrive_and_are_forgotten():
    network = Network()
    network(np.ones((2, 3))).sum().backward()
    np.testing.assert_allclose(network.first.factor.grad, 2 * 3 * 4 * 5 * 6 * np.ones(3))
    np.testing.assert_array_equal(network.shift.grad, [2, 2, 2])
    network.zero_grad()
    assert all(p.grad is None for p in network.parameters())


def test_freezing():
    network = Network()
    del network.shift  # a plain tensor that wants no gradient is a buffer
    assert network.requires_grad_(False) is network
    assert sorted(dict(network.named_parameters())) == sorted(set(NAMES) - {"shift"})
    network.shift = np.ones(3)
    with pytest.raises(GradientError):
        network(np.ones((2, 3))).sum().backward()
    network.first.requires_grad_()
    network(np.ones((2, 3))).sum().backward()
    assert network.first.factor.grad is not None and network.heads["a"].factor.grad is None


def test_conversion_to_another_precision():
    network = Network()
    network(np.ones((1, 3))).sum().backward()
    assert network.to(np.float32) is network
    assert all(p.dtype == np.float32 and p.grad is None for p in network.parameters())
    assert all(b.dtype == np.float32 for _, b in network.named_buffers())
    assert network(np.ones((1, 3), np.float32)).dtype == np.float32
    with pytest.raises(TypeError, match="floating-point dtype but got int64"):
        network.to(int)


def test_a_parameter_copies_its_array():
    array = np.ones(2)
    for parameter in (Parameter(array), Parameter(Tensor(array)), Parameter(array, requires_grad=False)):
        parameter.data[:] = 5
        assert (array == 1).all() and isinstance(parameter, Tensor)
    assert Parameter(array).requires_grad and not Parameter(array, False).requires_grad
    with pytest.raises(TypeError, match="only floating-point tensors have gradients"):
        Parameter([1, 2])
    frozen = Module()
    frozen.w = Parameter(array, requires_grad=False)
    assert list(frozen.parameters()) == [frozen.w] and list(frozen.named_buffers()) == []


def test_forward_is_to_be_written():
    class Unfinished(Module):
        pass

    with pytest.raises(NotImplementedError, match="Unfinished has no forward method"):
        Unfinished()(1)


def test_several_inputs_and_options_reach_forward():
    class Add(Module):
        def forward(self, a, b, factor=1):
            return (a + b) * factor

    assert Add()(1, 2, factor=10) == 30


def test_hooks_see_inputs_and_outputs_in_order_until_removed():
    network, seen = Network(), []
    handle = network.first.register_forward_hook(lambda *call: seen.append(call))
    second = network.first.register_forward_hook(lambda *call: seen.append("second"))
    x = np.ones((1, 3))
    network(x)
    module, inputs, output = seen[0]
    assert module is network.first and inputs[0] is x and output is network.first.last and seen[1] == "second"
    handle.remove()
    handle.remove()
    network(x)
    assert seen[2:] == ["second"]
    second.remove()
    network(x)
    assert len(seen) == 3 and Scale()._hooks == ()


def test_printed_form():
    network = Sequential(Linear(3, 2), Sequential(ReLU(), Scale()))
    assert repr(network) == """Sequential(
  (0): Linear(in_features=3, out_features=2, bias=True)
  (1): Sequential(
    (0): ReLU()
    (1): Scale()
  )
)"""


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_is_equal_and_independent(twin):
    network = Network()
    other = twin(network)
    assert type(other) is Network and sorted(dict(other.named_parameters())) == sorted(NAMES)
    assert all(isinstance(p, Parameter) for p in (other.first.factor, other.heads["a"].factor))
    x = np.ones((2, 3))
    np.testing.assert_array_equal(other(x).data, network(x).data)
    other.first.factor.data[:] = 0
    assert (network.first.factor.data == 2).all()
    other(x).sum().backward()
    assert network.shift.grad is None


# States.

def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
        assert a[name].dtype == b[name].dtype
    return True


def test_a_state_goes_from_one_model_to_another():
    source, target = Network(), Network()
    source.first.factor.data[:] = [7, 8, 9]
    source(np.ones((1, 3)))
    state = source.state_dict()
    assert sorted(state) == sorted(NAMES + BUFFERS)
    arrays = [p.data for p in target.parameters()]
    target.load_state_dict(state)
    assert same(target.state_dict(), source.state_dict())
    assert all(p.data is a for p, a in zip(target.parameters(), arrays))  # in place: optimizers keep their hold
    state["first.factor"][:] = 0  # a state is a copy, both ways
    assert (source.first.factor.data == [7, 8, 9]).all() and (target.first.factor.data == [7, 8, 9]).all()


def test_a_state_may_hold_tensors_lists_and_another_precision():
    network = Sequential(Linear(2, 1))
    network.load_state_dict({"0.weight": Tensor([[1.0, 2.0]], requires_grad=True), "0.bias": [3]})
    assert network[0].weight.dtype == np.float32
    np.testing.assert_array_equal(network[0].weight.data, [[1, 2]])
    np.testing.assert_array_equal(network[0].bias.data, [3])


@pytest.mark.parametrize(("change", "error", "sentence"), [
    (lambda s: s.pop("shift"), NnlibError, "missing: shift; unknown: none; build the model with the same layers"),
    (lambda s: s.update(extra=np.ones(1)), NnlibError, "missing: none; unknown: extra"),
    (lambda s: (s.clear(), s.update({f"w{i}": 0 for i in range(9)})), NnlibError,
     r"missing: \S+, \S+, \S+, \S+ and 7 more; unknown: w0, w1, w2, w3 and 5 more"),
    (lambda s: s.update({"shift": np.ones(4)}), ShapeError, r"'shift' of shape \(3,\) but got \(4,\)"),
    (lambda s: s.update({"heads.a.factor": np.ones(1)}), ShapeError, r"but got \(1,\)"),  # no broadcasting
    (lambda s: s.update({"shift": np.array(["a", "b", "c"])}), TypeError, "numbers for 'shift' but got dtype <U1"),
    (lambda s: s.update({"shift": [None] * 3}), TypeError, "numbers for 'shift' but got dtype object"),
    (lambda s: s.update({"shift": np.ones(3) * 1j}), TypeError, "got dtype complex128"),
])
def test_a_state_that_does_not_fit_leaves_the_model_as_it_was(change, error, sentence):
    network = Network()
    before, state = network.state_dict(), {key: value + 1 for key, value in network.state_dict().items()}
    change(state)
    with pytest.raises(error, match=f"load_state_dict: .*{sentence}"):
        network.load_state_dict(state)
    assert same(network.state_dict(), before)


@pytest.mark.parametrize("state", ["weights.npz", None, [np.ones(3)]])
def test_a_state_is_a_dict(state):
    with pytest.raises(TypeError, match=r"expected a dict .* but got (str|NoneType|list).*load\(path\)"):
        Network().load_state_dict(state)


# Files.

@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.npz"
    network = Network()
    network.first.factor.data[:] = np.random.default_rng(0).normal(size=3)
    save(network.state_dict(), path)
    return path


def test_saving_and_loading_gives_every_bit_back(file, tmp_path):
    network = Network()
    network.load_state_dict(load(file))
    assert same(network.state_dict(), load(str(file)))
    network.to(np.float32)
    save(network.state_dict(), str(tmp_path / "without_ending"))  # the name stays as it was given
    assert same(load(tmp_path / "without_ending"), network.state_dict())
    assert sorted(os.listdir(tmp_path)) == ["weights.npz", "without_ending"]


def test_the_names_of_numpy_are_free(tmp_path):
    state = {"file": np.ones(2), "allow_pickle": np.zeros(1), "args": np.zeros(1), "a.b/c": np.ones(())}
    save(state, tmp_path / "odd.npz")
    assert same(load(tmp_path / "odd.npz"), state)


def test_an_interrupted_save_leaves_the_old_file(file):
    before = file.read_bytes()

    class Interrupts:
        def __array__(self, dtype=None, copy=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save({"a": np.ones(3), "b": Interrupts()}, file)
    assert file.read_bytes() == before and os.listdir(file.parent) == ["weights.npz"]


def test_a_file_that_was_never_written(tmp_path):
    with pytest.raises(DataError, match="there is no file .*none.npz; save"):
        load(tmp_path / "none.npz")
    with pytest.raises(OSError):
        save({"a": np.ones(1)}, tmp_path / "no_folder" / "weights.npz")


class Explodes:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def pickled_array(path):
    np.savez(open(path, "wb"), shift=np.array([Explodes()], dtype=object))


FOREIGN = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("epoch,loss\n1,0.5\n"),
    "one array": lambda path: np.save(open(path, "wb"), np.ones(3)),
    "pickle": lambda path: path.write_bytes(pickle.dumps(Explodes())),
    "pickled array": pickled_array,
    "pickled alone": lambda path: np.save(open(path, "wb"), np.array([Explodes()], dtype=object)),
    "other zip": lambda path: zipfile.ZipFile(path, "w").writestr("readme.txt", "hello"),
    "zip of junk arrays": lambda path: zipfile.ZipFile(path, "w").writestr("shift.npy", b"\x93NUMPY\x01\x00junk"),
    "only the magic": lambda path: path.write_bytes(b"PK\x03\x04"),
    "directory": lambda path: path.mkdir(),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused_and_nothing_in_it_is_executed(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "foreign.npz"
    FOREIGN[kind](path)
    network = Network()
    before = network.state_dict()
    with pytest.raises((DataError, NnlibError), match="damaged or was not written by|of another model"):
        network.load_state_dict(load(path))
    assert same(network.state_dict(), before) and not (tmp_path / "executed").exists()


def test_a_damaged_file_is_refused_wherever_the_damage_is(file, tmp_path):
    whole, path = file.read_bytes(), tmp_path / "damaged.npz"
    rng, expected = np.random.default_rng(1), load(file)
    cut = [whole[:size] for size in range(0, len(whole), 97)]
    flipped = []
    for place in rng.integers(0, len(whole), 150):
        flipped.append(bytearray(whole))
        flipped[-1][place] ^= 1 << rng.integers(8)
    for content in cut:
        path.write_bytes(content)
        with pytest.raises(DataError, match="damaged"):
            load(path)
    for content in flipped:
        path.write_bytes(content)
        network = Network()
        try:
            network.load_state_dict(load(path))
        except NnlibError:
            assert same(network.state_dict(), Network().state_dict())
        else:
            assert same(network.state_dict(), expected)  # the flipped bit carries no meaning, such as a date
