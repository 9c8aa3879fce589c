"""What is compared: the server with nothing in front, and each proxy, with its configuration and its processes."""
import dataclasses
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable

from processes import stat, tree

ADDRESS = "127.0.0.1"
DATA_PORTS = 32          # for each contender; four streams and eight concurrent sessions need fewer
SHIFT = 100              # nginx and HAProxy listen for data this far above the server's own data port
PORTS_EACH = 200         # ports between two instances
CONNECTIONS = 20000      # worker_connections: two for a session, and room
MAXCONN = 6000           # HAProxy's word for sessions: it reserves memory and descriptors for them when it starts


class Failure(Exception):
    """The run cannot go on; the text says why and, where there is one, what to do."""


class Ports:
    """The ports of one instance, all below the kernel's ephemeral range (32768): nobody's outgoing connection takes one."""

    def __init__(self, base):
        self.front = base
        self.server = base + 1
        self.server_data = (base + 10, base + 10 + DATA_PORTS - 1)
        self.front_data = (base + 10 + SHIFT, base + 10 + SHIFT + DATA_PORTS - 1)


def ferry_conf(ports, folder):
    return f"""pid {folder}/ferry-{ports.front}.pid;
error_log {folder}/ferry.log warn;
events {{
    worker_connections {CONNECTIONS};
}}
stream {{
    server {{
        listen {ADDRESS}:{ports.front};
        ftp_ctrl zone=bench:10M proxy_ip={ADDRESS} min_port={ports.front_data[0]} max_port={ports.front_data[1]};
        proxy_pass {ADDRESS}:{ports.server};
    }}
}}
"""


def nginx_conf(ports, folder):
    module = next((m for m in ("/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so")
                   if os.path.exists(m)), None)
    forward = ((ports.front, ports.server),) + tuple(
        (port + SHIFT, port) for port in range(ports.server_data[0], ports.server_data[1] + 1))
    servers = "".join(f"    server {{ listen {ADDRESS}:{here}; proxy_pass {ADDRESS}:{there}; }}\n" for here, there in forward)
    return (f"load_module {module};\n" if module else "") + f"""daemon off;
pid {folder}/nginx-{ports.front}.pid;
error_log {folder}/nginx.log warn;
worker_processes auto;
worker_rlimit_nofile {CONNECTIONS};
events {{
    worker_connections {CONNECTIONS};
}}
stream {{
    access_log off;
{servers}}}
"""


def haproxy_conf(ports, folder):
    return f"""global
    maxconn {MAXCONN}
defaults
    mode tcp
    option splice-auto
    option splice-request
    option splice-response
    timeout connect 10s
    timeout client 10m
    timeout server 10m
listen control
    bind {ADDRESS}:{ports.front}
    server ftp {ADDRESS}:{ports.server}
listen data
    bind {ADDRESS}:{ports.front_data[0]}-{ports.front_data[1]}
    server ftp {ADDRESS}:-{SHIFT}
"""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One sort of contender. The port that the server announces is shifted where the proxy does not rewrite replies."""
    name: str
    label: str
    program: str = None
    command: Callable = None    # configuration file, folder -> arguments
    conf: Callable = None       # ports, folder -> text
    version: Callable = None
    rewrites: bool = False

    @property
    def is_proxy(self):
        return self.command is not None


def first_line_of(command, pattern):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=20)
    found = re.search(pattern, done.stdout)
    return found.group(1) if found else "unknown"


def kinds(ferryd):
    nginx = find("nginx")
    haproxy = find("haproxy")
    return [
        Kind("direct", "direct"),
        Kind("ferry", "Ferry", ferryd, lambda conf, folder: [ferryd, "-c", conf], ferry_conf,
             lambda: first_line_of([ferryd, "--version"], r"(\d+\.\d+\S*)"), rewrites=True),
        Kind("nginx", "NGINX stream", nginx, lambda conf, folder: [nginx, "-p", folder, "-c", conf], nginx_conf,
             lambda: first_line_of([nginx, "-v"], r"nginx/(\S+)")),
        Kind("haproxy", "HAProxy", haproxy, lambda conf, folder: [haproxy, "-db", "-f", conf], haproxy_conf,
             lambda: first_line_of([haproxy, "-v"], r"version (\S+)")),
    ]


def find(program):
    """Debian keeps servers in sbin, which is not in everybody's path."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")


