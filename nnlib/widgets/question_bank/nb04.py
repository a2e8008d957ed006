"""The predict-first questions of notebook 04."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "the swelling formula": Choice(
        r"Take a chain of eight neurons with one input each, $u \leftarrow 1/(1 + e^{-u})$ eight times in a row. "
        r"Written as one formula these are 32 operations. A program differentiates the formula twice, rule by rule. "
        r"About how long is the second derivative?",
        options={
            "about 60 operations": "That would be twice the formula. But the chain rule gives a factor for each level, "
                                   "and each factor repeats all the levels below it.",
            "about 300 operations": "That is the first derivative: eight factors, each with up to eight levels inside. "
                                    "The second repeats its pieces once more.",
            "more than 1,000 operations": "The first derivative has eight factors with up to eight levels inside, 280 "
                                          "operations. The product rule then differentiates each factor in turn and "
                                          "copies all the others."},
        answer="more than 1,000 operations"),
    "a nudge on a parabola": Number(
        r"You do not know the rule for $f(x) = x^2$. So you move from 3 to 3.1 and divide the rise by the step. Which "
        r"slope do you get?",
        answer=6.1, tolerance=1e-6,
        feedback=r"$(9.61 - 9)/0.1 = 6.1$: the slope 6, and 0.1 too much, because the parabola bends upward.",
        near={6: "That is the true slope at 3. What does the nudge give?",
              0.61: "That is the rise. Divide it by the step.",
              0.061: "You multiplied by the step. A slope is rise divided by step.",
              6.2: "A parabola is slower: $3.1^2 = 9.61$."},
        otherwise="The rise is $3.1^2 - 3^2$; divide it by 0.1."),
    "ever smaller steps": Ordering(
        r"You estimate the slope of $e^x$ at 1 by a nudge to one side, in ordinary double precision. Put the steps in "
        r"order, the most accurate first.",
        items=("step 1e-8", "step 1e-5", "step 1e-12", "step 0.1", "step 1e-17"),
        feedback="The best step lies in the middle. A large one sees the curve bend. A tiny one subtracts two "
                 "numbers that agree in nearly all their digits; 1e-17 does not even change x, and the estimate is 0.",
        otherwise="Two things go wrong: a large step sees the curve bend, a tiny one leaves only rounding to divide."),
    "a million nudges": Number(
        "A network has one million weights, and one evaluation of its loss takes one millisecond. How many seconds "
        "does one gradient take by central differences?",
        answer=2000, tolerance=1, unit="seconds",
        feedback="Two evaluations for each weight: 2 million milliseconds, more than half an hour, for a single step "
                 "of gradient descent.",
        near={1000: "That is a nudge to one side. Central differences nudge every weight both ways.",
              2000000: "Those are milliseconds.", 1000000: "Milliseconds, and a nudge to one side only.",
              2: "A thousand milliseconds make a second, but there are a million weights."},
        otherwise="Two evaluations for each of the million weights, a millisecond each."),
    "a walk along a wrong gradient": Choice(
        "Four students implement the gradient of the loss, all four with a mistake: the mean forgotten, the sign "
        "exchanged, a factor too many, the penalty forgotten. Each trains a neuron with it, on a loss that starts at "
        "0.69. How many will see the loss fall?",
        options={
            "none": "A wrong gradient is still an arrow. Is every wrong arrow one that points uphill?",
            "one": "Ask for each mistake whether the arrow still points roughly downhill.",
            "two": "A forgotten mean stretches the arrow, a forgotten penalty bends it a little. Does a factor "
                   "p(1 - p), which is positive, turn it round?",
            "three": "Only the exchanged sign walks uphill. The other three arrows still point roughly downhill, and "
                     "the loss falls: a falling loss proves nothing."},
        answer="three"),
    "slope of a kink": Number(
        r"relu$(x) = \max(0, x)$ has slope 0 on the left of 0 and slope 1 on the right. What does a central difference "
        r"say at 0?",
        answer=0.5, tolerance=1e-9,
        feedback=r"$(h - 0)/2h = \frac12$, for every step $h$. Neither 0 nor 1, the two slopes that a program may call "
                 r"right.",
        near={0: "relu(-h) is 0, but relu(h) is h.", 1: "That is the nudge to the right alone; and the other half?"},
        otherwise=r"Insert relu$(h) = h$ and relu$(-h) = 0$ into $(f(h) - f(-h))/2h$."),
}
