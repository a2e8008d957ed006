"""The predict-first questions of notebook 13."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "one stage": Choice(
        "A 28×28 image passes one stage: 16 kernels of 3×3 with padding 1, ReLU, max pooling 2×2. How many numbers "
        "come out, compared with the 784 that went in?",
        options={
            "196, a quarter": "Each *map* shrinks to a quarter, 14×14 = 196. But there is a map for each of the 16 "
                              "kernels.",
            "3,136, four times as many": "16 maps of 14×14: 16 times as many maps, each with a quarter of the places. "
                                         "A stage trades places for kinds of patterns.",
            "12,544, sixteen times as many": "So it is after the convolution, 16 maps of 28×28. The pooling then keeps "
                                             "one of four."},
        answer="3,136, four times as many"),
    "the second convolution": Number(
        "The first convolution gave 8 maps. The second has 16 kernels of 5×5, each with a bias. How many parameters is "
        "that?",
        answer=3216, tolerance=0.5,
        feedback=r"Each kernel looks at all 8 maps: $16 \cdot (8 \cdot 25 + 1) = 3{,}216$. The stride does not "
                 "enter.",
        near={416: "You counted kernels of one channel, 16 · 26. Each kernel is a stack with a 5×5 slice for each of "
                   "the 8 maps.",
              3200: "The 16 biases are missing.",
              3328: "You gave every slice of a kernel a bias of its own. A kernel has one.",
              3201: "One bias for all kernels? Each of the 16 has its own.",
              1216: "You took the 3 channels of the image. The second convolution sees what the first one gave: 8 "
                    "maps.",
              1168: "That is with kernels of 3×3."},
        otherwise="A kernel has 5 · 5 weights for each map that it sees, and one bias. There are 16."),
    "where the parameters sit": Ordering(
        "Put the four layers of deck D's network in order by their *multiplications* for one image, the most first. "
        "(Conv 1 has 32×32 places, conv 2 has 16×16.)",
        items=("dense 1, 2 million parameters", "conv 2, 3,216 parameters", "conv 1, 224 parameters",
               "dense 2, 2,052 parameters"),
        feedback=r"$4096 \cdot 512 = 2.1$ million; $3200 \cdot 256 = 0.8$ million; $216 \cdot 1024 = 0.2$ million; "
                 "2,048. A weight of a kernel is used at every place, a dense weight once.",
        otherwise="Multiply the weights of a convolution by its number of places; a dense weight is used once."),
    "the blame of a weight": Number(
        r"The row is $x = (1, 2, 3, 4)$, the gradient of the three outputs is $G = (1, 0, -1)$. The weight $w_0$ is "
        r"multiplied by $x_0$ in $y_0$, by $x_1$ in $y_1$ and by $x_2$ in $y_2$. What is $\partial L/\partial w_0$?",
        answer=-2, tolerance=0.001,
        feedback=r"$1 \cdot 1 + 0 \cdot 2 - 1 \cdot 3 = -2$: the weight was used three times, and the three blames add "
                 "up.",
        near={1: "That is the blame from the first place alone. The weight is shared: it was used at all three.",
              2: "The sign: the third output has gradient -1.",
              0: r"That is the sum of $G$, the gradient of a bias. Multiply each by the pixel that $w_0$ met.",
              -0.667: "You took the mean. Blames add up."},
        otherwise=r"Multiply each $G_r$ by the pixel that $w_0$ met there, and add up."),
    "who gets the blame": Choice(
        "A 2×2 window holds 3, 7, 5, 1. Max pooling gives 7, and a gradient of 4 arrives. What do the four pixels get?",
        options={
            "1 each": "So it would be with *mean* pooling, where each had a share of a quarter. A maximum listens to "
                      "one pixel only.",
            "0, 4, 0, 0": "If the 7 grows by a little, so does the output; if another pixel does, nothing happens.",
            "4 each": "The 3, the 5 and the 1 have no influence on the output: wiggle one, and 7 stays the maximum.",
            "0, 28, 0, 0": "The slope of a maximum at its winner is 1, not the winner's value."},
        answer="0, 4, 0, 0"),
    "three readers": Choice(
        "All three train on 1,347 digits, each with its own best rate. About how many of 450 new digits do they "
        "misread: logistic regression, the MLP, the CNN?",
        options={
            "60, 20, 2": "So one might think who has heard what convolutions did for photographs. These digits are "
                         "small, centered and clean, and even single pixels tell a lot.",
            "9, 8, 4": "On digits this tidy a pixel means nearly the same in every image, and even logistic "
                       "regression reads 98%. The MLP's lead over it is no larger than what another seed changes; "
                       "the CNN makes about half of their mistakes.",
            "9, 9, 9": "There is something that the CNN sees and the others do not: strokes, wherever they are."},
        answer="9, 8, 4"),
    "two components": Choice(
        "Of the 64 directions in which the small digits can vary, you keep the two with the most variance. Which share "
        "of the whole variance do they hold?",
        options={
            "about 3%": "That is 2 of 64: the share if all directions varied alike. Pixels of digits are far from "
                        "independent.",
            "about 29%": "Ten times what 2 of 64 directions would have if all varied alike: neighboring pixels go "
                         "together, and some corners are never inked.",
            "about 90%": "For that it takes about twenty. Handwriting varies in more ways than two."},
        answer="about 29%"),
    "who breaks first": Choice(
        "You shift all test digits by one pixel. The models were trained on centered digits. What happens?",
        options={
            "the CNN reads on as before, the other two suffer":
                "That is what is often said of convolutions. The maps do move along with the image; but behind them a "
                "dense layer reads the maps by address. Look at the curves.",
            "all three suffer, the CNN least": "Shared kernels find the strokes, pooling forgives a little, and the "
                                               "dense layer behind them knows addresses, too.",
            "none of them minds one pixel": "One pixel of eight is an eighth of the image; a stroke is about one pixel "
                                            "wide, so it leaves its place altogether."},
        answer="all three suffer, the CNN least"),
    "scrambled pixels": Choice(
        "Every image, in training and test, gets its 64 pixels in the same random order. The models train anew, "
        "on 100 digits. What becomes of their accuracies?",
        options={
            "both fall to guessing": "You could not read such an image. But every pixel is still there, always in the "
                                     "same new place, and a model can learn what it means.",
            "the MLP stays, the CNN falls to guessing": "The MLP does stay. But the CNN has dense layers, too, and a "
                                                        "kernel can simply pass pixels on.",
            "the MLP stays, the CNN loses its lead": "To the MLP it is the same problem with its inputs renamed. The "
                                                     "CNN's neighbors are no neighbors any more, and what it shares "
                                                     "has nothing in common."},
        answer="the MLP stays, the CNN loses its lead"),
}
