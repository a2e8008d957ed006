"""The predict-first questions of notebook 03."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "the next step": Number(
        "The loss is $L(w) = (w - 3)^2$. You stand at $w = 1$ and take one step of gradient descent with rate 0.25. "
        "Where are you then?",
        answer=2, tolerance=1e-6,
        feedback=r"The slope at 1 is $2(1 - 3) = -4$, so the step is $-0.25 \cdot (-4) = +1$: to the right, downhill.",
        near={0: r"The right length, the wrong way: the slope there is negative, and $w - 0.25 \cdot (-4)$ goes to the "
                 r"right.",
              1: "That is how far you go. Where are you after going there from 1?",
              1.5: "Did you forget the factor 2 that comes from the square?",
              5: "You took the whole slope. The rate says how much of it one step uses.",
              -3: "You went uphill, with the whole slope.",
              -4: "That is the slope at 1. A step subtracts 0.25 times it from 1."},
        otherwise="The slope of $(w - 3)^2$ is $2(w - 3)$. Subtract 0.25 times the slope at 1 from 1."),
    "order the rates": Ordering(
        r"On a bowl of curvature 10 each step multiplies the distance from the minimum by $1 - 10\eta$. Put the rates "
        r"in order, from the one that comes near the minimum first to the one that never does.",
        items=("rate 0.1", "rate 0.05", "rate 0.19", "rate 0.001", "rate 0.21"),
        feedback="The factors are 0, 0.5, $-0.9$, 0.99 and $-1.1$. Only their size matters: 0.19 jumps from side to "
                 "side and is still faster than the timid 0.001. Beyond 0.2 every step ends farther away.",
        otherwise=r"Compute $|1 - 10\eta|$ for each rate; the smaller, the faster."),
    "the narrow valley": Choice(
        "A valley is 25 times more curved across than along. Your rate is a little below the limit, and you creep "
        "along the floor. Now you double the rate. When do you reach the bottom?",
        options={
            "in half the time": "Along the floor each step would indeed be twice as long. But what happens across?",
            "in the same time": "Along the floor each step would be twice as long, so time would be saved there. But "
                                "what happens across?",
            "never": "The walls decide: across the valley the rate is now beyond $2/L$, each swing is larger than the "
                     "one before, and the walk leaves the valley, although the floor itself is still gentle."},
        answer="never"),
    "a quieter gradient": Number(
        "You go from batches of 16 to batches of 64. By which factor does the typical error of the gradient shrink?",
        answer=2, tolerance=0.001,
        feedback=r"The standard error of a mean of $B$ draws is $\sigma/\sqrt{B}$: 4 times the work, half the error.",
        near={4: r"The variance shrinks by 4; the typical error is its square root.",
              16: "The errors of the examples do not cancel that well. How does the error of a mean depend on the "
                  "number of draws?",
              48: "It is the ratio of the sizes that matters, not their difference.",
              0.5: "Half as large: that means that it shrinks by the factor 2.",
              1: "A mean over more examples is steadier. How much, if you average four times as many?"},
        otherwise="How does the error of a mean depend on the number of draws? It is a square root."),
    "only upward": Choice(
        "At a critical point the curvatures are the eigenvalues of the Hessian; at a minimum all are positive. Take a "
        "random symmetric 10 x 10 matrix. How likely are 10 positive eigenvalues?",
        options={
            "about one half": "That would hold for a single eigenvalue. Here all ten must be positive at once.",
            "about one in a thousand": "That is $2^{-10}$: ten independent coins. But the eigenvalues of one matrix "
                                       "are not independent; they push each other apart.",
            "less than one in a million": "The eigenvalues push each other apart, so that having all on one side is "
                                          "far rarer than ten heads of a coin. Measure it below, on smaller matrices."},
        answer="less than one in a million"),
}
