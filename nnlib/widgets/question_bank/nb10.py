"""The predict-first questions of notebook 10."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "meters and grams": Number(
        "A neuron predicts a fish's age from its length and mass. A typical fish, 0.5 m and 3000 g, is off by an "
        "error $e$. The gradient of its squared loss is $e$ times the input. How many times as large as the component "
        "of the length is that of the mass?",
        answer=6000, tolerance=1,
        feedback="$3000/0.5$. One step of descent moves the weight of the grams 6,000 times as far as that of the "
                 "meters. And it is the weight of the meters that has far to go: years per meter is a large number, "
                 "years per gram a tiny one.",
        near={1 / 6000: "The other way round: the input 3000 is the mass of the fish.",
              3000: "Divide by the length, too: the other component is $0.5\\, e$.",
              36e6: "That is the ratio of the curvatures, which goes with the square. The gradient goes with the input "
                    "itself."},
        otherwise=r"The two components are $e \cdot 0.5$ and $e \cdot 3000$."),
    "what leaks": Choice(
        "You have 1,000 features for each of 60 patients, and you keep the ten features that differ most between sick "
        "and healthy. Then you split into training and test set, train on the one, test on the other. What is wrong?",
        options={
            "nothing: the network never saw a test label": "The network did not, but the choice of its inputs did. Ten "
                                                           "of 1,000 were kept because they fit these labels, those "
                                                           "of the test patients included.",
            "the test labels have helped to choose the features": "So the ten fit the test patients as well, even when "
                                                                  "all 1,000 are noise. Whatever looks at the data "
                                                                  "is part of the training, and belongs behind the "
                                                                  "split.",
            "ten features are too few": "Maybe, maybe not, and validation would tell. The fault would be the same with "
                                        "a hundred."},
        answer="the test labels have helped to choose the features"),
    "a hundred guessers": Number(
        "A validation set has 50 examples, half of each class. A hundred models guess, each by its own coin. About "
        "which accuracy does the best of them reach, in percent?",
        answer=68, tolerance=4, unit="%",
        feedback="About 68: the standard deviation of a guesser's accuracy is 7%, and the best of a hundred lies about "
                 "two and a half of those above 50.",
        near={50: "That is the mean of the hundred. You choose the best.",
              57: "That is one standard deviation above the mean. The best of a hundred is luckier.",
              100: "For one coin to be right 50 times in a row you would need far more than a hundred guessers."},
        otherwise=r"The standard deviation of one guesser's accuracy is $\sqrt{0.5 \cdot 0.5/50} = 7\%$. How many of "
                  "them above 50% is the luckiest of a hundred?"),
    "the first loss": Number(
        "A network for ten classes has just got its random weights. What should its cross-entropy be, about, before "
        "the first update?",
        answer=2.303, tolerance=0.05,
        feedback=r"$\ln 10$: it knows nothing, so it should give each class about the probability $1/10$. Much more "
                 "than that, and it is sure of things that it has not learned.",
        near={0.1: "That is the probability of the right class. The loss is minus its logarithm.",
              1: r"With the logarithm of base 10 it would be 1. The loss takes the natural one.",
              10: r"$\ln 10$, not 10.",
              0: "A loss of 0 would mean that it is right, and sure of it, on every example.",
              0.693: r"That is $\ln 2$, for two classes."},
        otherwise=r"Each class should get about the probability $1/10$, and the loss is $-\ln$ of it."),
    "nine trials": Choice(
        "Two settings are to be found, a learning rate and a penalty, and you can afford nine trials. A 3-by-3 grid "
        "or nine random draws: how many different learning rates does each of them try?",
        options={
            "nine and nine": "A grid crosses values: each of its rates is tried with three penalties.",
            "three and three": "The grid, yes. But no two random draws share a rate.",
            "three and nine": "If the penalty hardly matters, the grid has made each of three trials three times. The "
                              "random draws have made nine. If both matter alike, the even cover of the grid "
                              "counts for more."},
        answer="three and nine"),
    "in which order": Ordering(
        "A new problem, a new network. Put your day into order.",
        items=("split off the test set", "look at training examples with their labels",
               "check the loss before any update", "over-fit ten examples", "search coarsely, few epochs",
               "search finely, more epochs", "use the test set, once"),
        feedback="The test set is cut off first, so that not even your eyes train on it, and used last. In between, "
                 "cheap checks come before expensive runs.",
        otherwise="What costs a second comes before what costs an hour, and your eyes should not train on the test "
                  "set."),
}
