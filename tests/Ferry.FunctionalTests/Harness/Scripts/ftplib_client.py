"""Python's ftplib for one operation: HOST PORT USER PASSWORD OPERATION ARGUMENTS..."""
import ftplib
import os
import sys

host, port, user, password, operation, *arguments = sys.argv[1:]
ftp = ftplib.FTP()
ftp.connect(host, int(port), timeout=15)
ftp.login(user, password)

if operation == "list":
    ftp.cwd(arguments[0])
    ftp.retrlines("LIST")
elif operation == "download":
    with open(arguments[1], "wb") as local:
        ftp.retrbinary("RETR " + arguments[0], local.write)
elif operation == "resume":
    with open(arguments[1], "ab") as local:
        ftp.retrbinary("RETR " + arguments[0], local.write, rest=os.path.getsize(arguments[1]))
elif operation == "upload":
    with open(arguments[0], "rb") as local:
        ftp.storbinary("STOR " + arguments[1], local)
elif operation == "append":
    with open(arguments[0], "rb") as local:
        ftp.storbinary("APPE " + arguments[1], local)
elif operation == "rename":
    ftp.rename(*arguments)
elif operation == "delete":
    ftp.delete(*arguments)
elif operation == "mkdir":
    ftp.mkd(*arguments)
else:
    sys.exit("unknown operation " + operation)
ftp.quit()
