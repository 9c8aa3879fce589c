"""What is compared: the server with nothing in front, and each proxy, with its configuration and its processes."""
import dataclasses
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable

import configurations
from configurations import ADDRESS, SHIFT
from processes import stat, tree


class Failure(Exception):
    """The run cannot go on; the text says why and, where there is one, what to do."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One sort of contender. The port that the server announces is shifted where the proxy does not rewrite replies."""
    name: str
    label: str
    program: str = None
    command: Callable = None    # configuration file, folder -> arguments
    conf: Callable = None       # ports, folder, link -> text
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
        Kind("ferry", "Ferry", ferryd, lambda conf, folder: [ferryd, "-c", conf], configurations.ferry,
             lambda: first_line_of([ferryd, "--version"], r"(\d+\.\d+\S*)"), rewrites=True),
        Kind("nginx", "NGINX stream", nginx, lambda conf, folder: [nginx, "-p", folder, "-c", conf], configurations.nginx,
             lambda: first_line_of([nginx, "-v"], r"nginx/(\S+)")),
        Kind("haproxy", "HAProxy", haproxy, lambda conf, folder: [haproxy, "-db", "-f", conf], configurations.haproxy,
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


def protected(client, tls):
    """The connection, with TLS on it where the other end expects that; nobody here has to prove who he is."""
    if not tls:
        return client
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(client)


def talk(port, tls, *commands):
    """The last line of the reply to the last of some commands."""
    with socket.create_connection((ADDRESS, port), 10) as client, protected(client, tls) as channel, channel.makefile("rb") as reader:
        reader.readline()
        for command in commands:
            channel.sendall(command.encode("ascii") + b"\r\n")
            reply = reader.readline().decode("ascii", "replace")
        return reply.strip()


class Instance:
    """One contender at work: a server of its own and, but for direct, the proxy in front of it."""

    def __init__(self, kind, link, ports, folder, tools, processes):
        self.kind = kind
        self.link = link
        self.ports = ports
        self.folder = folder
        self._tools = tools
        self._processes = processes
        self._server = None
        self._proxy = None
        self._questions = 0
        self._name = f"{kind.name}-{ports.front}"
        self.port = ports.front if kind.is_proxy else ports.server
        if kind.is_proxy:
            self._conf = f"{folder}/{self._name}.conf"
            with open(self._conf, "w", encoding="ascii") as file:
                file.write(kind.conf(ports, folder, link))

    @property
    def server_tls(self):
        """What the server speaks is what the proxy speaks to it, or the client where there is no proxy."""
        return self.link.server if self.kind.is_proxy else self.link.client

    def start_server(self):
        announce = SHIFT if self.kind.is_proxy and not self.kind.rewrites else 0
        first, last = self.ports.server_data
        tls = ["implicit", f"{self.folder}/bench.crt", f"{self.folder}/bench.key"] if self.server_tls else []
        check_free(self.ports.server)
        self._server = self._processes.start([f"{self._tools}/nullftpd", ADDRESS, str(self.ports.server), str(first), str(last), str(announce)] + tls,
                                             stdin=subprocess.DEVNULL)
        self._await_banner(self.ports.server, self._server, self.server_tls)

    def start(self):
        """Starts what is missing; the seconds from the proxy's exec until a client has the banner through it."""
        if self._server is None:
            self.start_server()
        if not self.kind.is_proxy:
            return 0.0
        check_free(self.port)
        with open(f"{self.folder}/{self._name}.out", "w", encoding="utf-8") as out:
            began = time.monotonic()
            self._proxy = self._processes.start(self.kind.command(self._conf, self.folder), stdin=subprocess.DEVNULL,
                                                stdout=out, stderr=subprocess.STDOUT, cwd=self.folder)
        self._await_banner(self.port, self._proxy, self.link.client)
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
        reply = talk(self.port, self.link.client, "USER bench", "PASS bench", "PASV")
        numbers = re.findall(r"\d+", reply)
        told = int(numbers[5]) * 256 + int(numbers[6]) if len(numbers) == 7 else 0
        first, last = self.ports.front_data if self.kind.is_proxy else self.ports.server_data
        if not first <= told <= last:
            raise Failure(f"{self.kind.label}: the data port announced is outside {first}-{last}: {reply}")

    def server_handshakes(self):
        """Handshakes on control connections that the server has seen so far, this question's own left out, and how many of them resumed a session."""
        numbers = re.findall(r"\d+", talk(self.ports.server, True, "SITE TLS"))
        if len(numbers) != 5:
            raise Failure(f"{self.kind.label}: the server does not say how many handshakes there have been")
        self._questions += 1
        return int(numbers[1]) - self._questions, int(numbers[2])

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
        for name in (f"{self._name}.out", f"{self._name}.log"):
            try:
                with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
                    said += file.read()[-2000:]
            except OSError:
                pass
        return said.strip()

    def _await_banner(self, port, process, tls):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if process.poll() is not None:
                raise Failure(f"{self.kind.label}: {process.args[0]} ended with {process.returncode} before it listened.\n{self.words()}")
            with socket.socket() as client:
                client.settimeout(10)
                try:
                    client.connect((ADDRESS, port))
                    with protected(client, tls) as channel:
                        if channel.recv(4) == b"220 ":
                            return
                except OSError:
                    pass
            time.sleep(0.0005)
        raise Failure(f"{self.kind.label}: no banner on port {port} within 20 s.\n{self.words()}")
