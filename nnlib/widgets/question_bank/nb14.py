"""The predict-first questions of notebook 14."""

from nnlib.widgets.question import Choice, Number, Ordering

QUESTIONS = {
    "filters after training": Choice(
        "Each of the twelve 3×3 filters starts with random weights. What has become of it after training, when the "
        "network reads 98% of the digits?",
        options={
            "its random pattern is gone, an edge detector stands there": "So the pictures in books suggest. Most "
            "of those filters are large, and were trained on a million photographs. Measure the cosine below.",
            "its random pattern is still there, only larger": "With more filters than pixels in a window, random "
            "patterns are nearly good enough. Training enlarges and bends them a little, and adapts the layers above.",
            "it has not changed at all": "The first layer does get gradients, and its weights grow by more than half."},
        answer="its random pattern is still there, only larger"),
    "sorted by depth": Choice(
        "In the pixels the nearest class mean reads 89% of the test digits. Where in a trained network does this share "
        "rise?",
        options={
            "in every layer, trained or random": "A random layer mixes its inputs without knowing about classes. It "
            "cannot be expected to sort them.",
            "most of all in the convolutions": "Their maps are still pictures of the digit, in several versions. What "
            "overlaps in the pixels still overlaps there.",
            "a little in the convolutions, most in pooling and the hidden layer": "Pooling forgives small shifts, and "
            "the hidden layer looks at all places of all maps at once. It is trained so that planes can separate its "
            "outputs."},
        answer="a little in the convolutions, most in pooling and the hidden layer"),
    "favorites of random units": Choice(
        "Of the nine training digits that make a hidden unit largest, how many belong to one class, if the weights of "
        "the network are *random*?",
        options={
            "two or three of nine, as if the digits were drawn by lot": "Any nine digits have that much in common: "
            "their most frequent class has two or three on average. But these nine were not drawn by lot.",
            "more than half, though fewer than with trained weights": "Digits of one class look alike. What makes a "
            "unit large, whatever its weights are, is true of many digits of the same class.",
            "as many as with trained weights": "Training does make the favorites purer. Only, it does not start from "
            "nothing."},
        answer="more than half, though fewer than with trained weights"),
    "sanity check": Choice(
        "All weights are replaced by random ones, and the three maps are drawn again for the same digits. Which map "
        "stays nearly the same, pixel by pixel in its order of size?",
        options={
            "occlusion": "The scores of a random network have nothing to do with the digit's class, so neither do "
                         "their drops.",
            "saliency": "Its numbers are products of the weights, and those are all new.",
            "gradient × image": "Where there is no ink the product is 0, whatever the network: half of the order is "
                                "given by the image.",
            "none of them": "It would be good if that were true. One of the three has a factor that does not come "
                            "from the network."},
        answer="gradient × image"),
    "the cheat": Choice(
        "In training, every 3 had the mark, and nothing else had. What will the network do with 3s that lack the mark, "
        "and with other digits that have it?",
        options={
            "it reads both: a 3 is a 3": "It never had a reason to learn the shape of a 3: the mark alone lowered the "
                                         "loss.",
            "it misses most of the 3s, and reads most others rightly": "The first is true. But the mark also speaks "
            "*for* a 3, strongly, whatever else is there.",
            "it misses most of the 3s, and calls most of the others 3": "The mark is the easiest way to lower the "
            "loss, and it was right every time."},
        answer="it misses most of the 3s, and calls most of the others 3"),
    "plane of the hidden layer": Choice(
        "After 20 epochs, how much of the variance of the 24 hidden numbers lies in the plane of their first two "
        "principal components?",
        options={
            "nearly all of it": "Two classes can be drawn apart along one direction, three in a plane. Here are ten.",
            "less than half of it": "Ten class means that are all equally far apart would need nine directions of "
            "equal size, and two of nine hold 22%. Some classes lie nearer to one another, so it is more, about 40%.",
            "less than a tenth of it": "If all 24 directions were alike, two of them would still hold a twelfth. Ten "
            "classes need nine directions at most."},
        answer="less than half of it"),
    "the best nudge": Number(
        r"Take $w = (1, -2, 0.5)$. Each pixel may change by at most $\varepsilon = 0.1$, up or down. By how much can "
        r"the score $w \cdot x$ rise at most?",
        answer=0.35, tolerance=0.001,
        feedback="Up where the weight is positive, down where it is negative: 0.1 · (1 + 2 + 0.5).",
        near={-0.05: "That is every pixel up by 0.1. The second one should go down.",
              0.05: "That is every pixel down by 0.1. Choose the direction for each pixel.",
              0.2: "You changed the most important pixel only. All three may change.",
              0.15: "You left the second pixel alone. It may go down.",
              3.5: "That is for a change of 1.",
              0.229: "You followed the gradient with a step of length 0.1. Here each pixel is bounded, not the "
                     "length."},
        otherwise="For each pixel: which direction raises the score, and by how much?"),
    "who is largest": Ordering(
        "Put the networks in order by their *parameters*, the largest first.",
        items=("VGG-16 (2014)", "AlexNet (2012)", "ResNet-50 (2015)", "GoogLeNet (2014)", "LeNet-5 (1998)"),
        feedback="138, 61, 26, 7 and 0.06 million. The deepest is not the largest: what counts is the dense layers.",
        otherwise="Which of them end in large dense layers?"),
}
