"""The predict-first questions of notebook 07."""

from nnlib.widgets.question import Choice, Number

QUESTIONS = {
    "products of two": Number(
        "A table has 100 columns. As in chapter 01 you add products as new columns: all $x_i x_j$ with two factors, "
        "squares included, each once. How many are they?",
        answer=5050, tolerance=0.5,
        feedback="$100 \\cdot 99 / 2 = 4950$ pairs and 100 squares. With three factors it is 171,700 already.",
        near={10000: "That counts $x_1 x_2$ and $x_2 x_1$ as two columns. They hold the same numbers.",
              4950: "Those are the pairs of different columns. The squares are missing.",
              5000: "Half of 10,000, but the squares have no twin to be halved with.",
              9900: "Every pair of different columns twice, and no squares.",
              200: "Those would be the columns and their squares. What about $x_3 x_{71}$?",
              100: "Those are the squares. What about $x_3 x_{71}$?"},
        otherwise="Think of a table of 100 rows and 100 columns, with $x_i x_j$ in each place. Which hold the same?"),
    "where it says no": Choice(
        "Deck C's network is $\\text{sign}(4 h_1 + 2 h_2 + 7)$ with $h_1 = \\text{sign}(3x_1 + 5x_2)$ and "
        "$h_2 = \\text{sign}(6 + 3x_2)$. For which points of the plane does it answer $-1$?",
        options={
            "on one side of a line": "Each hidden unit alone has such a line. But the last unit hears both of them, "
                                     "and adds 7. What is the smallest sum it can get?",
            "in one corner between two lines": "That would be so if $h_1 = h_2 = -1$ were enough to make the sum "
                                               "negative. Add it up: $-4 - 2 + 7$.",
            "everywhere but in one corner": "Then the sum would have to be negative for three of the four pairs "
                                            "$(h_1, h_2)$. Begin with the smallest: $-4 - 2 + 7$.",
            "nowhere": "The smallest sum is $-4 - 2 + 7 = 1$: the two units may say what they like, the 7 outvotes "
                       "them. The lecture's example is a very complicated way to say $+1$."},
        answer="nowhere"),
    "fewest units": Choice(
        "One unit cannot solve XOR on the four corners $(\\pm 1, \\pm 1)$. How many hidden sign units, before one "
        "output unit, are enough?",
        options={
            "1": "One hidden unit tells the output only on which side of one line a point lies. That is one neuron "
                 "with an echo.",
            "2": "Two parallel lines cut out a strip, which holds the two corners with unlike signs. The output says "
                 "yes if both units do.",
            "3": "Three would do, and one of them is not needed: two lines can be parallel.",
            "4": "One for each corner works, but the corners of one class can share: think of a strip."},
        answer="2"),
    "counting weights": Number(
        "Layers of 2, 3, 2 and 1 units, the first being the inputs; every unit hears all units of the layer before it, "
        "and has a bias. How many numbers does this network learn?",
        answer=20, tolerance=0.5,
        feedback="$3 \\cdot 2 + 3$, then $2 \\cdot 3 + 2$, then $1 \\cdot 2 + 1$: $9 + 8 + 3 = 20$.",
        near={14: "Those are the connections, $6 + 6 + 2$. Every hidden unit and the output has a bias, too.",
              22: "The two inputs have no bias: they only pass on what they are given.",
              8: "So many units there are. Each unit has a weight for every unit before it.",
              12: "That is $2 \\cdot 3 \\cdot 2 \\cdot 1$. Only neighboring layers are connected: products of two "
                  "sizes, added up.",
              6: "So many biases there are. And the weights?"},
        otherwise="Go layer by layer: so many units, each with one weight for every unit before it, and a bias."),
    "ten linear layers": Choice(
        "Ten layers with 20 units each, and no activation at all: each layer computes $W h + b$. You train it "
        "on XOR. What does it reach?",
        options={
            "all of it: it is deep": "Depth alone adds nothing here. What is a linear function of a linear function?",
            "more than one neuron, less than all": "It has thousands of weights, but what can it draw? A linear "
                                                   "function of a linear function is linear.",
            "what one neuron reaches": "The product of ten matrices is one matrix: ten linear layers draw one straight "
                                       "line, as one neuron does.",
            "less than one neuron": "What one neuron can say, ten linear layers can say, too. (Training them may be "
                                    "harder.)"},
        answer="what one neuron reaches"),
    "the slope of a sign": Choice(
        "You know good weights of the XOR network with sign units. Now forget them, start from random weights, and let "
        "gradient descent find them. What happens to the hidden units?",
        options={
            "they find the strip": "For that, a small change of a weight must change the loss a little. What does a "
                                   "small change of a weight do to a sign?",
            "they find it, slowly": "It is worse than slow. How much does $\\text{sign}(z)$ change when $z$ changes a "
                                     "little?",
            "they do not move at all": "A small change of a weight leaves every sign as it was, and so the loss. The "
                                       "gradient of a hidden unit is exactly zero, nearly everywhere.",
            "they run away": "For that, the steps would have to be large. They are as long as the gradient: how "
                             "long is that, when $\\text{sign}(z)$ is flat?"},
        answer="they do not move at all"),
    "twice as many steps": Choice(
        "A staircase of $n$ steps follows a smooth curve; its largest error is $e$. You take twice as many steps, each "
        "half as wide. The largest error becomes about",
        options={
            "the same": "A narrower step has less time to drift away from the curve.",
            "half": "On each step the curve moves away from its middle for half as long, so half as far.",
            "a quarter": "So it would be with straight pieces in place of flat ones; you will see them, too. A flat "
                         "step is wrong by the slope times half its width.",
            "a hundredth": "That would be very fast. A flat step is wrong by the slope times half its width."},
        answer="half"),
    "folding": Number(
        "You fold a strip of paper in the middle, then the folded strip again, six times in all, and punch one hole "
        "through all layers. Unfolded: how many holes are there?",
        answer=64, tolerance=0.5,
        feedback="Every fold doubles what comes after it: $2^6$. A layer of a network can fold, too.",
        near={6: "Each fold doubles the number of holes; it does not add one.",
              7: "Each fold doubles the number of holes; it does not add one.",
              12: "Two for each fold, but a fold doubles all that is there.",
              32: "That is five folds."},
        otherwise="One fold: two holes. Two folds: four. And six?"),
}
