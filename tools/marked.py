"""The parts of README.md that scripts write: what stands between two comments."""


def renewed(page, part, writer, text):
    """The page with other text in a part: between a comment that names it and its writer, and one that ends it.

    Raises ValueError when the two are not there once each, in this order.
    """
    begin, end = f"<!-- {part}: written by {writer} -->", f"<!-- end of {part} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(end) < page.index(begin):
        raise ValueError(f"README.md: expected the lines {begin!r} and {end!r} once each, in this order; add them")
    before, after = page.split(begin)[0], page.split(end)[1]
    return f"{before}{begin}\n{text.strip()}\n{end}{after}"
