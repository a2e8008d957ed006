"""The predict-first questions of notebook 11."""

from nnlib.widgets.question import Choice, Number

QUESTIONS = {
    "the wrong labels": Choice(
        "The network trains for 50 epochs on these 200 examples, 40 of which have wrong labels. What is its error on "
        "the training examples in the end (with the labels as they are, wrong ones included)?",
        options={
            "about 0": "With some 9,600 parameters for 200 labels it fits every single one, also the 40 that make no "
                       "sense. You will see what that costs on other images.",
            "about 20%": "So it would be if the network refused to learn what contradicts the rest. Descent knows "
                         "only the loss, and the loss of the wrong labels can be lowered, too.",
            "about 40%": "That would be worse than ignoring the wrong labels. Training lowers the loss on exactly "
                         "these examples."},
        answer="about 0"),
    "three refits": Number(
        "The target is 1. Three networks, trained on three different draws, answer 0.2, 0.5 and 0.8. The mean squared "
        "error is $(0.64 + 0.25 + 0.04)/3 = 0.31$. How much of it is due to their disagreement: the mean squared "
        "distance of the answers from *their own mean*?",
        answer=0.06, tolerance=0.001,
        feedback="The mean is 0.5, the squared distances are 0.09, 0 and 0.09, their mean is 0.06. The rest, 0.25, is "
                 "the squared error of the mean answer itself. No accident: the two add up to 0.31.",
        near={0.09: "You divided by 2, as for an unbiased estimate. Here it is the plain mean over the three.",
              0.25: "That is the squared error of the mean answer, $(0.5 - 1)^2$: the other part.",
              0.18: "That is the sum. Divide by 3.",
              0.2: "Square the distances before you average.",
              0.245: "That is the standard deviation. Square it."},
        otherwise="The mean answer is 0.5. How far is each from it? Square, then average."),
    "deck C's weight decay": Number(
        r"Deck C says: in each step subtract $\lambda w$ from every weight. The gradient of $\frac\lambda2 \lVert w "
        r"\rVert^2$ is $\lambda w$, and a step of descent subtracts $\eta$ times the gradient. With $\eta = 0.1$, "
        r"$\lambda = 0.01$ and a loss that is flat in $w$: what share of $w$ is left after 100 steps, if you do it "
        "right? (Three digits.)",
        answer=0.905, tolerance=0.002,
        feedback=r"$(1 - \eta\lambda)^{100} = 0.999^{100} = 0.905$. The deck forgot $\eta$: with $0.99^{100} = "
                 r"0.37$ the weights would decay ten times too fast, and differently at every learning rate.",
        near={0.366: r"That is the deck's rule, $(1 - \lambda)^{100}$. Descent multiplies the gradient by $\eta$ "
                     "first.",
              0.9: r"Close: you subtracted 100 times the same amount. Each step takes its share of what is left.",
              0.999: "That is what is left after one step.",
              0.095: "That is what has gone. How much is left?"},
        otherwise=r"One step leaves the share $1 - \eta\lambda$. A hundred steps leave that to the power 100."),
    "which price makes zeros": Choice(
        "The loss hardly cares about some weights: the pull of the data on them is tiny, say 0.001. With which price, "
        "of strength 0.003, do they become exactly 0?",
        options={
            "L2": "L2 pulls with 0.003 times the weight. The smaller the weight, the weaker the pull: where it "
                  "balances 0.001, the weight stays, at about 1/3.",
            "L1": "L1 pulls with 0.003 however small the weight is, and 0.001 cannot hold against it. With L2 a weight "
                  "of 1/3 would hold.",
            "both": "One of them gets weaker and weaker as the weight shrinks. Which?"},
        answer="L1"),
    "patience of three": Number(
        "The validation losses of eight epochs are 5, 3, 4, 2, 6, 7, 8, 1. With a patience of 3, after which epoch "
        "does training stop?",
        answer=7, tolerance=0.1,
        feedback="Epoch 4 is the best, and 5, 6, 7 bring nothing better. The weights of epoch 4 are kept, and the 1 of "
                 "epoch 8 is never seen: patience is a bet.",
        near={4: "That is the epoch whose weights are kept. To know that it was the best, you have to wait.",
              8: "Epoch 8 would be better, but by then three epochs without progress have passed.",
              5: "After the rise to 4 came a new best, 2. It starts the waiting anew.",
              6: "Epochs 5 and 6 are two without progress. Patience allows for three.",
              3: "One worse epoch is no reason yet, with a patience of 3."},
        otherwise="Count the epochs since the best one; a new best starts at zero."),
    "the factor at test time": Number(
        "A hidden unit answers $h = 4$, and its outgoing weight is 0.5. In training it was dropped half of the time, "
        "without any scaling. In testing it is always there. Which outgoing weight makes the next layer receive what "
        "it received in training on average?",
        answer=0.25, tolerance=0.001,
        feedback=r"On average it received $\frac12 \cdot 4 \cdot 0.5 = 1$, so the weight must be $0.25 = (1-p) \cdot "
                 "0.5$. Or you double in training, and leave testing alone: that is inverted dropout.",
        near={1: "That is what the next layer receives on average, 1. Which weight gives it with $h = 4$?",
              0.5: "With 0.5 the next layer would receive 2, and it received 1 on average.",
              2: "You doubled twice over: the unit is now there more often than in training, so it has to count less.",
              0.125: "Half is enough: $p$ is 0.5, and applies once."},
        otherwise="What did the next layer receive on average? Half of the time 2, half of the time 0."),
    "a mirror for digits": Choice(
        "Take 100 digits whose labels are all right. In every batch you mirror half of the images, left to right, and "
        "keep their labels. What happens to the error on new images, which nobody mirrors?",
        options={
            "it falls, as with every augmentation": "Augmentation states that something does not matter. Is a mirrored "
                                                    "2 still a 2? Is it nearer to some other digit?",
            "it stays": "The network now has to learn two shapes for most digits, from half as many images of each.",
            "it rises": "A mirrored 2 is no digit, and a mirrored 3 or 5 resembles others. The statement is false, and "
                        "the network pays for it. For photos of cats the same augmentation is fine."},
        answer="it rises"),
    "a batch of one": Number(
        r"Batch normalization subtracts the batch's mean from a unit's value, divides by the root of variance plus "
        r"$\varepsilon$, multiplies by $\gamma = 2$ and adds $\beta = 5$. The batch holds a single example, with the "
        "value 37. What comes out?",
        answer=5, tolerance=0.01,
        feedback=r"The mean of one value is the value itself: $37 - 37 = 0$, whatever the image showed. Only $\beta$ "
                 "is left.",
        near={7: r"That would be a standardized value of 1. The mean of one value is that value.",
              0: r"Right so far: the standardized value is 0. Then come $\gamma$ and $\beta$.",
              79: "You did not take the mean away.",
              37: "You did not standardize at all."},
        otherwise="What is the mean of a single number? Then what is left of the unit's value?"),
}
