"""The predict-first questions of notebook 15."""

from nnlib.widgets.question import Choice, Number

QUESTIONS = {
    "deeper and deeper": Choice(
        "A network of 5 plain blocks (two layers of weights each, no path around them) learns the digits well. You "
        "add 45 more blocks of the same kind, with the same start of the weights, and train as long as before. What "
        "happens to the loss on the *training* set?",
        options={
            "it falls: more weights fit more": "They could fit more, if descent found how. The 45 blocks would only "
                                               "have to hand their input on, and not even that is easy for a plain "
                                               "block.",
            "it rises: the network is harder to train": "So He and others found it in 2016: deep plain networks had "
                                                        "the larger *training* error. It is no over-fitting; descent "
                                                        "does not find what is there. You will see it below.",
            "it falls, but the test loss rises": "That would be over-fitting, and the remedies of chapter 11 would "
                                                 "help. What is seen here begins earlier: the training itself fails."},
        answer="it rises: the network is harder to train"),
    "sixty steps": Number(
        r"One unit without inputs, $h_t = \tanh(0.9\, h_{t-1})$, stays near 0, where the slope of tanh is 1. A "
        "gradient goes back 60 steps. By what is it multiplied in all?",
        answer=0.9 ** 60, tolerance=0.0002,
        feedback=r"$0.9^{60} = 0.0018$: the same factor sixty times. A matrix does the same along each of its "
                 "directions.",
        near={0.9: "That is one step. There are sixty, one after the other.",
              54: "You added the factors. Along one path, factors multiply.",
              0.81: "Two steps give that."},
        otherwise=r"One factor of 0.9 for each step, multiplied: $0.9^{60}$."),
    "the bias of a gate": Number(
        r"A new LSTM has scores near 0 at its forget gate, and $\sigma(0) = 0.5$. You add 4 to the bias: "
        r"$\sigma(4) = 0.982$. What share of $c$ is left after 60 steps, if nothing is written?",
        answer=0.336, tolerance=0.01,
        feedback=r"$0.982^{60} = 0.34$. With gates at one half it is $0.5^{60} \approx 10^{-18}$: more than seventeen "
                 "powers of ten hang on this bias.",
        near={0.982: "That is what one step leaves. Take it to the power of 60.",
              1: "It is a little below 1 in each step, and 60 steps add up.",
              58.9: "You multiplied by 60. Each step takes its share of what is left: a power."},
        otherwise=r"Each step multiplies by 0.982, so it is $0.982^{60}$."),
    "parity for longer": Choice(
        "A recurrent network has learned parity from sequences of 10 bits, perfectly. You give it 100 bits. What do "
        "you expect?",
        options={
            "an error: it has ten inputs": "A network of chapter 07 would have. A recurrent one has one input, used "
                                           "once in each step; any length will do.",
            "right for ten steps, then guessing": "It would be so, had it learned ten different things. But the "
                                                  "weights are the same in every step: what it does in step 5, it "
                                                  "does in step 50.",
            "right throughout, or nearly": "If it has found the rule (new state = old state XOR bit) it holds in every "
                                           "step, since all steps share their weights. Small errors of the state must "
                                           "not pile up, though; see below whether they do."},
        answer="right throughout, or nearly"),
}
