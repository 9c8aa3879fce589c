"""The measurements: each takes an instance at work, runs ftpbench against it, and returns figures by key."""
import re
import subprocess
import time

from contenders import ADDRESS, Failure

KIB, GIB = 1 << 10, 1 << 30


class Size:
    """How much a run measures."""

    def __init__(self, quick):
        self.mib = 256 if quick else 2048
        self.sessions = 1000 if quick else 10000
        self.session_threads = 4
        self.noops = 5000 if quick else 20000
        self.idle = 500 if quick else 5000
        self.starts = 3


def bench(instance, tool, what, path, threads, total):
    done = subprocess.run([tool, what, ADDRESS, str(instance.port), "bench", "bench", path, str(threads), str(total), "plain"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, start_new_session=True)
    if done.returncode:
        raise Failure(f"{instance.kind.label}: ftpbench {what} failed.\n{done.stdout}{done.stderr}{instance.words()}")
    return done.stdout


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise Failure(f"ftpbench wrote something unexpected: {text!r}")
    return float(found.group(1))


def with_cpu(instance, run):
    """The output of a run, and the proxy's CPU seconds during it."""
    before = instance.cpu()
    text = run()
    time.sleep(0.05)   # the proxy may still be closing what the client has already left
    return text, instance.cpu() - before


def transfer(instance, tool, size, put, streams):
    key = f"{'upload' if put else 'download'}{streams}"
    each = size.mib // streams
    text, cpu = with_cpu(instance, lambda: bench(instance, tool, "put" if put else "get", "bench" if put else f"{each}m",
                                                 streams, each if put else 1))
    figures = {key: number(r"([\d.]+) GiB/s", text)}
    if instance.kind.is_proxy:
        figures[f"{key}_cpu"] = cpu / (each * streams / 1024)
    return figures


def sessions(instance, tool, size):
    text, cpu = with_cpu(instance, lambda: bench(instance, tool, "sessions", "1k", size.session_threads, size.sessions))
    figures = {"sessions": number(r"([\d.]+) per s", text)}
    if instance.kind.is_proxy:
        figures["sessions_cpu"] = cpu * 1000 / size.sessions
    return figures


def noop(instance, tool, size):
    text = bench(instance, tool, "noop", "-", 1, size.noops)
    return {"noop_p50": number(r"p50 ([\d.]+) ms", text) * 1000, "noop_p99": number(r"p99 ([\d.]+) ms", text) * 1000}


def warm(instance, tool):
    """So that nobody's first round holds what is done once: pages of code read, code compiled, pools filled."""
    bench(instance, tool, "sessions", "1k", 4, 1000)
    bench(instance, tool, "get", "64m", 4, 1)
    bench(instance, tool, "put", "bench", 4, 64)


def start_up(instance, size):
    """Starts the proxy several times; the last one is left at work."""
    taken = []
    for _ in range(size.starts):
        instance.stop_proxy()
        taken.append(instance.start() * 1000)
    return {"start": taken}


def idle(instance, tool, size, processes):
    """Resident growth from a fresh proxy that has served a few sessions to one that holds many that say nothing."""
    bench(instance, tool, "sessions", "1k", 1, 20)
    time.sleep(0.5)
    before = instance.resident()
    holder = processes.start([tool, "idle", ADDRESS, str(instance.port), "bench", "bench", "-", "1", str(size.idle), "plain"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        held = number(r"idle (\d+)", holder.stdout.readline())
        if held != size.idle:
            raise Failure(f"{instance.kind.label}: only {held:.0f} of {size.idle} sessions could be opened.\n{instance.words()}")
        time.sleep(2)
        after = instance.resident()
    finally:
        processes.stop(holder)
    return {"idle": (after - before) / KIB / size.idle, "resident": after / KIB / KIB}
