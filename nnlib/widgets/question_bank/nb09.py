"""The predict-first questions of notebook 09."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "the best factor": Number(
        r"A quadratic valley has the condition number $\kappa = 100$. Chapter 03 named the best that a step with "
        r"momentum can do: multiply the distance to the minimum by $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$. What is that "
        "here?",
        answer=9 / 11, tolerance=0.002,
        feedback=r"$9/11$: one step takes away 18% of the distance. Without momentum it is $99/101$, so 2%.",
        near={99 / 101: r"That is $(\kappa - 1)/(\kappa + 1)$, the best without momentum. Take the roots.",
              81 / 121: "You squared the factor: that is what happens to the loss, and it is also the best momentum.",
              0.9: r"You divided by $\sqrt\kappa$. It is $\sqrt\kappa + 1$ that stands below.",
              11 / 9: "Above 1 the distance would grow. Exchange numerator and denominator.",
              9: r"That is $\sqrt\kappa - 1$. Divide it by $\sqrt\kappa + 1$."},
        otherwise=r"$\sqrt{100} = 10$. Put it into the fraction."),
    "copying a rate": Number(
        r"A book averages: $v \leftarrow \beta v + (1-\beta) g$, then $w \leftarrow w - \eta v$, with $\beta = 0.9$ "
        r"and $\eta = 0.5$. You want the same walk from code that adds: $v \leftarrow 0.9\, v + g$, then $w "
        r"\leftarrow w - \eta v$. Which rate do you give it?",
        answer=0.05, tolerance=0.0005,
        feedback=r"The added-up velocity is $1/(1-\beta) = 10$ times the average, so its rate must be 10 times "
                 "smaller. With 0.5 the walk would be ten times too hasty.",
        near={5: "The right factor, the wrong way: the sum is larger than the average, so its rate must be smaller.",
              0.5: "With the same rate the steps are not the same: how much larger is the sum than the average?",
              0.45: r"You multiplied by $\beta$. Which factor does every gradient carry in the average, and not in the "
                    "sum?",
              0.1: r"That is $1 - \beta$. Multiply the book's rate by it."},
        otherwise=r"In the average every gradient is multiplied by $1 - \beta = 0.1$; in the sum it is not."),
    "the narrower valley": Choice(
        "AdaGrad gives each weight its own rate. It walks down a valley along the axes, from the same start, once with "
        "the curvatures 1 and 1, once with 1 and 10,000. How many steps does it need in the narrow one?",
        options={
            "10,000 times as many": "So it is for plain descent, whose one rate must suit the steepest direction. Here "
                                    "each direction has its own.",
            "100 times as many": r"So it is for the best momentum, $\sqrt\kappa$. AdaGrad does better, here.",
            "just as many": "The gradient across is 10,000 times larger, and so is the root by which it is divided: "
                            "the curvature cancels out. The two walks are the same, number for number."},
        answer="just as many"),
    "the first step": Number(
        r"RMSProp with $\alpha = 0.99$ and rate 0.01 starts with $r = 0$. The first gradient is 5. How far does the "
        r"weight move in the first step?",
        answer=0.1, tolerance=0.001,
        feedback=r"$r = 0.01 \cdot 25$, its root is $0.1 \cdot 5$, so the step is $0.01 \cdot 5 / 0.5 = 0.1$: ten "
                 "times the rate, whatever the gradient is.",
        near={0.01: r"That would be so if $r$ were $25$. It is an average that has just begun at 0: $r = (1-\alpha) "
                    r"\cdot 25$.",
              0.05: r"That is the step of plain descent, $0.01 \cdot 5$. RMSProp divides by $\sqrt r$.",
              0.2: r"You divided by $r = 0.25$. Divide by its root.",
              10: r"That is $1/\sqrt{1-\alpha}$, the step in units of the rate. Multiply by the rate.",
              1: r"You divided by $(1-\alpha) \cdot 5$. The root of $(1-\alpha) \cdot 25$ is $0.1 \cdot 5$."},
        otherwise=r"First $r = 0.99 \cdot 0 + 0.01 \cdot 5^2$, then $0.01 \cdot 5 / \sqrt r$."),
    "the rates in epoch 20": Ordering(
        "All five schedules start with the same rate. In epoch $t$ an exponential has $e^{-kt}$ of it left, and 1/t "
        "has $1/(1 + kt)$. Put them in order, from the largest rate in epoch 20 to the smallest.",
        items=("1/t with k = 0.1", "exponential with k = 0.1", "times 0.1 every 20 epochs",
               "times 0.5 every 5 epochs", "exponential with k = 1"),
        feedback=r"What is left of the rate: $1/3$, $e^{-2} = 0.135$, $0.1$, $0.5^4 = 0.0625$, and $e^{-20}$, two "
                 "billionths: whoever chooses that has stopped.",
        otherwise=r"Compute $1/(1 + 20k)$, $e^{-20k}$ and $\text{factor}^{\text{number of falls}}$. In epoch 20 the "
                  "fall that is due every 20 epochs has just happened."),
    "one rate for all": Choice(
        "You train the same network with six optimizers, all with the rate 0.01, and rank them by their loss. What "
        "does the ranking show?",
        options={
            "which optimizer is best": "0.01 means something else to each of them: to SGD a hundredth of the gradient, "
                                       "to Adam a step of about 0.01 for every weight, whatever the gradient is.",
            "which of them 0.01 happens to suit": "The rate has another meaning in each formula. Compare each at its "
                                                  "own best rate, found with the same number of trials; and with "
                                                  "several seeds, or you compare luck.",
            "nothing, since the seeds differ": "Seeds matter, and you need several. But with a thousand seeds this "
                                               "ranking would still be unfair: 0.01 means something else to each."},
        answer="which of them 0.01 happens to suit"),
}
