"""pyftpdlib with one user who may do everything: ADDRESS PORT ROOT USER PASSWORD [FOLDER implicit|explicit login|- data|-]

With FOLDER it speaks TLS with FOLDER/server.crt and FOLDER/server.key, and asks for it at login and on data connections.
"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

address, port, root, user, password, *tls = sys.argv[1:]
handler = FTPHandler
if tls:
    from pyftpdlib.handlers import TLS_FTPHandler

    folder, kind, login, data = tls

    class ImplicitHandler(TLS_FTPHandler):
        """TLS first, and the greeting inside of it."""

        def handle(self):
            self.secure_connection(self.ssl_context)

        def handle_ssl_established(self):
            TLS_FTPHandler.handle(self)

        def flush_account(self):
            # PROT P without being asked, as vsftpd and ProFTPD have it.
            TLS_FTPHandler.flush_account(self)
            self._pbsz = self._prot = True

    handler = ImplicitHandler if kind == "implicit" else TLS_FTPHandler
    handler.certfile = folder + "/server.crt"
    handler.keyfile = folder + "/server.key"
    handler.tls_control_required = login == "login"
    handler.tls_data_required = data == "data"

authorizer = DummyAuthorizer()
authorizer.add_user(user, password, root, perm="elradfmwMT")
handler.authorizer = authorizer
FTPServer.max_cons = 0
FTPServer((address, int(port)), handler).serve_forever()
