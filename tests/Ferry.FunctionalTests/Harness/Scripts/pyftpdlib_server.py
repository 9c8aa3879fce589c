"""pyftpdlib with one user who may do everything: ADDRESS PORT ROOT USER PASSWORD"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

address, port, root, user, password = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, root, perm="elradfmwMT")
FTPHandler.authorizer = authorizer
FTPServer.max_cons = 0
FTPServer((address, int(port)), FTPHandler).serve_forever()
