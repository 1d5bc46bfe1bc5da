"""Judges an endurance run."""

from . import growth, pictures

LONG_RUN_MINUTES = 60
MOST_STORE_CONNECTIONS = 16


def problems(result, options):
    """Everything that is not as it has to be, in words."""
    load, mock = result["load"], result["mock"]
    found = [f"{count} × {name}" for name, count in load["faults"].items() if count]
    expected, started = options.rate * options.minutes * 60, started_in(load)
    if started < 0.99 * expected:
        found.append(f"only {started} of {expected:.0f} requests were sent")
    if mock["disagreements"]:
        found.append(f"{mock['disagreements']} requests reached the upstream with another one's head or body")
    if result["pids_before"] != result["pids_after"]:
        found.append("a process of the proxy was replaced or has ended")
    if mock["answering"]:
        found.append(f"the upstream is still answering {mock['answering']} requests")
    if result["store"]:
        found += pictures.problems(result["pictures"], result["store"])
    found += leaks(result["before"], result["after"], load["peak_connections"], mock["peak_connections"])
    return found + growing(result, options)


def started_in(load):
    return sum(kind["started"] for kind in load["kinds"].values())


def growing(result, options):
    peak = max(sampled["rss_mb"] for sampled in result["samples"])
    found = []
    if options.minutes >= LONG_RUN_MINUTES and options.target == "sidecar":
        found += growth.problems(result["samples"], result["figures"])
    if options.max_rss_mb and peak > options.max_rss_mb:
        found.append(f"{peak} MB resident, more than {options.max_rss_mb:g}")
    return found


def leaks(before, after, peak_clients, peak_upstreams):
    found = []
    if after["clients"]:
        found.append(f"{after['clients']} client connections leaked")
    if after["admins"]:
        found.append(f"{after['admins']} connections of the admin listener leaked")
    if after["stale_upstreams"]:
        found.append(f"{after['stale_upstreams']} upstream connections that the upstream has closed are still held")
    if after["stale_stores"] or after["stores"] > MOST_STORE_CONNECTIONS:
        found.append(f"{after['stores']} connections to the store are held, and {after['stale_stores']} that it closed")
    if after["others"] != before["others"]:
        found.append(f"{before['others']} other descriptors became {after['others']}")
    # A request needs one upstream connection at a time, and what is kept for later was once in use.
    bound = 2 * peak_clients + 64
    if peak_upstreams > bound:
        found.append(f"{peak_upstreams} upstream connections for at most {peak_clients} client connections")
    return found


def restarts_in(result):
    """What is told of a sidecar only."""
    mock, store, load = result["mock"], result["store"], result["load"]
    yield f"{mock['restarts']} upstream restarts, which {load['hit_by_outage']} requests noticed"
    yield f"{store['restarts']} store restarts, images {result['pictures']}"
    if len(result["figures"]) > 1:
        cpu = growth.cpu_per_request(result["figures"])
        yield f"{cpu:.0f} µs of CPU a request, {result['figures'][-1]['series']} series"


def summary(result, found):
    """One line."""
    load, samples = result["load"], result["samples"]
    rss = [sampled["rss_mb"] for sampled in samples]
    middle = samples[len(samples) // 2]["rss_mb"]
    before, after = result["before"], result["after"]
    parts = [
        f"{started_in(load):,} requests in {load['seconds']:.0f} s",
        f"{sum(load['faults'].values())} faults",
        f"{load['stale']} asked again on a fresh connection",
        *(restarts_in(result) if result["store"] else []),
        f"peak {load['peak_connections']} clients and {result['mock']['peak_connections']} upstream connections",
        f"descriptors {before['others']} → {after['others']}",
        f"clients left {after['clients']}, upstream connections kept {after['upstreams']}",
        f"RSS {before['rss_mb']} → {middle} → {after['rss_mb']} MB (peak {max(rss)})",
        f"JSON p50 {load['latency_us']['p50']:.0f} µs, p99 {load['latency_us']['p99']:.0f} µs",
    ]
    return f"soak: {'FAILED' if found else 'ok'}: " + "; ".join(parts)
