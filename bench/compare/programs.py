"""The programs that a run needs: installed or built where they are missing; and what the system must allow them."""
import contextlib
import os
import resource
import shutil
import subprocess

from configurations import MAXCONN
from contenders import Failure, find

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(HERE, "build")
DESCRIPTORS = 40000   # two a session for a proxy at 5,000, its pipes, and what HAProxy keeps in reserve


def install(names):
    """The programs that the run needs: installed where this is root on a Debian, else named."""
    needed = {}
    if not shutil.which("openssl"):
        needed["openssl"] = ["openssl"]
    if not shutil.which("gcc"):
        needed["gcc"] = ["gcc", "libc6-dev"]
    if not os.path.exists("/usr/include/openssl/ssl.h"):
        needed["the headers of OpenSSL"] = ["libssl-dev"]
    if "nginx" in names and not nginx_streams():
        needed["nginx with its stream module"] = ["nginx-light", "libnginx-mod-stream"]
    if "haproxy" in names and not find("haproxy"):
        needed["haproxy"] = ["haproxy"]
    if not needed:
        return
    packages = [package for group in needed.values() for package in group]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(f"missing: {', '.join(needed)}. On Debian or Ubuntu: apt-get install {' '.join(packages)}")
    print(f"installing {' '.join(packages)}", flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")

    def apt(*words):
        return subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "-o", "Dpkg::Use-Pty=0", *words], env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    apt("update")
    with no_new_services():
        done = apt("install", "-y", "--no-install-recommends", *packages)
    if done.returncode:
        raise Failure(f"apt-get could not install {' '.join(packages)}:\n{done.stdout[-2000:].rstrip()}")


@contextlib.contextmanager
def no_new_services():
    """A package starts its server on a public port when it is installed, unless a policy-rc.d forbids it."""
    policy = "/usr/sbin/policy-rc.d"
    ours = not os.path.exists(policy)
    if ours:
        with open(policy, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
    try:
        yield
    finally:
        if ours:
            os.remove(policy)


def nginx_streams():
    nginx = find("nginx")
    if not nginx:
        return False
    said = subprocess.run([nginx, "-V"], capture_output=True, text=True).stderr
    return "--with-stream " in said + " " or any(
        os.path.exists(f"{folder}/nginx/modules/ngx_stream_module.so") for folder in ("/usr/lib", "/usr/lib64"))


def compile_tools():
    os.makedirs(BUILD, exist_ok=True)
    for name in ("nullftpd", "ftpbench"):
        source, target = f"{HERE}/{name}.c", f"{BUILD}/{name}"
        changed = max(os.path.getmtime(file) for file in (source, f"{HERE}/wire.h"))
        if not os.path.exists(target) or os.path.getmtime(target) < changed:
            if subprocess.run(["gcc", "-O2", "-Wall", "-pthread", "-o", target, source, "-lssl", "-lcrypto"]).returncode:
                raise Failure(f"gcc could not build {source}")


def find_ferryd(named):
    path = os.path.realpath(named or f"{ROOT}/out/ferryd")
    if not os.path.exists(path) and not named and os.path.exists(f"{ROOT}/build"):
        print("building ferryd", flush=True)
        if subprocess.run([f"{ROOT}/build"], cwd=ROOT).returncode:
            raise Failure("./build failed")
    if not os.access(path, os.X_OK):
        raise Failure(f"there is no ferryd at {path}; name one with --ferryd, or leave Ferry out with --without-ferry")
    return path


def raise_limits(sessions):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, OSError):
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    if wanted < 2 * MAXCONN + 4000:
        raise Failure(f"{sessions} sessions need more open files than the {wanted} allowed here; raise the hard limit (ulimit -Hn {DESCRIPTORS})")
