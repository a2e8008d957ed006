"""The predict-first questions of notebook 05."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "the nudge": Number(
        "At $x = -2$, $y = 5$, $z = -4$ the function $f = (x + y)\\,z$ is $-12$. Now $x$ grows by 0.001, and $y$ and "
        "$z$ stay. By how much does $f$ change?",
        answer=-0.004, tolerance=1e-9,
        feedback="The sum grows by 0.001 as well, and is then multiplied by $-4$: $f$ changes by $-4$ times as much as "
                 "$x$. That factor is the derivative.",
        near={0.004: "The right size. But $z$ is negative: what does a product do when one factor grows?",
              0.001: "By so much the sum $x + y$ changes. Then it is multiplied by $z$.",
              -4: "That is the factor, the derivative. The change is this many times 0.001.",
              0.003: "You multiplied by $x + y = 3$, which is how $f$ reacts to $z$. What is the sum multiplied by?",
              -12.004: "That is the new value of $f$. By how much did it change?"},
        otherwise="First ask how much $x + y$ changes, then what multiplying by $z$ makes of it."),
    "used twice": Number(
        "$e = (a + b)(b + 1)$ at $a = 2$, $b = 3$. What is the derivative of $e$ with respect to $b$?",
        answer=9, tolerance=1e-6,
        feedback="A small step $h$ of $b$ reaches $e$ in two ways: through $a + b$, which is multiplied by 4, and "
                 "through $b + 1$, which is multiplied by 5. Both count: $4h + 5h$.",
        near={4: "That is what comes through the sum $a + b$, and for $a$ it would be the answer. But $b$ stands in "
                 "the other factor, too.",
              5: "That is what comes through the factor $b + 1$. But $b$ stands in $a + b$, too.",
              20: "That is the value of $e$; the two ways add and do not multiply.",
              10: "That would be the difference to $b = 4$, a whole step away: $6 \\cdot 5 - 20$. The derivative is "
                  "about tiny steps."},
        otherwise="Let $b$ grow by a tiny $h$. How much does each of the two factors change, and what does that do to "
                  "the product?"),
    "counting paths": Choice(
        "Start with $x$ and double it 20 times, each time as `node + node`. The graph has 21 nodes. How many different "
        "paths lead from $x$ to the result?",
        options={
            "20": "So many doublings there are. But each offers two arrows, and every path chooses one of them at "
                  "every doubling.",
            "40": "So many arrows there are. A path chooses one of two arrows at every doubling: the choices multiply.",
            "400": "A path chooses between two arrows twenty times. How many sequences of twenty choices are there?",
            "about a million": "Two arrows at each of 20 doublings: $2^{20} = 1{,}048{,}576$ paths through 21 nodes."},
        answer="about a million"),
    "who goes first": Ordering(
        "$q = x \\cdot x$, then $s = q \\cdot q$, then $f = q + s$. On the way back, every node hands down its "
        "gradient once, when all that belongs to it has arrived. In which order do the nodes get complete gradients?",
        items=("f, the output", "s", "q", "x"),
        feedback="$q$ is used by $f$ and by $s$, so it has to wait for both, although it stands right beside $f$ in "
                 "the formula. Only then does $x$ hear the whole story.",
        otherwise="Who uses $q$? All of them must have handed down before $q$ is complete."),
    "twice": Choice(
        "$f = (x + y)\\,z$ with $\\partial f/\\partial x = -4$. You call `f.backward()` twice in a row, without "
        "changing anything in between. What is `x.grad` then?",
        options={
            "-4": "That would be so if every call began from nothing. But `+=` adds to what is there, and nobody has "
                  "taken it away.",
            "-8": "That is what one would like: twice the gradient. But $x$ is not the only node that still holds the "
                  "gradient of the first call.",
            "-12": "The node $q = x + y$ still holds $-4$, receives another $-4$, and hands $-8$ down to the $-4$ of "
                   "$x$."},
        answer="-12"),
    "which mode": Choice(
        "Forward mode finds, in one pass, the derivatives of everything with respect to one input. Reverse mode finds, "
        "in one pass back, the derivatives of one output with respect to everything. A network has two million weights "
        "and one loss. How many passes for its gradient?",
        options={
            "one either way": "Forward mode must choose an input. For each of the two million weights it has to begin "
                              "again.",
            "forward one, reverse two million": "The other way round. Which of them fixes an input, and how many "
                                                "inputs are there?",
            "forward two million, reverse one": "Forward mode goes through the function once for each weight, as "
                                                "finite differences do (though without their error). Reverse mode "
                                                "walks back once."},
        answer="forward two million, reverse one"),
}
