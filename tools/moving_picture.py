"""Film the momentum explorer in real JupyterLab while its sliders are moved, for the README.

    python tools/moving_picture.py [docs/momentum-explorer.gif]

Beside the film, which stops after three rounds, the last frame is stored as a still picture (.png).
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from browser import Lab, LabError

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "momentum-explorer.gif"
CELL = "from nnlib.widgets import MomentumExplorer\n\nMomentumExplorer()"
CLASS = "nnlib-momentum-explorer"
STROKES = [  # slider, key, presses between two frames, frames
    ("learning rate", "ArrowRight", 1, 7),      # faster and faster, then beyond what the walls of the valley allow
    ("learning rate", "ArrowLeft", 2, 2),
    ("momentum", "ArrowRight", 4, 11),          # from 0 to the best, 0.44
    ("learning rate", "ArrowRight", 2, 5)]      # and, with momentum, a rate that diverged without it
HOLD = {"first": 1500, "step": 330, "turn": 900, "last": 4000}  # milliseconds
ROUNDS = 3
COLORS = 64
LARGEST = 1_500_000  # bytes


def frames():
    """The pictures of the explorer, list of (image, milliseconds): each stroke of STROKES, key by key."""
    with tempfile.TemporaryDirectory() as empty, Lab(empty, width=1180, height=760) as lab:
        with lab.open(lab.add("film.ipynb", CELL)) as notebook:
            notebook.page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
            notebook.run_all()
            explorer = notebook.explorer(CLASS)
            shot = [(picture(explorer), HOLD["first"])]
            for label, key, times, count in STROKES:
                for number in range(count):
                    with explorer.new_picture():
                        for _ in range(times):
                            explorer.press(label, key)
                    shot.append((picture(explorer), HOLD["turn" if number == count - 1 else "step"]))
            print(explorer.alt)
    return [*shot[:-1], (shot[-1][0], HOLD["last"])]


def picture(explorer):
    """The explorer as it looks on the page."""
    return Image.open(io.BytesIO(explorer.place.screenshot())).convert("RGB")


def write(shot, out):
    """Write frames as a GIF in one palette, made from all of them, and the last as PNG. Returns the GIF's bytes."""
    images = [image for image, _ in shot]
    width, height = images[0].size
    strip = Image.new("RGB", (width, height * len(images)))
    for number, image in enumerate(images):
        strip.paste(image, (0, number * height))
    palette = strip.quantize(COLORS, dither=Image.Dither.NONE)
    flat = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    flat[0].save(out, save_all=True, append_images=flat[1:], duration=[hold for _, hold in shot], loop=ROUNDS - 1,
                 optimize=False)
    images[-1].quantize(256, dither=Image.Dither.NONE).save(out.with_suffix(".png"), optimize=True)
    return out.stat().st_size


def main(arguments=None):
    """The command line; returns 0 when the film is written and small enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=OUT)
    options = parser.parse_args(arguments)
    shot = frames()
    size = write(shot, options.out)
    seconds = sum(hold for _, hold in shot) / 1000
    print(f"{options.out}: {len(shot)} frames, {seconds:.1f} s, {size / 1e6:.2f} MB")
    return size > LARGEST


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(str(error))
