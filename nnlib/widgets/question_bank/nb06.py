"""The predict-first questions of notebook 06."""

from nnlib.widgets.question import Choice, Number

QUESTIONS = {
    "the share of a hidden unit": Number(
        "An output is too large: one more unit of it would cost 2 more units of loss. The first hidden unit has the "
        "value 2 and reaches the output through a weight of 3. By how much would the loss rise if this hidden unit "
        "gave one more?",
        answer=6, tolerance=1e-6,
        feedback=r"One more at the hidden unit is 3 more at the output, and each of these costs 2: $3 \cdot 2 = 6$. "
                 "The blame goes back through the same weight through which the value came.",
        near={2: "That is the price of one more at the output. How much more of the output does one more of the hidden "
                 "unit make?",
              3: "That is how much the output rises. What does each unit of it cost?",
              4: "You multiplied the blame by the unit's value. That is the blame of the *weight*; the blame of the "
                 "unit goes through the weight.",
              5: "The effects multiply; they do not add.",
              12: "The value of the unit does not matter here, only the weight behind it and the blame at its end."},
        otherwise="Follow one more unit of the hidden value: how much more output, and what does that cost?"),
    "which product fits": Choice(
        "A layer has `X` (64, 20), `W` (10, 20) and `Y = X @ W.T` (64, 10). From above arrives `G`, the gradient with "
        "respect to `Y`. Which product is the gradient with respect to `W`?",
        options={
            "G @ X.T": "(64, 10) @ (20, 64): the inner sizes 10 and 20 do not even fit.",
            "G.T @ X": "(10, 64) @ (64, 20) gives (10, 20), the shape of `W`. The inner size 64 is summed over, as it "
                       "must be: every example has used every weight.",
            "X.T @ G": "(20, 64) @ (64, 10) gives (20, 10): the right numbers, transposed. A gradient has the shape of "
                       "its array, so that a step can subtract it."},
        answer="G.T @ X"),
    "numbers in a Jacobian": Number(
        "A layer takes 64 examples from 100 inputs to 100 outputs. Its Jacobian has the derivative of every output "
        "number with respect to every input number. How many numbers is that, in millions?",
        answer=40.96, tolerance=0.05, unit="millions",
        feedback=r"$6400 \cdot 6400 = 40{,}960{,}000$, or 328 megabytes, for a layer whose weights are 10,000 numbers. "
                 "Nearly all of them are 0, since no example looks at another one.",
        near={0.64: "That counts the blocks on the diagonal, 64 times 100 by 100. All others are 0, but they are part "
                    "of the Jacobian, too.",
              0.01: "Far too few: did you count `W` (10,000 numbers), or add outputs and inputs (12,800)? Every output "
                    "number has a derivative with respect to *every* input number.",
              40960000: "In millions, please: the right number."},
        otherwise=r"There are $64 \cdot 100$ output numbers and as many input numbers."),
    "the order of the factors": Choice(
        r"A layer $o = \sigma(z)$, $z = W x$ has 3 inputs and 2 outputs, so $W$ is (2, 3), and "
        r"$\mathrm{diag}(\sigma'(z))$ is (2, 2). Which expression can be $\partial L / \partial x$?",
        options={
            r"$\mathrm{diag}(\sigma'(z))\, W^\top\, \partial L/\partial o$":
                r"$W^\top \partial L/\partial o$ has 3 numbers, and a (2, 2) matrix stands before it. Yet this is what "
                r"deck C prints. It runs only where all layers have the same size, and is wrong there, too.",
            r"$W^\top\, \mathrm{diag}(\sigma'(z))\, \partial L/\partial o$":
                "(3, 2) times (2, 2) times (2): 3 numbers, one for each input. And it is the order of the way back: "
                "first through the squashing function, which came last, then through the weights.",
            r"$\mathrm{diag}(\sigma'(z))\, W\, \partial L/\partial o$":
                r"$W$ has 3 columns, and $\partial L/\partial o$ has 2 numbers. The blame goes back through the "
                r"weights, which is what the transpose does."},
        answer=r"$W^\top\, \mathrm{diag}(\sigma'(z))\, \partial L/\partial o$"),
    "the price of the way back": Choice(
        "A network has 2,410 parameters, and a forward pass takes 1 millisecond. How long does it take to find all "
        "2,410 derivatives by backpropagation, once the forward pass is done?",
        options={
            "about 2,410 ms": "That would be one pass for each parameter, as with finite differences. But all weights "
                              "of a layer share the blame of the layer behind them, and it is computed once.",
            "1 to 2 ms": "Each layer did one matrix product on the way forward, and does two on the way back: one for "
                         "its weights and one for its input. So about twice the time at most, however many parameters.",
            "about 0.4 microseconds": "The time is not divided among the parameters. Every layer has to be walked "
                                      "through once more, with matrix products as large as before."},
        answer="1 to 2 ms"),
}