def check_free(port):
    """A stranger that already answers on a port would be measured in our process's place."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise Failure(f"port {port} is taken ({error.strerror}); choose others with --port-base") from error


def is_free(port):
    try:
        check_free(port)
        return True
    except Failure:
        return False


class Instance:
    """One contender at work: a server of its own and, but for direct, the proxy in front of it."""

    def __init__(self, kind, ports, folder, tools, processes):
        self.kind = kind
        self.ports = ports
        self.folder = folder
        self._tools = tools
        self._processes = processes
        self._server = None
        self._proxy = None
        self.port = ports.front if kind.is_proxy else ports.server
        if kind.is_proxy:
            self._conf = f"{folder}/{kind.name}-{ports.front}.conf"
            with open(self._conf, "w", encoding="ascii") as file:
                file.write(kind.conf(ports, folder))

    def start_server(self):
        announce = SHIFT if self.kind.is_proxy and not self.kind.rewrites else 0
        first, last = self.ports.server_data
        check_free(self.ports.server)
        self._server = self._processes.start(
            [f"{self._tools}/nullftpd", ADDRESS, str(self.ports.server), str(first), str(last), str(announce)], stdin=subprocess.DEVNULL)
        self._await_banner(self.ports.server, self._server)

    def start(self):
        """Starts what is missing; the seconds from the proxy's exec until a client has the banner through it."""
        if self._server is None:
            self.start_server()
        if not self.kind.is_proxy:
            return 0.0
        check_free(self.port)
        with open(f"{self.folder}/{self.kind.name}.out", "w", encoding="utf-8") as out:
            began = time.monotonic()
            self._proxy = self._processes.start(self.kind.command(self._conf, self.folder), stdin=subprocess.DEVNULL,
                                                stdout=out, stderr=subprocess.STDOUT, cwd=self.folder)
        self._await_banner(self.port, self._proxy)
        return time.monotonic() - began

    def stop_proxy(self):
        if self._proxy:
            self._processes.stop(self._proxy)
            self._proxy = None

    def stop(self):
        self.stop_proxy()
        if self._server:
            self._processes.stop(self._server)
            self._server = None

    def check_path(self):
        """No figure means anything if the data goes past the proxy: the port that a client is told must be one of the proxy's."""
        with socket.create_connection((ADDRESS, self.port), 10) as client:
            reader = client.makefile("rb")
            reader.readline()
            for line in (b"USER bench\r\n", b"PASS bench\r\n", b"PASV\r\n"):
                client.sendall(line)
                reply = reader.readline().decode("ascii", "replace")
            numbers = re.findall(r"\d+", reply)
            told = int(numbers[5]) * 256 + int(numbers[6]) if len(numbers) == 7 else 0
            first, last = self.ports.front_data if self.kind.is_proxy else self.ports.server_data
            if not first <= told <= last:
                raise Failure(f"{self.kind.label}: the data port announced is outside {first}-{last}: {reply.strip()}")

    def cpu(self):
        """CPU seconds of all processes of the proxy so far, user and system."""
        ticks = 0
        for pid, _ in self._members():
            if fields := stat(pid):
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """Resident bytes of all processes of the proxy."""
        total = 0
        for pid, _ in self._members():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += int(re.search(r"^Rss:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) << 10
        return total

    def _members(self):
        return tree(self._proxy.pid) if self._proxy else []

    def words(self):
        """What the proxy said, for a message about its failure."""
        said = ""
        for name in (f"{self.kind.name}.out", f"{self.kind.name}.log"):
            try:
                with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
                    said += file.read()[-2000:]
            except OSError:
                pass
        return said.strip()

    def _await_banner(self, port, process):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if process.poll() is not None:
                raise Failure(f"{self.kind.label}: {process.args[0]} ended with {process.returncode} before it listened.\n{self.words()}")
            with socket.socket() as client:
                client.settimeout(10)
                try:
                    client.connect((ADDRESS, port))
                    if client.recv(4) == b"220 ":
                        return
                except OSError:
                    pass
            time.sleep(0.0005)
        raise Failure(f"{self.kind.label}: no banner on port {port} within 20 s.\n{self.words()}")
