"""The predict-first questions of notebook 12."""

from nnlib.widgets.question import Choice, Number

QUESTIONS = {
    "edges in place of pixels": Choice(
        "Two linear classifiers read the digits. One gets the 64 pixels. The other gets 128 differences instead: for "
        "each pixel, its right neighbor minus its left one, and the neighbor below minus the one above. How does the "
        "second compare?",
        options={
            "clearly better": "Shapes are made of edges, so this is tempting. But a difference of pixels is itself a "
                              "weighted sum of pixels: which weighted sums of 128 such sums are new?",
            "about the same": "A weighted sum of weighted sums of pixels is a weighted sum of pixels. What a linear "
                              "classifier computes from differences, it could compute from the pixels.",
            "clearly worse": "The differences lose nothing: with the zeros around the image, all 64 pixels can be "
                             "computed back from them."},
        answer="about the same"),
    "a million units": Number(
        "An image of 1000 x 1000 pixels, and a hidden layer of one million units. Each unit looks at a window of 10 x "
        "10 pixels, with weights of its own. How many weights are that (without biases)?",
        answer=100, tolerance=0.5, unit="millions",
        feedback="A hundred weights for each of a million units. If every unit saw every pixel, it would be ten "
                 "thousand times as many.",
        near={1e6: "That is the fully connected layer: a million weights for each of a million units. Here a unit sees "
                   "100 pixels.",
              10: "The window has 10 x 10 pixels, not 10.",
              1: "That is the number of units. How many weights has each?",
              0.0001: "So many there would be if all units shared their weights. Here each has its own.",
              1e8: "Right, in units. The answer is asked in millions."},
        otherwise="The number of units, times the weights of one of them."),
    "what the slide counts": Number(
        r"A lecture slide slides three weights over an image: unit $j$ computes $\sigma(w_1 x_j + w_2 x_{j+1} + w_3 "
        r"x_{j+2} + w_0)$, with the same $w$ for all $j$. 'Only three trainable parameters here', says the slide "
        "before. How many numbers does the layer learn?",
        answer=4, tolerance=0,
        feedback=r"$w_0$ is learned, too: three weights and a shared bias. The slide counts the matrix alone.",
        near={3: r"So says the slide. Count the letters in the formula that are not $x$.",
              5: r"$x_j$, $x_{j+1}$, $x_{j+2}$ are inputs; the weights are $w_0$ to $w_3$.",
              6: "The bias is shared as well: one for all units, as the weights are."},
        otherwise="The weights that it slides, and what else is in the formula?"),
    "one bright pixel": Choice(
        "An image is 0 everywhere but for one pixel of 1. You slide the kernel 1 2 3 / 4 5 6 / 7 8 9 over it, multiply "
        "what lies on top of each other and add. What stands in the output, around that place?",
        options={
            "the kernel": "Follow one place: where the bright pixel lies under the lower right corner of the window, "
                          "the kernel's 9 meets it. And that window stands to the upper left.",
            "the kernel, turned by half a turn": "When the window stands to the upper left of the pixel, the pixel "
                                                 "lies under its lower right corner: the 9 comes first, the 1 last.",
            "the kernel, with rows and columns exchanged": "Move the window to the right: the pixel under it moves to "
                                                           "the left. That turns the order round; it does not exchange "
                                                           "rows with columns.",
            "45 at nine places": "45 is the sum of all weights. Only one of the nine meets the bright pixel at a "
                                 "time."},
        answer="the kernel, turned by half a turn"),
    "sixteen and a half": Number(
        "An image 32 pixels wide gets 2 zeros on each side. A window of 5 moves over it in steps of 2. Deck D's "
        r"formula $\frac{W - K + 2P}{S} + 1$ says 16.5. How many places are there?",
        answer=16, tolerance=0,
        feedback="The way is 31 pixels, and 15 steps of 2 fit into it. With the first place that makes 16; the last "
                 "column of zeros is never looked at.",
        near={16.5: "So says the formula. What is half a place?",
              17: "A 17th window would hang over the edge by one pixel.",
              15: "That is the number of steps. The first place needs none.",
              14: "That is without the padding.",
              31: "That is the way, 32 - 5 + 4. How many steps of 2 fit into it?"},
        otherwise="A window stands at 0, 2, 4, ... of 36 pixels. What is the last place where it fits?"),
    "sixteen filters": Number(
        "A layer slides sixteen 3x3 filters over a color image of 32 x 32 pixels in red, green and blue. "
        "How many numbers does it learn, biases included?",
        answer=448, tolerance=0,
        feedback="A filter is a stack of three 3x3 kernels, 27 weights, and a bias: 16 times 28.",
        near={160: "You gave each filter one kernel of 9. It has one for each of the three channels.",
              432: "The weights are right. What else does each filter have?",
              480: "You gave each kernel of the stack a bias. The three are added to one number first: one bias for a "
                   "filter.",
              144: "That is 16 kernels. Each filter is a stack of three, and has a bias.",
              433: "Each filter has a bias of its own."},
        otherwise="Weights of one filter: 3 channels, 3 rows, 3 columns. Then its bias. Then sixteen of that. The "
                  "size of the image does not matter."),
    "one pixel to the right": Choice(
        "A feature map is pooled: the largest number of each 2x2 window, windows side by side. Now the image moves one "
        "pixel to the right. Which outputs stay exactly as they were?",
        options={
            "all of them": "Half of the columns have moved into another window. If the largest number is among them, "
                           "the output changes.",
            "those whose largest number stays inside, if none larger comes in":
                "What a window takes as its largest is then the same. So pooling tolerates a small shift sometimes, "
                "not always.",
            "none of them": "If the largest number stood in the left column of its window, it is now in the right one: "
                            "still the same window."},
        answer="those whose largest number stays inside, if none larger comes in"),
    "what one unit sees": Number(
        "Two convolutions of size 3 with stride 1, then a pooling of size 2 with stride 2. How many pixels in a row "
        "does one output of the pooling depend on?",
        answer=6, tolerance=0, unit="pixels",
        feedback="Two neighbors of the second layer see five pixels each, and all but one of them are the same.",
        near={10: "Twice five: that would be so if the two neighbors saw different pixels. They overlap in four.",
              5: "So much does a unit see before the pooling. The pooling looks at two of them.",
              8: "The kernels added: 3 + 3 + 2. But each layer's first pixel was counted before.",
              12: "You multiplied kernels. Windows overlap: what does each layer add?",
              7: "So much would it be with a pooling of 3. The second neighbor sees one pixel more."},
        otherwise="Draw it: dots in rows, and lines from each dot to those that it looks at."),
}
