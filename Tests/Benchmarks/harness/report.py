"""Turns the measured rounds into medians, ratios and tables."""

import statistics

from . import deciding
from .workloads import WORKLOADS


def summarise(rounds, options):
    """workload -> target -> medians, spread and ratios to nginx."""
    summary = {}
    for name in options.workloads:
        rows = {}
        for target in options.targets:
            results = [r[target][name] for r in rounds if "rps" in r.get(target, {}).get(name, {})]
            if results:
                rows[target] = row_of(WORKLOADS[name], target, results)
        add_ratios(rows, WORKLOADS[name].rate)
        summary[name] = rows
    return summary


def row_of(workload, target, results):
    def primary(result):
        return result["rps"] if workload.rate else result[workload.times]["p99"]

    def per_cpu_second(result):
        return result[workload.counted] / result["proxy_cpu_s"] if result["proxy_cpu_s"] else 0

    def median(get):
        return statistics.median(get(result) for result in results)

    values = [primary(result) for result in results]
    proxied = target != "direct"  # the CPU and memory of `direct` would be those of the mock
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "per_cpu_s": median(per_cpu_second) if proxied else None,
        "per_cpu_s_min": min(map(per_cpu_second, results)) if proxied else None,
        "per_cpu_s_max": max(map(per_cpu_second, results)) if proxied else None,
        "p50_us": median(lambda r: r[workload.times]["p50"]),
        "p99_us": median(lambda r: r[workload.times]["p99"]),
        "rss_mb": median(lambda r: r["rss_peak_kb"] / 1024) if proxied else None,
        "errors": sum(r["errors"] for r in results),
        "rounds": len(results),
    }


def add_ratios(rows, higher_is_better):
    base = rows.get("nginx")
    for row in rows.values() if base else ():
        if base["median"] and row["median"]:
            ratio = row["median"] / base["median"]
            row["ratio"] = ratio if higher_is_better else 1 / ratio
        if base["per_cpu_s"] and row["per_cpu_s"]:
            row["cpu_ratio"] = row["per_cpu_s"] / base["per_cpu_s"]


def number(value, pattern=None):
    if value is None:
        return "–"
    if pattern:
        return format(value, pattern)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(median, low, high):
    return "–" if median is None else f"{number(median)} ({number(low)}–{number(high)})"


def table(head, rows):
    """A Markdown table; all columns but the first are numbers."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def workload_tables(summary):
    lines = []
    for name, rows in summary.items():
        workload = WORKLOADS[name]
        head = ["target", workload.unit, "× nginx", f"{workload.counted} per CPU-second", "× nginx"]
        head += ["p50 µs", "p99 µs", "RSS MB", "errors"]
        cells = []
        for target, row in rows.items():
            per_cpu = spread(row["per_cpu_s"], row["per_cpu_s_min"], row["per_cpu_s_max"])
            first = [target, spread(row["median"], row["min"], row["max"]), number(row.get("ratio"), ".2f"), per_cpu]
            rest = [number(row.get("cpu_ratio"), ".2f"), number(row["p50_us"]), number(row["p99_us"])]
            cells.append(first + rest + [number(row["rss_mb"], ".0f"), str(row["errors"])])
        lines += [f"**{name}**: {workload.title}", "", *table(head, cells), ""]
    return lines


def startup_table(startup):
    head = ["target", "start to first answer, ms", "RSS at rest, MB", "stripped binary, MB"]
    rows = []
    for target, row in startup.items():
        times = spread(*(1000 * row[key] for key in ("start_s", "start_min_s", "start_max_s")))
        rows.append([target, times, number(row["idle_rss_mb"], ".1f"), number(row.get("stripped_mb"), ".1f")])
    return ["**Start**", "", *table(head, rows), ""] if rows else []


def ratio_promise(name, bound):
    return (
        f"{WORKLOADS[name].title}: {WORKLOADS[name].counted} per CPU-second, × nginx",
        f"≥ {bound}",
        lambda summary, startup: summary[name]["sidecar"]["cpu_ratio"],
        lambda value: value >= bound,
    )


def added_promise(name, key, bound_us):
    return (
        f"{WORKLOADS[name].title}: {key.removesuffix('_us')} over direct, µs",
        f"≤ {bound_us}",
        lambda summary, startup: summary[name]["sidecar"][key] - summary[name]["direct"][key],
        lambda value: value <= bound_us,
    )


def start_promise(what, key, bound):
    return (what, f"≤ {bound}", lambda summary, startup: startup["sidecar"][key], lambda value: value <= bound)


def deciding_promise(size, bound_us):
    return (
        f"deciding, {deciding.SIZES[size]}, counted and cut: µs",
        f"≤ {bound_us}",
        lambda summary, startup: startup["sidecar"]["deciding_us"][size],
        lambda value: value <= bound_us,
    )


# What it is, the figure promised, how to read it from the results, whether a value keeps it.
PROMISES = [
    ratio_promise("a", 1.0),
    ratio_promise("b", 0.8),
    ratio_promise("d", 2.0),
    added_promise("a_open", "p50_us", 150),
    added_promise("a_open", "p99_us", 1000),
    added_promise("e", "p99_us", 1000),
    (
        "1,000 SSE streams: RSS, MB",
        "≤ 40",
        lambda summary, startup: summary["e"]["sidecar"]["rss_mb"],
        lambda value: value <= 40,
    ),
    deciding_promise("short", 60),
    deciding_promise("history", 400),
    start_promise("start to first answer, s", "start_s", 0.1),
    start_promise("RSS at rest, MB", "idle_rss_mb", 20),
    start_promise("stripped binary, MB", "stripped_mb", 30),
]


def promise_table(summary, startup):
    """The promised figures that this run has measured."""
    rows = []
    for what, bound, read, kept in PROMISES:
        try:
            value = read(summary, startup)
        except KeyError:
            continue
        rows.append([what, bound, number(value), "yes" if kept(value) else "**no**"])
    return ["**Promised figures**", "", *table(["figure", "promised", "measured", "kept"], rows), ""] if rows else []
