"""MNIST and Fashion-MNIST: reading files of any content, and fetching them from a server on this machine."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import re
import struct
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnlib import DataError
from nnlib.datasets import downloads, load_fashion_mnist, load_mnist


def idx(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


IMAGES, LABELS = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 256, np.array([7, 0, 9])
NAMES = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = {f"{name}.gz": gzip.compress(idx(array), mtime=0) for name, array in zip(NAMES, (IMAGES, LABELS), strict=True)}


@pytest.fixture(autouse=True)
def no_folder_of_the_learner(monkeypatch):
    monkeypatch.delenv("NNLIB_DATA", raising=False)


@pytest.fixture
def publish(monkeypatch):
    """publish({file: bytes}): let these be the files of both sets, zipped and unzipped."""
    def published(files):
        for key in downloads._HASHES:
            for hashes, contents in ((downloads._HASHES, files),
                                     (downloads._UNZIPPED, {n: gzip.decompress(c) for n, c in files.items()})):
                monkeypatch.setitem(hashes, key, {
                    **{name.replace("t10k", "train"): "0" * 64 for name in files},
                    **{name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}})
    return published


@pytest.fixture
def folder(tmp_path, publish):
    publish(FILES)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def assert_is_the_small_set(data):
    assert data.X.shape == (3, 784) and data.images.shape == (3, 1, 28, 28)
    assert data.X.dtype == np.float32 and data.t.dtype == np.int64
    np.testing.assert_array_equal(data.t, LABELS)
    np.testing.assert_array_equal(data.images[:, 0], IMAGES.astype(np.float32) / np.float32(255))


# Files

@pytest.mark.parametrize("change", ["zipped", "unzipped", "unzipped by the browser, which keeps the name"])
def test_mnist_from_a_folder(folder, change):
    for name in NAMES if change != "zipped" else ():
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
        (folder / f"{name}.gz").unlink()
        (folder / (name if change == "unzipped" else f"{name}.gz")).write_bytes(content)
    data = load_mnist(str(folder), part="t10k")
    assert_is_the_small_set(data)
    assert_is_the_small_set(load_mnist(folder, part="test"))
    assert data.name == "MNIST" and data.class_names == tuple("0123456789") and data.feature_names[29] == "pixel 1,1"
    data.X[0, 0], data.t[0] = 0.5, 1  # the arrays may be written to


def test_fashion_mnist_has_names_of_clothes(folder):
    data = load_fashion_mnist(folder, part="test")
    assert_is_the_small_set(data)
    assert data.name == "Fashion-MNIST" and data.class_names[9] == "ankle boot" and len(data.class_names) == 10


def test_a_folder_without_the_files(tmp_path):
    with pytest.raises(DataError, match="MNIST is optional .* train-images-idx3-ubyte.gz is not in .*go on without"):
        load_mnist(tmp_path)


def test_a_part_that_does_not_exist(folder):
    with pytest.raises(ValueError, match="MNIST: expected part='train' or part='test' but got 'valid'"):
        load_mnist(folder, part="valid")


@pytest.mark.parametrize("own", ["mnist", "."])
def test_the_folder_that_the_environment_names(folder, tmp_path_factory, monkeypatch, own):
    data = tmp_path_factory.mktemp("data")
    (data / own).mkdir(exist_ok=True)
    for name, content in FILES.items():
        (data / own / name).write_bytes(content)
    monkeypatch.setenv("NNLIB_DATA", str(data))
    monkeypatch.setattr(downloads, "_download", lambda *arguments: pytest.fail("no network is needed"))
    assert_is_the_small_set(load_mnist(part="test"))


def test_a_folder_that_is_given_is_the_only_one_searched(folder, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("NNLIB_DATA", str(folder))
    with pytest.raises(DataError, match="is not in .*elsewhere"):
        load_mnist(tmp_path_factory.mktemp("elsewhere"), part="test")


def test_fashion_mnist_does_not_take_the_files_of_mnist(folder, monkeypatch):
    monkeypatch.setenv("NNLIB_DATA", str(folder))
    wanted = []
    monkeypatch.setattr(downloads, "_download", lambda *arguments: wanted.append(arguments) or folder / "none")
    with pytest.raises(DataError, match="cannot be read .No such file"):
        load_fashion_mnist(part="test")
    assert wanted == [("fashion-mnist", "Fashion-MNIST", "t10k-images-idx3-ubyte.gz", folder / "fashion-mnist")]


def corrupt(raw):
    middle = len(raw) // 2
    return raw[:middle] + bytes(255 - b for b in raw[middle:middle + 40]) + raw[middle + 40:]


def header(*sizes, magic=(0, 0, 8, 3)):
    return bytes(magic) + struct.pack(f">{len(sizes)}I", *sizes)


@pytest.mark.parametrize(("damage", "sentence"), [
    (lambda raw: b"", "does not begin"), (lambda raw: raw[:2], ""), (lambda raw: raw[:len(raw) // 2], ""),
    (lambda raw: raw[:-4], ""), (corrupt, ""), (lambda raw: raw + b"more", ""), (lambda raw: raw + raw, "got more"),
    (lambda raw: b"<html>not found</html>", "does not begin"), (lambda raw: gzip.compress(b""), "does not begin"),
    (lambda raw: gzip.compress(idx(IMAGES)[:3]), "does not begin"),
    (lambda raw: gzip.compress(idx(IMAGES)[:7]), "does not begin"),
    (lambda raw: gzip.compress(idx(IMAGES)[:12]), "does not begin"),
    (lambda raw: gzip.compress(idx(IMAGES)[:-1]), "expected 2352 bytes after the header but got 2351"),
    (lambda raw: idx(IMAGES)[:-1], "but got 2351"),
    (lambda raw: gzip.compress(idx(IMAGES) + b"m"), "expected 2352 bytes after the header but got more"),
    (lambda raw: gzip.compress(idx(LABELS)), "IDX file of bytes with 3 axes"),
    (lambda raw: gzip.compress(bytes([0, 0, 13, 3]) + idx(IMAGES)[4:]), "does not begin"),
    (lambda raw: gzip.compress(bytes([1, 0, 8, 3]) + idx(IMAGES)[4:]), "does not begin"),
    (lambda raw: gzip.compress(bytes([0, 0, 8, 0])), "does not begin"),
    (lambda raw: gzip.compress(header(2**32 - 1, 2**32 - 1, 2**32 - 1)), "expected sizes"),
    (lambda raw: gzip.compress(header(60_001, 28, 28)), r"up to 60000 but got \(60001, 28, 28"),
    (lambda raw: gzip.compress(header(3, 0, 28)), "expected sizes"),
    (lambda raw: gzip.compress(header(0, 2**32 - 1, 2**32 - 1)), "expected sizes"),
    (lambda raw: gzip.compress(header(1, 29, 27) + bytes(783)), "expected sizes"),
])
def test_damaged_files_even_if_their_hash_were_right(damage, sentence):
    with pytest.raises(DataError, match=f"^a.gz is damaged or not an MNIST file .*{sentence}.*again"):
        downloads._read_idx(damage(FILES[f"{NAMES[0]}.gz"]), "a.gz", (28, 28))


@pytest.mark.parametrize("damage", [
    corrupt, lambda raw: raw[:len(raw) // 2], lambda raw: raw + b"m", lambda raw: b"",
    lambda raw: FILES[f"{NAMES[1]}.gz"], lambda raw: gzip.compress(idx(IMAGES), 1),
    lambda raw: gzip.compress(idx(255 - IMAGES))],
    ids=["tampered with", "cut", "longer", "empty", "the labels", "zipped again", "other images"])
@pytest.mark.parametrize("way", ["folder", "NNLIB_DATA", "link"])
def test_a_file_that_is_not_the_published_one_is_not_opened(folder, monkeypatch, tmp_path_factory, damage, way):
    path = folder / f"{NAMES[0]}.gz"
    content = damage(path.read_bytes())
    if way == "link":
        target = tmp_path_factory.mktemp("elsewhere") / "file"
        target.write_bytes(content)
        path.unlink()
        try:
            path.symlink_to(target)
        except OSError:
            pytest.skip("links need a right on Windows")
    else:
        path.write_bytes(content)
    monkeypatch.setenv("NNLIB_DATA", str(folder))
    monkeypatch.setattr(downloads, "_read_idx", lambda *arguments: pytest.fail("it was opened"))
    with pytest.raises(DataError, match="images-idx3-ubyte.gz is not the published file of MNIST.*again"):
        load_mnist(folder if way == "folder" else None, part="test")


def test_an_endless_file_is_read_to_a_bound(folder, monkeypatch):
    monkeypatch.setattr(downloads, "_LARGEST", 1 << 20)
    path = folder / f"{NAMES[0]}.gz"
    with path.open("r+b") as file:
        file.truncate(1 << 34)  # bytes that take no room on the disk
    tracemalloc.start()
    with pytest.raises(DataError, match="is not the published file"):
        load_mnist(folder, part="test")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_not_read(folder):
    (folder / f"{NAMES[0]}.gz").unlink()
    os.mkfifo(folder / f"{NAMES[0]}.gz")
    with pytest.raises(DataError, match="is not in"):
        load_mnist(folder, part="test")


def test_images_and_labels_of_different_parts(folder, publish):
    publish(FILES | {f"{NAMES[1]}.gz": gzip.compress(idx(LABELS[:2]), mtime=0)})
    (folder / f"{NAMES[1]}.gz").write_bytes(gzip.compress(idx(LABELS[:2]), mtime=0))
    with pytest.raises(DataError, match="MNIST: 3 images but 2 labels; are the files of one part"):
        load_mnist(folder, part="test")


def test_labels_that_are_no_digits(folder, publish):
    wrong = gzip.compress(idx(np.array([1, 10, 2])), mtime=0)
    publish(FILES | {f"{NAMES[1]}.gz": wrong})
    (folder / f"{NAMES[1]}.gz").write_bytes(wrong)
    with pytest.raises(DataError, match="expected labels from 0 to 9 but got 10"):
        load_mnist(folder, part="test")


def test_a_file_without_images(folder, publish):
    files = {f"{name}.gz": gzip.compress(idx(array), mtime=0) for name, array in zip(NAMES, (IMAGES[:0], LABELS[:0]))}
    publish(files)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert load_mnist(folder, part="test").X.shape == (0, 784)


@st.composite
def almost_idx(draw):
    """Bytes that begin well, or nearly so, zipped or not, and may be cut or changed in one place."""
    sizes = draw(st.lists(st.one_of(st.sampled_from([0, 1, 2, 28, 60_000, 2**32 - 1])), max_size=4))
    content = bytearray(header(*sizes, magic=(0, 0, 8, draw(st.integers(0, 4)))) + draw(st.binary(max_size=100))
                        + bytes(draw(st.sampled_from([0, 784, 1568]))))
    content = gzip.compress(content, mtime=0) if draw(st.booleans()) else bytes(content)
    if content and draw(st.booleans()):
        place = draw(st.integers(0, len(content) - 1))
        content = content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1:]
    return content[:draw(st.integers(0, len(content)))] if draw(st.booleans()) else content


@settings(max_examples=150, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), almost_idx()))
@example(content=idx(IMAGES[:1]))
def test_any_bytes_give_an_array_or_a_data_error(content):
    for shape in ((28, 28), ()):
        try:
            array = downloads._read_idx(content, "any", shape)
        except DataError as error:
            assert "damaged" in str(error)
        else:
            assert array.dtype == np.uint8 and array.shape[1:] == shape
            assert np.array_equal(array.ravel(), np.frombuffer(gzip.decompress(content) if content[:1] == b"\x1f" else
                                                               content, np.uint8)[8 + 4 * len(shape):])


@pytest.mark.parametrize("claim", [(60_000, 28, 28), (1, 28, 28), (2**32 - 1, 28, 28)])
@pytest.mark.parametrize("zeros", [0, 200_000_000])
def test_memory_is_bounded_whatever_a_header_claims_or_a_file_unzips_to(claim, zeros):
    bomb = io.BytesIO()
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(header(*claim))
        for _ in range(zeros // 20_000_000):
            file.write(bytes(20_000_000))
    bomb = bomb.getvalue()
    tracemalloc.start()
    with pytest.raises(DataError, match="damaged"):
        downloads._read_idx(bomb, "bomb", (28, 28))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (120e6 if claim[0] == 60_000 and zeros else 3e6)  # of a full set's 47 MB, an array that grew


# Downloads

@pytest.fixture
def server(monkeypatch, tmp_path, publish):
    """A mirror on this machine; `files` is what it has, `asked` what it was asked for; nnlib's mirrors are its two."""

    class Handler(http.server.BaseHTTPRequestHandler):
        files, asked, cut, endless = dict(FILES), [], False, False

        def do_GET(self):
            self.asked.append(self.path)
            _, mirror, name = self.path.split("/")
            found = mirror in self.mirrors and name in self.files
            content = self.files[name] if found else b"<html>nothing here</html>"
            self.send_response(200 if found else 404)
            if self.endless:
                self.end_headers()
                with contextlib.suppress(OSError):
                    for _ in range(64):  # 4 MiB: the test itself has an end
                        self.wfile.write(bytes(1 << 16))
                return
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:len(content) // 2] if self.cut else content)

        def log_message(self, *arguments):
            pass

    Handler.mirrors = {"first", "second"}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}"
        for key in ("mnist", "fashion-mnist"):
            monkeypatch.setitem(downloads._MIRRORS, key, (f"{address}/first/", f"{address}/second/"))
        publish(FILES)
        monkeypatch.setenv("NNLIB_DATA", str(tmp_path / "data"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield Handler
        running.shutdown()


@pytest.fixture
def pooch():
    return pytest.importorskip("pooch", reason="downloads need pooch")


def in_folder(path):
    return sorted(p.name for p in path.rglob("*") if p.is_file())


def test_a_download_is_kept_and_used_again(server, pooch, tmp_path):
    assert_is_the_small_set(load_mnist(part="test"))
    assert server.asked == [f"/first/{name}" for name in FILES]
    assert in_folder(tmp_path / "data" / "mnist") == sorted(FILES)
    assert_is_the_small_set(load_mnist(part="test"))
    assert len(server.asked) == 2
    assert_is_the_small_set(load_fashion_mnist(part="test"))
    assert in_folder(tmp_path / "data" / "fashion-mnist") == sorted(FILES) and len(server.asked) == 4


def test_without_a_folder_files_go_to_the_users_cache(server, pooch, tmp_path, monkeypatch):
    monkeypatch.delenv("NNLIB_DATA")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    assert_is_the_small_set(load_mnist(part="test"))
    assert in_folder(tmp_path / "cache" / "nnlib" / "mnist") == sorted(FILES)
    half = tmp_path / "cache" / "nnlib" / "mnist" / f"{NAMES[0]}.gz"
    half.write_bytes(half.read_bytes()[:100])
    assert_is_the_small_set(load_mnist(part="test"))  # a file in the cache that changed is fetched again
    assert server.asked[2:] == [f"/first/{NAMES[0]}.gz"]


def test_where_the_first_mirror_is_dead_the_second_serves(server, pooch):
    server.mirrors = {"second"}
    assert_is_the_small_set(load_mnist(part="test"))
    assert server.asked == [f"/{mirror}/{name}" for name in FILES for mirror in ("first", "second")]


@pytest.mark.parametrize("cut", [False, True], ids=["another file", "half a file"])
def test_a_file_that_is_not_the_published_one_is_not_kept(server, pooch, tmp_path, cut):
    server.cut = cut
    if not cut:
        server.files[f"{NAMES[0]}.gz"] = gzip.compress(idx(IMAGES[::-1]))
    with pytest.raises(DataError, match="MNIST is optional .* could not be downloaded") as caught:
        load_mnist(part="test")
    assert cut or "hash" in str(caught.value)
    assert len(server.asked) == 2 and in_folder(tmp_path) == []


def test_an_answer_without_an_end_is_cut_off(server, pooch, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_LARGEST", 1 << 20)
    server.endless = True
    with pytest.raises(DataError, match="could not be downloaded.*it sends more than 1 MiB"):
        load_mnist(part="test")
    assert in_folder(tmp_path) == []


def test_without_a_network_a_sentence_says_what_to_do(server, pooch, monkeypatch):
    nowhere = "http://127.0.0.1:9/"  # nobody listens at this port
    monkeypatch.setitem(downloads._MIRRORS, "fashion-mnist", (nowhere,))
    sentence = (f"Fashion-MNIST is optional .*train-images-idx3-ubyte.gz could not .*go on without .*download train-"
                f"images.*t10k-labels-idx1-ubyte.gz from {nowhere}.*folder 'fashion-mnist'.*NNLIB_DATA.*{nowhere}: ")
    with pytest.raises(DataError, match=sentence):
        load_fashion_mnist()


def test_without_pooch_a_sentence_says_so(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match="go on without .*pip install pooch"):
        load_mnist()
    assert server.asked == []


def test_the_published_hashes_are_complete():
    names = {f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")}
    hashes = [value for files in downloads._HASHES.values() for value in files.values()]
    assert set(downloads._HASHES) == set(downloads._MIRRORS) == {"mnist", "fashion-mnist"}
    assert all(set(files) == names for files in downloads._HASHES.values())
    assert set(downloads._UNZIPPED) == {"mnist"} and set(downloads._UNZIPPED["mnist"]) == names
    hashes += downloads._UNZIPPED["mnist"].values()
    assert len(set(hashes)) == 12 and all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)
    assert all(mirror.endswith("/") for mirrors in downloads._MIRRORS.values() for mirror in mirrors)
