"""What each proxy is told: its configuration for plain FTP, for TLS with the client, and for TLS with both."""
import base64
import dataclasses
import os
import subprocess

ADDRESS = "127.0.0.1"
DATA_PORTS = 32          # for each contender; four streams and eight concurrent sessions need fewer
SHIFT = 50               # nginx and HAProxy listen for data this far above the server's own data port
PORTS_EACH = 100         # ports between two instances
CONNECTIONS = 20000      # worker_connections: two for a session, and room
MAXCONN = 6000           # HAProxy's word for sessions: it reserves memory and descriptors for them when it starts
PROTOCOLS, CIPHER_13, CIPHER_12 = "TLSv1.2 TLSv1.3", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"   # as in wire.h


@dataclasses.dataclass(frozen=True)
class Link:
    """Which sides of a proxy speak TLS, always implicit: neither NGINX nor HAProxy can do the explicit kind, which needs somebody who reads FTP."""
    prefix: str              # of the figures' keys
    label: str
    client: bool = False
    server: bool = False


PLAIN = Link("", "plain FTP")
CLIENT = Link("client_", "TLS with the client", client=True)
BOTH = Link("both_", "TLS with both", client=True, server=True)


class Ports:
    """The ports of one instance, all below the kernel's ephemeral range (32768): nobody's outgoing connection takes one."""

    def __init__(self, base, data_ports=DATA_PORTS):
        self.front = base
        self.server = base + 1
        self.server_data = (base + 10, base + 10 + data_ports - 1)
        self.front_data = (base + 10 + SHIFT, base + 10 + SHIFT + data_ports - 1)


def make_certificate(folder):
    """One certificate and key (RSA, 2048 bits) for the servers and all proxies, and the keys of the tickets that each proxy hands out on all its ports."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bench", "-addext", f"subjectAltName=IP:{ADDRESS}",
                    "-keyout", f"{folder}/bench.key", "-out", f"{folder}/bench.crt"], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    parts = []
    for name in ("bench.crt", "bench.key"):
        with open(f"{folder}/{name}", encoding="ascii") as file:
            parts.append(file.read())
    with open(f"{folder}/bench.pem", "w", encoding="ascii") as file:
        file.write("".join(parts))
    with open(f"{folder}/nginx.tickets", "wb") as file:
        file.write(os.urandom(80))
    with open(f"{folder}/haproxy.tickets", "w", encoding="ascii") as file:
        file.writelines(base64.b64encode(os.urandom(80)).decode("ascii") + "\n" for _ in range(3))   # it wants three


def indented(lines, depth):
    return "".join(" " * depth + line + "\n" for line in lines)


def nginx_words(link, folder):
    """What Ferry and NGINX spell alike, Ferry having it from NGINX."""
    client = [f"ssl_certificate {folder}/bench.crt;", f"ssl_certificate_key {folder}/bench.key;", f"ssl_protocols {PROTOCOLS};",
              f"ssl_ciphers {CIPHER_12};", f"ssl_conf_command Ciphersuites {CIPHER_13};"]
    server = ["proxy_ssl on;", f"proxy_ssl_protocols {PROTOCOLS};", f"proxy_ssl_ciphers {CIPHER_12};",
              f"proxy_ssl_conf_command Ciphersuites {CIPHER_13};", "proxy_ssl_session_reuse on;"]
    return client * link.client + server * link.server


def ferry(ports, folder, link):
    return f"""pid {folder}/ferry-{ports.front}.pid;
error_log {folder}/ferry-{ports.front}.log warn;
events {{
    worker_connections {CONNECTIONS};
}}
stream {{
    server {{
        listen {ADDRESS}:{ports.front}{" ssl" * link.client};
{indented(nginx_words(link, folder), 8)}        ftp_ctrl zone=bench:10M proxy_ip={ADDRESS} min_port={ports.front_data[0]} max_port={ports.front_data[1]};
        proxy_pass {ADDRESS}:{ports.server};
    }}
}}
"""


def nginx(ports, folder, link):
    module = next((m for m in ("/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so")
                   if os.path.exists(m)), None)
    forward = ((ports.front, ports.server),) + tuple(
        (port + SHIFT, port) for port in range(ports.server_data[0], ports.server_data[1] + 1))
    # Each server block has keys of its own for tickets unless it is given some: a data connection could not resume its control connection's session.
    # No ssl_session_cache: with tickets nothing is ever looked up in it, and this version would copy every session of TLS 1.3 into it.
    words = nginx_words(link, folder) + [f"ssl_session_ticket_key {folder}/nginx.tickets;"] * link.client
    servers = "".join(f"    server {{ listen {ADDRESS}:{here}{' ssl' * link.client}; proxy_pass {ADDRESS}:{there}; }}\n" for here, there in forward)
    return (f"load_module {module};\n" if module else "") + f"""daemon off;
pid {folder}/nginx-{ports.front}.pid;
error_log {folder}/nginx-{ports.front}.log warn;
worker_processes auto;
worker_rlimit_nofile {CONNECTIONS};
events {{
    worker_connections {CONNECTIONS};
}}
stream {{
    access_log off;
{indented(words, 4)}{servers}}}
"""


def haproxy(ports, folder, link):
    tls = ["ssl-default-bind-options ssl-min-ver TLSv1.2", f"ssl-default-bind-ciphers {CIPHER_12}", f"ssl-default-bind-ciphersuites {CIPHER_13}",
           "ssl-default-server-options ssl-min-ver TLSv1.2", f"ssl-default-server-ciphers {CIPHER_12}", f"ssl-default-server-ciphersuites {CIPHER_13}"]
    bind = f" ssl crt {folder}/bench.pem tls-ticket-keys {folder}/haproxy.tickets" * link.client
    server = " ssl verify none" * link.server
    return f"""global
    maxconn {MAXCONN}
{indented(tls * (link.client or link.server), 4)}defaults
    mode tcp
    option splice-auto
    option splice-request
    option splice-response
    timeout connect 10s
    timeout client 10m
    timeout server 10m
listen control
    bind {ADDRESS}:{ports.front}{bind}
    server ftp {ADDRESS}:{ports.server}{server}
listen data
    bind {ADDRESS}:{ports.front_data[0]}-{ports.front_data[1]}{bind}
    server ftp {ADDRESS}:-{SHIFT}{server}
"""
