"""The questions of each notebook as data: `nbNN.QUESTIONS` maps a name to a Choice, a Number or an Ordering."""
