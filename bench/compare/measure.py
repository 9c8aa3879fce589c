"""The measurements: each takes an instance at work, runs ftpbench against it, and returns figures by key."""
import re
import subprocess
import time

from configurations import ADDRESS
from contenders import Failure

KIB, GIB = 1 << 10, 1 << 30
THREADS = 4


class Size:
    """How much a run measures."""

    def __init__(self, quick):
        self._quick = quick
        self.sessions = 1000 if quick else 10000
        self.noops = 5000 if quick else 20000
        self.starts = 3

    def mib(self, link):
        return 128 if self._quick and link.client else 256 if self._quick else 1024 if link.client else 2048

    def idle(self, link):
        return 500 if self._quick else 1000 if link.client else 5000

    def handshakes(self, resume, tls12=False):
        return (400 if self._quick else 2000 if resume else 1000) // (2 if tls12 else 1)


def arguments(instance, tool, what, path, threads, total, flags=""):
    mode = f"implicit{flags}" if instance.link.client else "plain"
    return [tool, what, ADDRESS, str(instance.port), "bench", "bench", path, str(threads), str(total), mode]


def bench(instance, tool, what, path, threads, total, flags=""):
    done = subprocess.run(arguments(instance, tool, what, path, threads, total, flags),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, start_new_session=True)
    if done.returncode:
        raise Failure(f"{instance.kind.label}, {instance.link.label}: ftpbench {what} failed.\n{done.stdout}{done.stderr}{instance.words()}")
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
    key = f"{instance.link.prefix}{'upload' if put else 'download'}{streams}"
    each = size.mib(instance.link) // streams
    text, cpu = with_cpu(instance, lambda: bench(instance, tool, "put" if put else "get", "bench" if put else f"{each}m",
                                                 streams, each if put else 1))
    figures = {key: number(r"([\d.]+) GiB/s", text)}
    if instance.kind.is_proxy:
        figures[f"{key}_cpu"] = cpu / (each * streams / 1024)
    return figures


def sessions(instance, tool, size):
    text, cpu = with_cpu(instance, lambda: bench(instance, tool, "sessions", "1k", THREADS, size.sessions))
    figures = {"sessions": number(r"([\d.]+) per s", text)}
    if instance.kind.is_proxy:
        figures["sessions_cpu"] = cpu * 1000 / size.sessions
    return figures


def handshakes(instance, tool, size, resume, tls12=False):
    """Sessions of connect, TLS, greeting and QUIT. Where the server speaks TLS too, the proxy shakes hands with it each time, and resumes what it can."""
    key = f"{instance.link.prefix}{'resumed' if resume else 'full'}{'12' if tls12 else ''}"
    total = size.handshakes(resume, tls12)
    before = instance.server_handshakes() if instance.kind.is_proxy and instance.link.server else None
    text, cpu = with_cpu(instance, lambda: bench(instance, tool, "handshakes", "-", THREADS, total, "+resume" * resume + "+tls12" * tls12))
    resumed = number(r"control \d+ resumed (\d+)", text)
    if resumed < total - THREADS if resume else resumed:
        raise Failure(f"{instance.kind.label}, {instance.link.label}: {resumed:.0f} of {total} handshakes resumed a session")
    figures = {f"{key}_rate": number(r"([\d.]+) per s", text)}
    if instance.kind.is_proxy:
        figures[key] = total / cpu
        if before:
            after = instance.server_handshakes()
            figures[f"{key}_server"] = 100 * (after[1] - before[1]) / (after[0] - before[0])
    return figures


def noop(instance, tool, size):
    text = bench(instance, tool, "noop", "-", 1, size.noops)
    return {"noop_p50": number(r"p50 ([\d.]+) ms", text) * 1000, "noop_p99": number(r"p99 ([\d.]+) ms", text) * 1000}


def warm(instance, tool, thorough):
    """So that nobody's first round holds what is done once: pages of code read, code compiled, pools filled."""
    for _ in range(3 if thorough else 1):
        total = 300 if instance.link.client else 1000
        text = bench(instance, tool, "sessions", "1k", THREADS, total)
        if instance.link.client and number(r"data \d+ resumed (\d+)", text) != total:
            raise Failure(f"{instance.kind.label}, {instance.link.label}: data connections do not resume the session of their control connection: {text}")
        if instance.link.client and thorough:
            for flags in ("", "+resume"):
                bench(instance, tool, "handshakes", "-", THREADS, 500, flags)
        bench(instance, tool, "get", "64m", 4, 1)
        bench(instance, tool, "put", "bench", 4, 64)
        settle(instance)


def settle(instance):
    """A compiler in the background (.NET's) works on for a while after what made it work."""
    before = None
    for _ in range(20):
        now = instance.cpu()
        if now == before:
            return
        before = now
        time.sleep(0.3)


def start_up(instance, size):
    """Starts the proxy several times; the last one is left at work."""
    taken = []
    for _ in range(size.starts):
        instance.stop_proxy()
        taken.append(instance.start() * 1000)
    return {"start": taken}


def idle(instance, tool, size, processes):
    """Resident growth from a fresh proxy that has served a few sessions to one that holds many that say nothing."""
    count = size.idle(instance.link)
    bench(instance, tool, "sessions", "1k", 1, 20)
    time.sleep(0.5)
    before = instance.resident()
    holder = processes.start(arguments(instance, tool, "idle", "-", 1, count), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        held = number(r"idle (\d+)", holder.stdout.readline())
        if held != count:
            raise Failure(f"{instance.kind.label}, {instance.link.label}: only {held:.0f} of {count} sessions could be opened.\n{instance.words()}")
        time.sleep(2)
        after = instance.resident()
    finally:
        processes.stop(holder)
    prefix = instance.link.prefix
    return {f"{prefix}idle": (after - before) / KIB / count, f"{prefix}resident": after / KIB / KIB}
