"""The predict-first questions of notebook 01."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "line through answers": Choice(
        "A straight line is fitted by least squares to answers that are all 0 (benign) or 1 (malignant). What does it "
        "answer for the biopsy with the largest cell nuclei?",
        {"something between 0 and 1":
             "That would be nice. But a line rises forever, and nothing tells it to stop at 1.",
         "exactly 1":
             "It would have to bend for that. A least-squares line need not even pass through its points.",
         "more than 1":
             "A line knows no ceiling. It answers 1.8 here, and below 0 for the smallest nuclei: numbers, but no "
             "probabilities."},
        "more than 1"),
    "log-odds": Number(
        "A probability of 0.8 means odds of 4 to 1. What are its log-odds, the natural logarithm of the odds?",
        1.386, 0.015,
        "The log of 4. A neuron that means `p = 0.8` has to have the score 1.386.",
        near={4: "Those are the odds themselves; take their natural logarithm.",
              0.602: "That is the logarithm to base 10; here, as in NumPy's `np.log`, logarithms are natural.",
              -0.223: "That is the log of the probability; the odds are 0.8 / 0.2.",
              -1.386: "Check the sign: odds above 1 have a positive logarithm."},
        otherwise="Divide 0.8 by 0.2, then take the natural logarithm."),
    "doubled weights": Choice(
        "You double both weights and the bias of a neuron. What happens to its decision boundary, the line where it "
        "answers 1/2?",
        {"it moves away from the origin":
             "It would if only the bias were doubled. Here both sides of `w @ x + b = 0` double.",
         "it turns":
             "The direction of a line depends on the ratio of the weights, and that stays.",
         "it stays, but the answers become surer":
             "The score is 0 at the same points as before; everywhere else it is twice as far from 0, so the neuron "
             "answers closer to 0 or 1.",
         "nothing changes at all":
             "The boundary stays, but look at a point beside it: its score has doubled."},
        "it stays, but the answers become surer"),
    "likelihood of four": Number(
        "Four independent examples. A neuron gives their true classes the probabilities 0.9, 0.8, 0.9 and 0.5. How "
        "likely, under this neuron, is it to see all four as they are?",
        0.324, 0.005,
        "Independent events multiply: 0.9 times 0.8 times 0.9 times 0.5. The unsure example alone halves it.",
        near={3.1: "That is the sum. Independent probabilities multiply; a sum of 3.1 could not be a probability.",
              0.775: "That is the mean. Independent probabilities multiply.",
              0.5: "That is the least likely of the four; all four together are less likely still."},
        otherwise="Independent events: multiply the four probabilities."),
    "who pulls hardest": Ordering(
        "Four examples lie at the same `x`. Order them by how hard they pull at the weights, the hardest first.",
        ("target 0, predicted 0.99",
         "target 1, predicted 0.40",
         "target 1, predicted 0.80",
         "target 0, predicted 0.01"),
        "The pull of an example is its error `p - t`, here 0.99, -0.60, -0.20 and 0.01, times its `x`. The "
        "confidently wrong one shouts, the confidently right one is silent.",
        otherwise="What counts is the distance between prediction and target, not its sign."),
    "nudged mistakes": Choice(
        "Count the mistakes of a neuron that answers 0 or 1. Now change one weight by a millionth and count again. "
        "What do you expect?",
        {"a few mistakes fewer or more":
             "A millionth moves the boundary by about a millionth. A point hardly ever lies in that sliver.",
         "exactly the same number":
             "The count is a staircase: flat almost everywhere, so its derivative is 0 and tells descent nothing.",
         "about a millionth of a mistake":
             "It would be for a smooth function. But mistakes come in whole numbers."},
        "exactly the same number"),
    "coin on XOR": Number(
        "XOR: class 1 at the corners (-1, 1) and (1, -1), class 0 at (1, 1) and (-1, -1). What is the lowest loss "
        "(binary cross-entropy) that one neuron can reach on them?",
        0.693, 0.008,
        "The natural log of 2: the best it can do is to answer 1/2 everywhere, like a coin. Any tilt helps one corner "
        "and costs the opposite one more.",
        near={0: "That needs every corner on its right side, and no straight line does that.",
              0.25: "A line gets 3 of 4 corners right, true. But the loss is not the share of mistakes: it also asks "
                    "how sure the neuron is about the fourth.",
              0.5: "That is the probability it answers; its cost is minus the logarithm of it.",
              1: "That is its cost in bits. Our loss takes the natural logarithm, not that to base 2.",
              2.773: "That is the sum over the four corners; the loss is their mean."},
        otherwise="If no choice of weights helps, what does the neuron answer everywhere, and what does that cost?"),
    "blank pixels": Choice(
        "Some pixels at the border are blank (0) in every training image. The weights start at 0. What is the weight "
        "of such a pixel after training?",
        {"some small random number":
             "Nothing here is random: descent moves a weight by its gradient only.",
         "exactly 0":
             "Its gradient is the mean of `(p - t) * x`, and x is 0 in every image. It never gets a pull.",
         "negative, because it is blank in both classes":
             "To become negative it needs a gradient; the mean of `(p - t) * 0` has none to give."},
        "exactly 0"),
    "cost of missing": Number(
        "A missed malignant tumor costs nine times as much as a false alarm. Above which probability p of malignancy "
        "should the alarm ring, so that the expected cost is lowest?",
        0.1, 0.002,
        "Silence costs 9 p on average, the alarm costs 1 - p. They are equal at p = 1/10.",
        near={0.5: "It would be if both mistakes cost the same.",
              0.9: "The other way round: if misses are expensive, be alarmed early.",
              0.111: "Close: 1/9 is the ratio of the costs. Set 9 p equal to 1 - p and solve for p."},
        otherwise="Being silent costs 9 p on average, the alarm costs 1 - p. When are they equal?"),
    "train longer": Choice(
        "Two clouds with a clear gap: after 100 steps every point is on its side. You train 100 times longer. What do "
        "the weights do?",
        {"they settle at the best values":
             "There are no best values: from any weights that separate the clouds, doubling them lowers the loss.",
         "they grow and grow":
             "Every point is right already; surer answers still lower the loss, and larger weights are surer. The loss "
             "falls toward 0 and never gets there.",
         "they stop, because no mistake is left":
             "So does the perceptron. The logistic loss of a right answer is small but never 0, so it keeps pulling."},
        "they grow and grow"),
}
