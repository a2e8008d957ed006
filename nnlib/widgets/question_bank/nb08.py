"""The predict-first questions of notebook 08."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "the steepest place": Number(
        "The sigmoid squeezes all numbers into 0 to 1. Its slope is $p(1 - p)$. How large is the slope at its steepest "
        "place?",
        answer=0.25, tolerance=1e-6,
        feedback=r"At $z = 0$, where $p = \frac12$: $\frac12 \cdot \frac12 = \frac14$. Everywhere else less. So a "
                 r"sigmoid passes on at most a quarter of the blame that reaches it.",
        near={0.5: r"That is the *value* $p$ at the steepest place. The slope there is $p(1 - p)$.",
              1: "That is the slope of tanh at 0, and of a ReLU on its right side. What is the largest value of "
                 "$p(1 - p)$?",
              0: r"There it is flattest. The slope is largest in the middle, at $p = \frac12$."},
        otherwise=r"$p(1 - p)$ is largest in the middle. Put $p = \frac12$ into it."),
    "twenty sigmoids": Choice(
        "A network has 20 layers of sigmoid units. Each step back multiplies the gradient by slopes of at most one "
        "quarter. If the weights neither enlarge nor shrink it, how much of the gradient is left after 20 slopes, at "
        "most?",
        options={
            "about a hundredth": r"That would be 3 or 4 layers: $0.25^3 \approx 0.016$. The factors multiply.",
            "about a millionth": r"That is where it is after 10 layers: $0.25^{10} \approx 10^{-6}$. Ten more to go.",
            "about a millionth of a millionth": r"$0.25^{20} = 2^{-40} \approx 9 \cdot 10^{-13}$. A step that moves "
                                                "the last layer by 1 moves the first by less than a rounding error "
                                                "in float32.",
            "a twentieth of a quarter": r"Slopes in a chain multiply, they do not add: $\frac14 \cdot \frac14 \cdot "
                                        r"\ldots$, twenty times."},
        answer="about a millionth of a millionth"),
    "all weights equal": Choice(
        "A network has 32 hidden units and starts with every weight at 0.1, in both layers. Descent on the digits "
        "begins. What will the 32 units look like after 1,000 steps?",
        options={
            "all different: the data push them apart": "The data are the same for all of them, and so is the blame. "
                                                       "What could make the step of one unit differ from that of "
                                                       "another?",
            "all equal, and all still at 0.1": "They do move: the gradient is not zero. But does it differ from unit "
                                               "to unit?",
            "all equal, and no longer at 0.1": "Equal weights give equal outputs, equal blame and equal steps. The 32 "
                                               "units move, together, forever: they are one unit, 32 times."},
        answer="all equal, and no longer at 0.1"),
    "the deck's recipe": Number(
        r"With weights of spread $2/\sqrt{n}$ the variance of the weights is $4/n$. By which factor does a ReLU layer "
        "then multiply the mean square of the signal?",
        answer=2, tolerance=1e-6,
        feedback=r"$n \cdot \frac4n = 4$ from the sum, and the ReLU keeps half of it: 2 per layer, $\sqrt2$ for the "
                 r"spread. Twenty layers make it $\sqrt2^{20} = 1024$.",
        near={4: "That is what the sum does. Then comes the ReLU, and zeroes half of it.",
              1: r"That is He's rule, $\sigma = \sqrt{2/n}$, with variance $2/n$. Here the root does not cover the 2.",
              1.4142: "That is the factor of the *spread*. The mean square is its square.",
              1024: "That is the spread after twenty layers. One layer?",
              0.5: "That is the half that the ReLU keeps. The sum before it multiplies by $n$ times the variance of a "
                   "weight."},
        otherwise=r"A ReLU layer multiplies the mean square by $\frac12 n \sigma^2$. Put $\sigma^2 = 4/n$ into it."),
    "a silent unit": Choice(
        "A ReLU in the first layer outputs 0 for every one of the training examples. What will descent do to its "
        "weights?",
        options={
            "push them up until it speaks": "Only blame could push them, and it is multiplied by the slope of the "
                                            "unit, which is 0 for every example.",
            "nothing, ever": r"Its slope is 0 for each example, so the gradient of its weights and its bias is exactly "
                             "0. In the first layer the inputs never change either: it is dead.",
            "pull them toward 0": "That is what weight decay would do (chapter 11). Descent on the loss alone follows "
                                   "the gradient. How large is it here?"},
        answer="nothing, ever"),
    "a fair comparison": Ordering(
        "You want to know which of several activations is best for your data. Put the steps in order.",
        items=("split the data into training, validation and test set",
               "for each activation, train with several rates and several seeds",
               "for each activation, keep the rate with the best mean on the validation set",
               "choose the activation with the best mean on the validation set, if the gap exceeds the spread of the "
               "seeds",
               "measure the chosen one, once, on the test set"),
        feedback="The test set is asked last and once. Whoever chooses by it has nothing left to measure with.",
        otherwise="Nothing is chosen before it was trained, and the test set is asked last."),
}
