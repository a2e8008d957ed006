"""The predict-first questions of notebook 16."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "a nudge of the query": Choice(
        "A look-up answers with the value of the key that is most similar to the query. You nudge the query a little. "
        "What does the gradient of the answer with respect to the query tell you?",
        options={
            "which way to turn the query": "It would, if the answer moved. But the same key stays the most similar, so "
                                           "the answer stays the same.",
            "nothing: it is 0": "The winner stays the winner, so the answer does not move, until another key "
                                "takes over and the answer jumps. Gradient descent learns from neither.",
            "it is infinite": "At the very border between two keys the answer jumps. Almost everywhere else it does "
                              "not move at all."},
        answer="nothing: it is 0"),
    "the spread of a score": Number(
        "A query and a key have 64 entries each, all independent, with mean 0 and standard deviation 1. What is the "
        r"standard deviation of their dot product $q \cdot k$?",
        answer=8, tolerance=0.05,
        feedback=r"Each of the 64 products has variance 1, variances of independent numbers add up to 64, and the root "
                 "is 8.",
        near={64: "That is the variance. The standard deviation is its root.",
              1: "That holds for one of the 64 products. The dot product adds all of them.",
              0.125: r"You divided by the root. The sum spreads wider than one product.",
              4096: r"You squared 64. Variances add up to 64; then take the root."},
        otherwise="Variances of independent numbers add up. What is the variance of one product, and of the sum of "
                  "64?"),
    "where the mask goes": Ordering(
        "A mask says which keys a query may look at. Put the steps of attention in order, so that every row of weights "
        "still sums to 1.",
        items=("dot products of queries and keys, divided by the root of d", "forbidden scores become -infinity",
               "softmax over the keys", "mean of the values with these weights"),
        feedback="A score of -infinity becomes the weight 0, and the softmax shares everything among the rest. A mask "
                 "after the softmax takes away weight that nobody gets.",
        otherwise="The softmax must already know what is forbidden, or the rest would not sum to 1."),
    "more heads": Choice(
        "An attention has 64 features and one head, with the matrices of its queries, keys and values, and one more at "
        "the end that mixes what comes out. You cut it into 4 heads of 16 features each. How many parameters, numbers "
        "to be learned, does it have now?",
        options={
            "four times as many": "Four heads as large as the one would have. But each head has only a quarter of the "
                                  "features, so a quarter of the rows of each matrix.",
            "a quarter": "Each head has a quarter of the rows. But there are four heads.",
            "just as many": "Four heads with a quarter of the rows each: the same three matrices, only cut into four. "
                            "The matrix at the end is as large as before, too."},
        answer="just as many"),
    "a shuffled sequence": Choice(
        "A sequence attends to itself, without a mask. You shuffle its tokens before. What happens to the answers?",
        options={
            "they are shuffled in the same way": "A token's answer is a mean over all tokens, and a mean does not know "
                                                 "an order. Each token gets the answer that it had before.",
            "they all change": "What would change? Each token still meets the same others, with the same scores.",
            "only the first and the last change": "Attention knows no first and no last: a weight depends on what two "
                                                  "tokens contain, and on nothing else."},
        answer="they are shuffled in the same way"),
    "layer norm by hand": Number(
        "A token has the five features 0, 0, 0, 0 and 5. Layer norm subtracts their mean and divides by their standard "
        "deviation (the root of the mean square, as in chapter 11). What does the 5 become?",
        answer=2, tolerance=0.01,
        feedback="The mean is 1, the squares of the differences are 1, 1, 1, 1 and 16, their mean is 4, its root is 2, "
                 r"and $(5 - 1)/2 = 2$.",
        near={1.7889: "You divided the squares by 4, one less than there are. Here, as in batch norm, it is their "
                      "mean: divide by 5.",
              2.5: "You forgot to subtract the mean first.",
              1: "You divided by the variance. Divide by its root.",
              4: "That is the difference to the mean. Divide it by the standard deviation.",
              2.2361: "You took the root of the mean square of the features themselves. Subtract their mean first."},
        otherwise="First the mean, then the five differences from it, their squares, the mean of those, its root."),
    "reversing behind a mask": Number(
        "A network has to write 8 random letters, out of 10, in reverse order. A causal mask forbids each "
        "place to look at later ones. Which share of the letters can it get right, at best, on average?",
        answer=0.55, tolerance=0.006,
        feedback="The second half must name letters that came earlier: right. The first half must name letters that "
                 "are still hidden, and guesses one in ten: $(4 + 4 \\cdot 0.1)/8 = 0.55$.",
        near={0.5: "Nearly. Half of the letters are hidden from the place that must name them. But even a guess is "
                   "right one time in ten.",
              0.1: "Place 7 must name letter 0, which came earlier: that it may see. How many such places are there?",
              1: "Place 0 must name letter 7. May it look there?",
              0.6: "Place 4 is the first that may see its letter (number 3): four places see, four guess."},
        otherwise="Place $i$ must name letter $7 - i$, and may look at letters 0 to $i$. Which places may see theirs? "
                  "The others guess."),
    "software for a table": Choice(
        "A clinic gives you a table: 500 patients, 30 measurements of each, and whether the illness came back. What "
        "do you try first?",
        options={
            "a Transformer of chapter 16, in PyTorch": "It has no sequence to read, and 500 rows for thousands of "
                                                       "parameters. Only where simpler models fail.",
            "a trained model by name, from Hugging Face": "Trained models help where somebody trained on data like "
                                                          "yours: texts, images, sounds. These 30 columns are the "
                                                          "clinic's own.",
            "logistic regression and trees, in scikit-learn": "A few lines, seconds of training, folds to compare by, "
                                                              "and on small tables hard to beat. It is the mark that "
                                                              "anything larger has to pass.",
            "TensorFlow, since it computes fastest": "500 rows are computed in milliseconds by anything. Which model "
                                                     "fits is the question."},
        answer="logistic regression and trees, in scikit-learn"),
}
