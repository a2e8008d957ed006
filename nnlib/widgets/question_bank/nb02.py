"""The predict-first questions of notebook 02."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "five readings": Number(
        "A thermometer shows 20, 21, 22, 22 and 40 degrees, each the true temperature plus Normal noise. Under which "
        "true temperature are these five readings most likely?",
        answer=25, tolerance=0.05, unit="degrees",
        feedback="The mean. Normal noise makes squared distances the cost, and the mean has the smallest sum of them, "
                 "although no reading is anywhere near it.",
        near={22: "That is the median, which ignores how far away the 40 is. Sensible, but it is the answer for "
                  "another kind of noise, as you will see.",
              21.25: "You left out the 40. Normal noise does not allow that: all five count.",
              30: "That is the middle between the smallest and the largest. The other three count, too.",
              125: "That is the sum of the five."},
        otherwise="Normal noise costs the square of each distance. Which number has the smallest sum of squared "
                  "distances?"),
    "doubled deviation": Choice(
        r"The loss of one target under Normal noise is $(t - m)^2 / (2\sigma^2)$ and a constant. You take $\sigma$ "
        "twice as large. What happens to the best $m$, and to the gradient with respect to $m$?",
        {"both stay": "The place of the minimum does not depend on the scale of the loss, right. But the slope does.",
         "the best m stays, the gradient is a quarter":
             r"$\sigma$ only scales the parabola, by $1/\sigma^2$. A descent with four times the rate would walk the "
             r"same way. That is why a fixed $\sigma$ may be dropped.",
         "the best m moves toward 0": r"Nothing here pulls $m$ toward 0. $\sigma$ scales the whole parabola, whose "
                                      "lowest point stays where it is.",
         "the best m stays, the gradient is half": r"The first part is right. In the second, look at the power of "
                                                   r"$\sigma$."},
        "the best m stays, the gradient is a quarter"),
    "a slip in print": Choice(
        "A softmax turns scores into probabilities. Deck C prints, for the scores 0.6, -1, 5, 8, 4, the probabilities "
        "0.006, 0.0001, 0.047, 0.94, 0.17. Two of the five are wrong. Without computing a softmax: which two?",
        {"0.0001 and 0.94": "Small and large is what the lowest and the highest score should get. Compare scores that "
                            "are close to each other.",
         "0.047 and 0.17": "One of these is indeed wrong: the lower score 4 gets more than the score 5. But of the two "
                           "it is the other number that fits 0.94.",
         "0.006 and 0.17": "The score 4 cannot get more than the score 5, and the 0.17 alone brings the sum above 1. "
                           "Of 0.6 and -1 the upper should get about 5 times as much as the lower, not 60 times: each "
                           "point of score is worth a factor e."},
        "0.006 and 0.17"),
    "five for everyone": Choice(
        "You add 5 to every score. What happens to the probabilities?",
        {"nothing": "Every exponential grows by the same factor, $e^5$, and the division takes it out again. Only "
                    "differences of scores count.",
         "they get surer": "Multiplying all scores by 5 would do that. Adding leaves their differences as they are.",
         "they get closer to each other": "It would be so if each score were divided by the sum of the scores. What "
                                          "happens to the exponentials?"},
        "nothing"),
    "before training": Number(
        "A network with ten classes starts with all weights 0. What is its loss, the mean of $-\\ln$ of the "
        "probability of the right class, on any data?",
        answer=2.303, tolerance=0.01,
        feedback="All scores are 0, all probabilities 1/10, and $-\\ln(1/10) = \\ln 10 = 2.303$. Remember it: an "
                 "untrained network that starts elsewhere has a bug, or very sure opinions.",
        near={0: "A loss of 0 means that the right class gets probability 1. This network knows nothing yet.",
              0.1: "That is the probability of each class. The loss is minus its logarithm.",
              0.9: "That is the share of mistakes of a guess. The loss is minus a logarithm.",
              1: "That is the logarithm to base 10; ours is the natural one.",
              -2.303: "Check the sign: minus the logarithm of a number below 1 is positive.",
              3.322: "That is the logarithm to base 2; ours is the natural one.",
              23.03: "That is the sum over ten classes. Only the right class counts."},
        otherwise="Which probability does it give to each of the ten classes?"),
    "who pulls with squares": Ordering(
        "Take a sigmoid neuron with the squared loss $(p - t)^2$. Four examples have the target 0. Put them in order "
        "by how hard they pull at the score (the size of the derivative with respect to $z$), the hardest first.",
        items=("predicted 0.70", "predicted 0.50", "predicted 0.90", "predicted 0.99"),
        feedback="The derivative is $2 (p - t)\\, p (1 - p)$: 0.294, 0.25, 0.162 and 0.0196. Nearly right and "
                 "confidently wrong look the same to it. The cross-entropy pulls with $p - t$: the more wrong, the "
                 "harder.",
        otherwise="The chain rule multiplies the slope of the square by the slope of the sigmoid, $p (1 - p)$. What "
                  "is that near 1?"),
    "tags for a photo": Choice(
        "A photo shows a cat on a sofa beside a child. The network has to say, for each of 50 things, whether it is "
        "in the photo. Which output unit?",
        {"one softmax over the 50 things": "Its outputs must share a total of 1, so that every thing found makes the "
                                           "others less likely. Cat, sofa and child could get 1/3 each at best.",
         "50 sigmoids": "Fifty yes-or-no questions, each with a probability of its own. Three of them may be near 1, "
                        "or none.",
         "one linear unit": "One number cannot answer fifty questions, and a number without limits is no "
                            "probability.",
         "50 linear units": "The number is right. But what comes out of a linear unit may be 7 or -3: no probability "
                            "for a yes-or-no question."},
        "50 sigmoids"),
    "a batch of one": Choice(
        "Somebody writes `softmax(Z, axis=0)`, so that the probabilities sum to 1 over the images of a batch, not over "
        "the ten classes. What does this softmax answer for a batch of a single image?",
        {"0.1 for every class": "That would need a sum over the ten classes. Over which numbers does it add up?",
         "1 for every class": "Each column holds a single score, and $e^z / e^z = 1$. It is certain of all ten digits "
                              "at once, and its loss is 0.",
         "the right probabilities": "Only a sum over the classes gives those. `axis=0` runs over the images, and there "
                                    "is one."},
        "1 for every class"),
}
