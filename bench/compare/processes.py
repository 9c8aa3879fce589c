"""The processes of a run: started, looked at and ended by pid."""
import os
import signal
import subprocess


class Processes:
    """Everything that the run has started, ended by its own pid and by nothing else."""

    def __init__(self):
        self._running = []

    def start(self, command, **keywords):
        # A session of its own: Ctrl-C reaches the script alone, which then ends its children in order.
        process = subprocess.Popen(command, start_new_session=True, **keywords)
        self._running.append(process)
        return process

    def stop(self, process):
        if process not in self._running:
            return
        members = tree(process.pid)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        for pid, started in members:   # workers whose master died before them
            if start_time(pid) == started:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        self._running.remove(process)

    def stop_all(self):
        for process in list(reversed(self._running)):
            self.stop(process)


def stat(pid):
    """The fields of /proc/PID/stat from the third on (the second may hold blanks), or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def start_time(pid):
    fields = stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def tree(pid):
    """A process and all that descend from it, each with its start time: a pid alone may be somebody else's later."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    members, queue = [], [pid]
    while queue:
        one = queue.pop()
        if started := start_time(one):
            members.append((one, started))
        queue += children.get(one, [])
    return members
