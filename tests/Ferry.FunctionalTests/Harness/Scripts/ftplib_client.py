"""Python's ftplib for operations over one session: OPTIONS HOST PORT USER PASSWORD (OPERATION ARGUMENTS...)..."""
import argparse
import ftplib
import os
import socket
import ssl

parser = argparse.ArgumentParser()
parser.add_argument("--tls", choices=["Plain", "Explicit", "Implicit"], default="Plain")
parser.add_argument("--clear-data", action="store_true")
parser.add_argument("--clear-commands", action="store_true")
parser.add_argument("--resume-data", action="store_true")
parser.add_argument("--foreign-session", action="store_true")
parser.add_argument("--version", choices=["TLSv1", "TLSv1_2", "TLSv1_3"])
parser.add_argument("--authority")
parser.add_argument("--certificate")
parser.add_argument("--extended", action="store_true")
parser.add_argument("--active", action="store_true")
parser.add_argument("--pasv", action="store_true")
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("user")
parser.add_argument("password")
parser.add_argument("operations", nargs="+")
options = parser.parse_args()


class Modes:
    """EPSV and EPRT where they are asked for; ftplib itself does PASV and PORT over IPv4, EPSV and EPRT over IPv6."""

    def makepasv(self):
        if options.extended:
            return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())
        return super().makepasv()

    def sendport(self, host, port):
        return self.sendeprt(host, port) if options.extended else super().sendport(host, port)

    def ntransfercmd(self, cmd, rest=None):
        connection, size = super().ntransfercmd(cmd, rest)
        if options.active:
            print("data from", *connection.getpeername()[:2])
        return connection, size


class Plain(Modes, ftplib.FTP):
    pass


class Explicit(Modes, ftplib.FTP_TLS):
    pass


class Resuming(Explicit):
    """What most programs that use ftplib add to it."""

    foreign = None

    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            owner = self.foreign or self
            connection = self.context.wrap_socket(connection, server_hostname=self.host, session=owner.sock.session)
            print("data resumed" if connection.session_reused else "data fresh")
        return connection, size


class Implicit(Resuming if options.resume_data else Explicit):
    def connect(self, host="", port=0, timeout=-999, source_address=None):
        self.host, self.port, self.timeout = host, port, timeout
        self.sock = socket.create_connection((host, port), timeout)
        self.af = self.sock.family
        self.sock = self.context.wrap_socket(self.sock, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if options.authority:
        made.load_verify_locations(options.authority)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if options.certificate:
        made.load_cert_chain(options.certificate)
    if options.version:
        if options.version == "TLSv1":
            made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = ssl.TLSVersion[options.version]
    return made


def log_in(*arguments, **keywords):
    kind = {"Plain": Plain, "Implicit": Implicit, "Explicit": Resuming if options.resume_data else Explicit}[options.tls]
    session = kind(*arguments, **keywords)
    session.connect(options.host, options.port, timeout=15)
    session.login(options.user, options.password)
    session.set_pasv(not options.active)
    return session


ftp = log_in() if options.tls == "Plain" else log_in(context=context())
if options.foreign_session:
    # A session can only be resumed in its own context.
    ftp.foreign = log_in(context=ftp.context)
if options.tls != "Plain":
    print("control", ftp.sock.version())
    if options.clear_data:
        ftp.voidcmd("PBSZ 0")
        ftp.prot_c()
    else:
        ftp.prot_p()
    if options.clear_commands:
        ftp.ccc()

arguments = iter(options.operations)
for operation in arguments:
    if operation == "list":
        ftp.cwd("/" + next(arguments))
        ftp.retrlines("LIST")
        ftp.cwd("/")
    elif operation == "download":
        remote = next(arguments)
        with open(next(arguments), "wb") as local:
            ftp.retrbinary("RETR " + remote, local.write)
    elif operation == "download-refused":
        try:
            ftp.retrbinary("RETR " + next(arguments), lambda _: None)
        except ftplib.error_perm as refusal:
            assert str(refusal).startswith("550"), refusal
        else:
            raise SystemExit("a download was not refused")
    elif operation == "resume":
        remote, name = next(arguments), next(arguments)
        with open(name, "ab") as local:
            ftp.retrbinary("RETR " + remote, local.write, rest=os.path.getsize(name))
    elif operation in ("upload", "append"):
        with open(next(arguments), "rb") as local:
            ftp.storbinary(("STOR " if operation == "upload" else "APPE ") + next(arguments), local)
    elif operation == "upload-refused":
        try:
            with open(next(arguments), "rb") as local:
                ftp.storbinary("STOR " + next(arguments), local)
        except ftplib.error_perm as refusal:
            assert str(refusal).startswith("55"), refusal
        else:
            raise SystemExit("an upload was not refused")
    elif operation == "abort":
        remote = next(arguments)
        for _ in range(int(next(arguments))):
            connection = ftp.transfercmd("RETR " + remote)
            connection.recv(1000)
            connection.close()
            # Each reads one reply.
            ftp.abort()
            ftp.getmultiline()
            assert ftp.sendcmd("NOOP").startswith("200")
    elif operation == "rename":
        ftp.rename(next(arguments), next(arguments))
    elif operation == "delete":
        ftp.delete(next(arguments))
    elif operation == "mkdir":
        ftp.mkd(next(arguments))
    else:
        raise SystemExit("unknown operation " + operation)
ftp.quit()
