"""The predict-first questions of notebook 00."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "one pixel to the right": Choice(
        "Both classifiers were trained on digits in their place. Now every test image is moved one pixel to "
        "the right; you would hardly notice. What happens to the share of right answers?",
        {"Both lose a few percent":
             "A digit that moves by one pixel changes about forty of its 64 numbers, and the raw pixels are "
             "compared number by number.",
         "The pixels lose most of theirs, the edges keep more":
             "A stroke that moves by one pixel often stays in the same quarter of the image, so counts of "
             "edges change little. Pixels are compared one by one, and most of them are different now.",
         "The edges lose most of theirs, the pixels keep more":
             "The edges are counted per quarter of the image: where exactly in the quarter does not matter "
             "to them.",
         "Neither changes: it is the same digit":
             "To you it is. The classifier knows nothing but 64 numbers in a fixed order."},
        "The pixels lose most of theirs, the edges keep more"),
    "connections": Choice(
        "A brain has about $10^{11}$ nerve cells, each connected to 1,000 to 10,000 others. The "
        "image network of chapter 13, taken from a lecture, has about 2 million weights. How many "
        "such networks together have as many weights as the brain has connections?",
        {"about a hundred":
             "That would be $2 \\cdot 10^8$ connections, one for every 500 cells; each has a thousand.",
         "about fifty thousand":
             "That many networks have $10^{11}$ weights: one for each cell. Every cell has at least a "
             "thousand.",
         "some fifty million, or more":
             "$10^{11} \\cdot 10^3 = 10^{14}$ connections at least; divided by $2 \\cdot 10^6$ this is $5 "
             "\\cdot 10^7$.",
         "some fifty trillion, or more":
             "You stopped too early: $10^{14}$ connections still have to be divided by two million."},
        "some fifty million, or more"),
    "scrambled wires": Choice(
        "We shuffle the 64 wires between the image and the classifier: the same shuffle for every image, "
        "known to nobody. To your eye all digits become noise. The nearest-mean classifier is trained again "
        "on shuffled images, and tested on shuffled images. Its share of right answers",
        {"falls to about 10%, like guessing":
             "That happens when it is trained on unshuffled images and tested on shuffled ones. Here it "
             "learns the new wiring from the examples.",
         "falls, but stays above guessing":
             "Which of its steps would notice that the order is different? It adds up squared differences, "
             "in any order.",
         "stays exactly the same":
             "A distance is a sum over the 64 numbers, and a sum does not depend on the order. This learner "
             "never knew what was next to what.",
         "rises: a little noise helps a learner":
             "Nothing random is added: it is the same numbers in another order."},
        "stays exactly the same"),
    "timeline": Ordering(
        "Put these in the order in which they happened, the earliest first.",
        ("a neuron described as a unit of logic",
         "the perceptron learns from examples",
         "a proof that one layer cannot compute XOR",
         "backpropagation becomes widely known",
         "support vector machines are preferred",
         "deep networks are pre-trained layer by layer",
         "a deep convolutional network wins on ImageNet",
         "the Transformer"),
        "1943, 1958, 1969, 1986, the 1990s, 2006, 2012, 2017. The proof of 1969 came before anyone could "
        "train a second layer, and was one reason why few tried.",
        "Not yet. What was known must have come before the doubt, and the doubt before the cure."),
    "sixteen functions": Number(
        "Two inputs, each 0 or 1, make four cases; a function answers each of them with yes or no, so there "
        "are $2^4 = 16$ functions. AND and OR are two of them, XOR is another. How many of the 16 can a "
        "single perceptron compute?",
        14, 0.5,
        "All but XOR (yes when the inputs differ) and its opposite (yes when they agree). The other fourteen "
        "can be separated by one straight line.",
        near={15: "One too many: if no line separates XOR, what about its opposite?",
              16: "Try XOR: draw the four corners, and separate the two where the inputs differ from the "
                  "two where they agree.",
              8: "More than that. Four functions say yes in exactly one corner, four say no in exactly one: "
                 "that makes eight already.",
              12: "Do not forget the two that always answer the same."},
        otherwise="Draw the four corners of a square, and count the ways to separate them by a straight line; "
                  "always yes and always no count, too."),
    "shape of a layer": Choice(
        "A batch of 32 digits, 64 features each, goes through a layer with 10 outputs. In this course's "
        "convention the weights `W` have the shape",
        {"(64, 10)":
             "Then the layer would be `X @ W`. Our `W` is (out, in), as in PyTorch, and the layer is `X @ "
             "W.T + b`.",
         "(10, 64)":
             "(out, in): one row of weights for each output. `X @ W.T + b` is (32, 64) times (64, 10), so "
             "(32, 10).",
         "(32, 10)":
             "That is the shape of the layer's output. The weights do not depend on the size of the batch.",
         "(32, 64)":
             "That is the shape of the data, a row for each example."},
        "(10, 64)"),
}
