// nullftpd: an FTP server that costs next to nothing, so that what is measured is the proxy in front of it.
//   nullftpd ADDR PORT [FIRST LAST [SHIFT [implicit|explicit CERTIFICATE KEY]]]
// Any user; RETR <n>k|m|g sends that many KiB, MiB, GiB; STOR discards; no byte comes from a disk or goes to one; a thread a session.
// FIRST-LAST are the data ports: opened once and lent in turn, each to one session from its PASV until its data connection is there. SHIFT is added to the port that a
// reply announces: behind a proxy that knows nothing of FTP the client so dials the proxy, which forwards port P+SHIFT to P.
// Without them every PASV opens a port that the kernel picks.
// TLS: implicit (data protected from the start) or explicit (AUTH TLS), then PBSZ and PROT. Control and data share one context, so that data may resume
// any session of this server. SITE TLS tells how many handshakes there have been, and how many of them resumed a session.
// Build: gcc -O2 -pthread -o nullftpd nullftpd.c -lssl -lcrypto
#define _GNU_SOURCE
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
static const char *addr; static int mem; static SSL_CTX *ctx; static int implicit_;
static struct { atomic_long all, resumed; } on_control, on_data;
static int listener(int port, int data) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, addr, &a.sin_addr); setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (data) wire_patience(s, 30); // bounds accept
    return bind(s, (void *)&a, sizeof a) || listen(s, 1024) ? -1 : s;
}
static int first, last, shift, *ring, held, head; static pthread_mutex_t lending = PTHREAD_MUTEX_INITIALIZER; // ring: data listeners that are free, longest unused first
static int size(void) { return last - first + 1; }
static int lend(void) {
    if (!ring) return listener(0, 1);
    pthread_mutex_lock(&lending); int s = -1; if (held) { s = ring[head]; head = (head + 1) % size(); held--; } pthread_mutex_unlock(&lending); return s;
}
static int port_of(int s) { struct sockaddr_in a; socklen_t n = sizeof a; return getsockname(s, (void *)&a, &n) ? -1 : ntohs(a.sin_port); }
static void give_back(int s, int accepted) {
    if (!ring) { close(s); return; }
    if (!accepted) { int p = port_of(s); close(s); s = listener(p, 1); } // whoever came too late must not be taken for the next transfer's client
    if (s < 0) { perror("data port lost"); return; }
    pthread_mutex_lock(&lending); ring[(head + held++) % size()] = s; pthread_mutex_unlock(&lending);
}
static void say(wire *c, const char *t) { wire_write(c, t, strlen(t)); }
static int protect(wire *w, int data) {
    wire_patience(w->fd, 30); // bounds the handshake
    if (wire_tls(w, ctx, 0, data)) return -1;
    if (!data) wire_patience(w->fd, 0);
    atomic_fetch_add(data ? &on_data.all : &on_control.all, 1); if (SSL_session_reused(w->ssl)) atomic_fetch_add(data ? &on_data.resumed : &on_control.resumed, 1);
    return 0;
}
static long send_file(wire *d, long left) { // what was sent, or -1
    static const char zeros[CHUNK]; long all = left;
    while (left > 0) {
        long k = d->ssl ? CHUNK : 64 << 20; if (left < k) k = left;
        if (d->ssl) { if (wire_write(d, zeros, k)) return -1; }
        else { off_t o = 0; if ((k = sendfile(d->fd, mem, &o, k)) <= 0) return -1; }
        left -= k;
    }
    return all;
}
static long swallow(wire *d) { // what came, or -1
    char *b = d->ssl ? malloc(CHUNK) : 0, x[4096]; long all = 0, r;
    while ((r = d->ssl ? wire_read(d, b, CHUNK) : recv(d->fd, x, 1 << 20, MSG_TRUNC)) > 0) all += r;
    free(b); return r < 0 ? -1 : all;
}
static void transfer(wire *c, const char *l, int listening, int prot) {
    say(c, "150 go\r\n"); wire d = {accept(listening, 0, 0), 0}; long n = -1; char t[64]; give_back(listening, d.fd >= 0);
    if (d.fd >= 0 && !(prot && protect(&d, 1))) {
        int u = l[strlen(l) - 1] | 32;
        n = (*l | 32) == 'r' ? send_file(&d, atol(l + 5) << (u == 'g' ? 30 : u == 'm' ? 20 : 10)) : (*l | 32) == 's' ? swallow(&d) : 0;
    }
    if (!d.ssl) wire_end(&d, 0); else { SSL_shutdown(d.ssl); shutdown(d.fd, SHUT_WR); }
    if (n < 0) say(c, "426 broken\r\n"); else { snprintf(t, sizeof t, "226 %ld bytes\r\n", n); say(c, t); }
    wire_end(&d, 1); // after the reply: who waits for the peer's end must not keep the client waiting
}
static void *session(void *p) {
    wire c = {(int)(long)p, 0}; int one = 1, pasv = -1, prot = implicit_; char b[4096], *l, t[128]; int len = 0; setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (implicit_ && protect(&c, 0)) goto end;
    say(&c, "220 null\r\n");
    for (;;) {
        char *nl; while (!(nl = memchr(b, '\n', len))) { int r = len < (int)sizeof b - 1 ? wire_read(&c, b + len, sizeof b - 1 - len) : -1; if (r <= 0) goto end; len += r; }
        *nl = 0; if (nl > b && nl[-1] == '\r') nl[-1] = 0; l = b;
        if (!strncasecmp(l, "USER", 4)) say(&c, "331 password\r\n"); else if (!strncasecmp(l, "PASS", 4)) say(&c, "230 in\r\n");
        else if (!strncasecmp(l, "PASV", 4) || !strncasecmp(l, "EPSV", 4)) {
            if (pasv >= 0) give_back(pasv, 0);
            unsigned ip = ntohl(inet_addr(addr)), pt;
            if ((pasv = lend()) < 0) { say(&c, "425 no data port is free\r\n"); goto next; }
            pt = port_of(pasv) + shift;
            if (*l == 'P' || *l == 'p') snprintf(t, sizeof t, "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u).\r\n", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, pt >> 8, pt & 255);
            else snprintf(t, sizeof t, "229 Entering Extended Passive Mode (|||%u|)\r\n", pt);
            say(&c, t);
        } else if ((!strncasecmp(l, "RETR ", 5) || !strncasecmp(l, "STOR ", 5) || !strncasecmp(l, "LIST", 4)) && pasv >= 0) { transfer(&c, l, pasv, prot); pasv = -1; }
        else if (!strncasecmp(l, "AUTH", 4)) {
            if (!ctx || c.ssl) { say(&c, "502 no\r\n"); goto next; }
            if (nl + 1 - b != len) goto end; // what stands behind AUTH in clear is nobody's command
            say(&c, "234 go\r\n"); len = 0; if (protect(&c, 0)) goto end; continue;
        } else if (!strncasecmp(l, "PROT ", 5) && c.ssl) { prot = (l[5] | 32) == 'p'; say(&c, "200 ok\r\n"); }
        else if (!strncasecmp(l, "FEAT", 4)) say(&c, ctx ? "211-Features:\r\n AUTH TLS\r\n EPSV\r\n PBSZ\r\n PROT\r\n211 End\r\n" : "211-Features:\r\n EPSV\r\n211 End\r\n");
        else if (!strncasecmp(l, "SITE TLS", 8)) {
            snprintf(t, sizeof t, "200 control %ld resumed %ld data %ld resumed %ld\r\n", on_control.all, on_control.resumed, on_data.all, on_data.resumed); say(&c, t);
        } else if (!strncasecmp(l, "QUIT", 4)) { say(&c, "221 bye\r\n"); goto end; } else say(&c, "200 ok\r\n");
    next:;
        int used = nl + 1 - b; memmove(b, nl + 1, len - used); len -= used;
    }
end: if (pasv >= 0) give_back(pasv, 0);
    wire_end(&c, 1); return 0;
}
int main(int n, char **v) {
    if (n < 3 || (n > 6 && (n < 9 || (strcmp(v[6], "implicit") && strcmp(v[6], "explicit"))))) { fprintf(stderr, "usage: see the top of the source\n"); return 2; }
    signal(SIGPIPE, SIG_IGN); addr = v[1]; mem = memfd_create("x", 0); if (mem < 0 || ftruncate(mem, 64 << 20)) { perror("memfd"); return 1; }
    if (n > 4) {
        first = atoi(v[3]); last = atoi(v[4]); shift = n > 5 ? atoi(v[5]) : 0; if (first < 1 || last < first || last > 65535) return 2;
        ring = calloc(size(), sizeof *ring);
        for (int p = first; p <= last; p++) { if ((ring[held] = listener(p, 1)) < 0) { perror("data port"); return 1; } held++; }
    }
    if (n > 8) {
        implicit_ = !strcmp(v[6], "implicit"); ctx = wire_context(TLS_server_method(), TLS1_3_VERSION);
        if (SSL_CTX_use_certificate_chain_file(ctx, v[7]) != 1 || SSL_CTX_use_PrivateKey_file(ctx, v[8], SSL_FILETYPE_PEM) != 1) { ERR_print_errors_fp(stderr); return 1; }
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"null", 4); SSL_CTX_set_num_tickets(ctx, 1);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); // tickets carry the sessions
    }
    int l = listener(atoi(v[2]), 0); if (l < 0) { perror("listen"); return 1; }
    pthread_attr_t at; pthread_attr_init(&at); pthread_attr_setstacksize(&at, 128 << 10); pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
    for (;;) { int c = accept(l, 0, 0); pthread_t t; if (c >= 0 && pthread_create(&t, &at, session, (void *)(long)c)) close(c); }
}
