"""MNIST and Fashion-MNIST: from a folder, else from a mirror, and never taken on trust.

Wherever a file comes from, its SHA-256 is compared with the published one before a byte of it is unzipped or parsed.
"""

import gzip
import hashlib
import io
import os
import sys
import zlib
from pathlib import Path

import numpy as np

from nnlib.datasets.table import Dataset
from nnlib.errors import DataError

__all__ = ["load_fashion_mnist", "load_mnist"]

_SIDE, _MOST = 28, 60_000  # of an image; examples in a file: what a header may claim, and memory with it, is bounded
_PIXELS = tuple(f"pixel {i // _SIDE},{i % _SIDE}" for i in range(_SIDE * _SIDE))
_FASHION = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_MIRRORS = {
    "mnist": ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    "fashion-mnist": ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
}
_LARGEST = 64 << 20  # bytes of a file, zipped or not: no more is read from a disk or taken from a mirror
# SHA-256, as TensorFlow Datasets and torchvision publish them (for MNIST's t10k files computed here, too).
_HASHES = {
    "mnist": {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
}
_UNZIPPED = {  # the same files of MNIST after gunzip: some browsers unzip what they download
    "mnist": {
        "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
}


def load_mnist(folder=None, part="train"):
    """MNIST, handwritten digits: 28x28 pixels, gray values from 0 (paper) to 1 (ink), float32.

    Args:
        folder: where `train-images-idx3-ubyte.gz` and its fellows lie, zipped or not. If None, the folder that the
            environment variable NNLIB_DATA names, or `mnist` in it; what is not there is downloaded to it (to the
            user's cache when NNLIB_DATA is not set). Every file is checked by its SHA-256 before it is opened.
        part: "train" (60,000 images) or "test" (10,000; its files, and this argument too, also call it "t10k").
    Source: LeCun, Bottou, Bengio and Haffner (1998).
    Raises DataError when a file is missing and cannot be downloaded, or is not the published one, ValueError for
    another part.
    """
    return _load("mnist", "MNIST", tuple("0123456789"), folder, part)


def load_fashion_mnist(folder=None, part="train"):
    """Fashion-MNIST, pictures of ten kinds of clothes: as many and as large as MNIST's digits, and harder.

    Args: as of `load_mnist`, with `fashion-mnist` in the folder that NNLIB_DATA names; its files stay zipped.
    Source: Xiao, Rasul and Vollgraf (2017). Raises as `load_mnist` does.
    """
    return _load("fashion-mnist", "Fashion-MNIST", _FASHION, folder, part)


def _load(key, name, classes, folder, part):
    part = "t10k" if part == "test" else part
    if part not in ("train", "t10k"):
        raise ValueError(f"{name}: expected part='train' or part='test' but got {part!r}")
    images, labels = (_read(key, name, f"{part}-{kind}-ubyte.gz", folder, shape)
                      for kind, shape in (("images-idx3", (_SIDE, _SIDE)), ("labels-idx1", ())))
    if len(images) != len(labels):
        raise DataError(f"{name}: {len(images)} images but {len(labels)} labels; are the files of one part?")
    if labels.max(initial=0) > 9:
        raise DataError(f"{name}: expected labels from 0 to 9 but got {labels.max()}; download the labels again")
    X = images.reshape(len(images), _SIDE * _SIDE) / np.float32(255)
    return Dataset(X, labels.astype(np.int64), _PIXELS, classes, name)


def _read(key, name, file, folder, shape):
    """The array of a published file, which is read once: what was hashed is what is parsed."""
    path = _find(key, name, file, folder)
    try:
        with open(path, "rb") as raw:
            content = raw.read(_LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); download it again") from None
    if hashlib.sha256(content).hexdigest() not in (_HASHES[key][file], _UNZIPPED.get(key, {}).get(file)):
        raise DataError(f"{path} is not the published file of {name}: it is damaged, or another one, and was not "
                        f"opened; remove it, and download {file} again")
    return _read_idx(content, path, shape)


def _find(key, name, file, folder):
    """The path of a file: in the folder, else in the one that NNLIB_DATA names, else downloaded."""
    data = os.environ.get("NNLIB_DATA")
    places = [Path(folder)] if folder is not None else []
    if folder is None and data:  # Fashion-MNIST's files have MNIST's names: they need a folder of their own
        places = [Path(data).expanduser() / key, *([Path(data).expanduser()] if key == "mnist" else [])]
    for path in (place / f for place in places for f in (file, file.removesuffix(".gz"))):
        if path.is_file():
            return path
    if folder is not None:
        raise DataError(f"{name} is optional and its file {file} is not in {folder}; download the four files of "
                        f"{name} into that folder, or go on without")
    return _download(key, name, file, places[0] if places else None)


def _download(key, name, file, place):
    """The path of a file in `place` (None: the user's cache) after a download, if it is not there yet."""
    if sys.platform == "emscripten":
        raise DataError(f"{name} is optional, and Python in a browser cannot download it; go on without (everything in "
                        "the course works)")
    reasons = []
    try:
        import pooch
    except ImportError:
        reasons = ["downloads need pooch: pip install pooch"]
    else:
        place = Path(pooch.os_cache("nnlib")) / key if place is None else place
        for mirror in _MIRRORS[key]:
            try:  # pooch downloads to a temporary file, and moves it here only when its hash is right
                return Path(pooch.retrieve(mirror + file, _HASHES[key][file], fname=file, path=place,
                                           downloader=_fetch))
            except (OSError, ValueError) as error:  # no network, no such page, no room here; or a wrong hash
                reasons.append(f"{mirror}: {' '.join(str(error).split())[:150]}")
    raise DataError(f"{name} is optional and its file {file} could not be downloaded; go on without (everything in the "
                    f"course works), or on a machine with a network download {', '.join(_HASHES[key])} from "
                    f"{_MIRRORS[key][0]}, put the four files into a folder {key!r} and set the environment variable "
                    f"NNLIB_DATA to the folder around it [{'; '.join(reasons)}]")


class _Bounded:
    """A file to write to that takes no more than _LARGEST bytes: a mirror's answer need not end."""

    def __init__(self, file):
        self.file, self.flush, self.left = file, file.flush, _LARGEST

    def write(self, piece):
        self.left -= len(piece)
        if self.left < 0:
            raise ValueError(f"it sends more than {_LARGEST >> 20} MiB")
        self.file.write(piece)


def _fetch(url, place, asking):
    """pooch's own downloader, with a limit of time for each answer and of size for all of it."""
    import pooch
    with open(place, "wb") as file:
        pooch.HTTPDownloader(timeout=20)(url, _Bounded(file), asking)


def _read_idx(content, path, shape):
    """The array (n, *shape) in the bytes of an IDX file: magic, sizes as big-endian integers, then the numbers.

    Nothing is believed: what is unzipped, and kept in memory, is no more than the header claims, and that is bounded.
    """
    try:
        raw = io.BytesIO(content)
        zipped = content[:2] == b"\x1f\x8b"  # by content: some browsers unzip and keep the name
        with (gzip.open(raw) if zipped else raw) as file:
            header = file.read(8 + 4 * len(shape))
            if len(header) < 8 + 4 * len(shape) or header[:4] != bytes([0, 0, 8, 1 + len(shape)]):
                raise ValueError(f"it does not begin as an IDX file of bytes with {1 + len(shape)} axes")
            sizes = np.frombuffer(header, ">u4", offset=4).tolist()
            if tuple(sizes[1:]) != shape or sizes[0] > _MOST:
                raise ValueError(f"expected sizes (n, *{shape}) with n up to {_MOST} but got {tuple(sizes)}")
            expected, numbers = int(np.prod(sizes)), bytearray()
            while len(numbers) <= expected and (piece := file.read(min(1 << 20, expected + 1 - len(numbers)))):
                numbers += piece
            if len(numbers) != expected:
                more = "more" if len(numbers) > expected else len(numbers)
                raise ValueError(f"expected {expected} bytes after the header but got {more}")
        return np.frombuffer(numbers, dtype=np.uint8).reshape(sizes)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path} is damaged or not an MNIST file ({error}); download it again") from None
