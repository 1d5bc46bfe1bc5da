"""Tables of what the token counters did."""

from . import worst_cases
from .counting import SIDECAR, counters_of, reference
from .report import number, table

WRONG = " ≠"


def speed(result, key):
    """MB of 1,000,000 bytes a second."""
    return result["bytes"] / result[key] / 1e6


def expected(results, encoding, path, counter=None):
    """The tokens that the reference, or a given counter, counted; None where it did not count."""
    return results.get((counter or reference(encoding), encoding, path), {}).get("tokens")


def is_exact(results, cell):
    """Whether a counter counted what the reference did."""
    return results[cell].get("tokens") == expected(results, *cell[1:])


def shown(results, cell):
    result = results[cell]
    if "error" in result:
        return "–"
    text = f"{number(speed(result, 'median_s'))} ({number(speed(result, 'first_s'))})"
    unknown = expected(results, *cell[1:]) is None
    return text if unknown or is_exact(results, cell) else text + WRONG


def best(results, cells, key):
    """The fastest exact peer by one of the two times, and the sidecar's rate as a multiple of its rate."""
    own, *others = cells
    exact = [cell for cell in others if "error" not in results[cell] and is_exact(results, cell)]
    if not exact or "error" in results[own]:
        return "no exact peer"
    fastest = max(exact, key=lambda cell: speed(results[cell], key))
    return f"{speed(results[own], key) / speed(results[fastest], key):.2f} × {fastest[0]}"


def comparison(results, encoding, paths, chosen):
    """Rates of one encoding, a row a counter and a column a corpus; then for every corpus the fastest exact peer."""
    names = counters_of(encoding, chosen)
    rows = [[name, *(shown(results, (name, encoding, path)) for path in paths.values())] for name in names]
    lines = [f"**{encoding}**: MB/s repeated (first)", "", *table(["counter", *paths], rows), ""]
    for corpus, path in paths.items():
        cells = [(name, encoding, path) for name in names]
        repeated, first = best(results, cells, "median_s"), best(results, cells, "first_s")
        lines.append(f"- {corpus}: sidecar repeated {repeated}, first {first}")
    return [*lines, ""]


def worst(results, encoding, paths, key):
    """The input that takes longest for its bytes, with its time as a multiple of that of English."""
    english = results[SIDECAR, encoding, paths[worst_cases.ENGLISH]]
    times = {
        name: speed(english, key) / speed(results[SIDECAR, encoding, path], key)
        for name, path in paths.items()
        if name != worst_cases.ENGLISH
    }
    name = max(times, key=times.get)
    return [name, f"{times[name]:.2f}"], times[name] <= worst_cases.BOUND


def worst_table(results, encodings, paths):
    """The worst input of each encoding, by the first call and by the later ones."""
    rows = []
    for encoding in encodings:
        if any("error" in results[SIDECAR, encoding, path] for path in paths.values()):
            rows.append([encoding, *["–"] * 4, "**no**"])
            continue
        first, keeps_first = worst(results, encoding, paths, "first_s")
        repeated, keeps_repeated = worst(results, encoding, paths, "median_s")
        rows.append([encoding, *first, *repeated, "yes" if keeps_first and keeps_repeated else "**no**"])
    head = ["encoding", "worst first", "× English", "worst repeated", "× English", f"≤ {worst_cases.BOUND}"]
    return ["**Worst cases**: 1 MB each, the sidecar's time over that for 1 MB of English", "", *table(head, rows), ""]


def problems(results):
    """What the sidecar or tiktoken did not count, and where they differ."""
    found = []
    for (counter, encoding, path), result in results.items():
        right = expected(results, encoding, path, "tiktoken")
        if counter in (SIDECAR, "tiktoken") and "error" in result:
            found.append(f"{encoding} {path}: {counter}: {result['error']}")
        elif counter == SIDECAR and right not in (None, result["tokens"]):
            found.append(f"{encoding} {path}: {result['tokens']} tokens, tiktoken counts {right}")
    return found
