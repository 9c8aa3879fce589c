"""What clients and strangers do on the machines of the single-port tests.

transfer HOST USER COUNT COMMAND PATH    COUNT downloads in one session; prints "ports N" (different ones), "bytes N"
refused HOST PORT...                     each port must close or refuse the connection without a byte; prints "refused N"
echo PORT                                serves IPv4 and IPv6: says whom the client has dialled
ask HOST PORT                            prints what an echo says
hold HOST USER COMMAND PATH              one session; a download for each SIGUSR1; prints "port N" each time
"""
import re
import signal
import socket
import sys
import threading


class Session:
    def __init__(self, host, user):
        self.host = host
        self.control = socket.create_connection((host, 21), 20)
        self.control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.control.makefile("rb")
        self.reply()
        self.ask("USER " + user)
        self.ask("PASS secret")
        self.ask("TYPE I")

    def reply(self):
        line = self.lines.readline().decode()
        while line[3:4] == "-":
            line = self.lines.readline().decode()
        if line[:1] not in "123" or not line:
            sys.exit("the reply is " + repr(line))
        return line

    def ask(self, line):
        self.control.sendall(line.encode() + b"\r\n")
        return self.reply()

    def download(self, command, path):
        told = self.ask(command)
        if command == "EPSV":
            port = int(re.search(r"\|\|\|(\d+)\|", told)[1])
        else:
            numbers = re.search(r"\((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)", told)
            port = int(numbers[5]) * 256 + int(numbers[6])
        with socket.create_connection((self.host, port), 20) as data:
            self.ask("RETR " + path)
            count = 0
            while block := data.recv(65536):
                count += len(block)
        self.reply()
        return port, count


def transfer(host, user, count, command, path):
    session = Session(host, user)
    ports, total = set(), 0
    for _ in range(int(count)):
        port, length = session.download(command, path)
        ports.add(port)
        total += length
    session.ask("QUIT")
    print("ports", len(ports))
    print("bytes", total)


def refused(host, *ports):
    for port in ports:
        try:
            with socket.create_connection((host, int(port)), 20) as s:
                if s.recv(1):
                    sys.exit("port " + port + " sends something")
        except ConnectionError:
            pass
    print("refused", len(ports))


def echo(port):
    def serve(family, address):
        listener = socket.socket(family)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, int(port)))
        listener.listen()
        while True:
            s, peer = listener.accept()
            with s:
                s.sendall("{} {} from {}\n".format(*s.getsockname()[:2], peer[0]).encode())

    threading.Thread(target=serve, args=(socket.AF_INET, "0.0.0.0"), daemon=True).start()
    serve(socket.AF_INET6, "::")


def ask(host, port):
    with socket.create_connection((host, int(port)), 20) as s:
        print("far", s.recv(200).decode().strip())


def hold(host, user, command, path):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    session = Session(host, user)
    print("ready", flush=True)
    while signal.sigwait({signal.SIGUSR1}):
        print("port", session.download(command, path)[0], flush=True)


globals()[sys.argv[1]](*sys.argv[2:])
