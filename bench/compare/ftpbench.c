// ftpbench: an FTP load generator for side-by-side runs.
//   ftpbench sessions HOST PORT USER PASS PATH THREADS TOTAL MODE   login + PASV + RETR + QUIT, TOTAL times: sessions per second, latency
//   ftpbench get      HOST PORT USER PASS PATH THREADS 1     MODE   each thread downloads PATH once: GiB/s
//   ftpbench put      HOST PORT USER PASS PATH THREADS MIB   MODE   each thread uploads MIB MiB to PATH.<n>: GiB/s
//   ftpbench idle     HOST PORT USER PASS -    1       COUNT MODE   logs COUNT sessions in, prints "idle N", keeps them until stdin closes
//   ftpbench noop     HOST PORT USER PASS -    THREADS TOTAL MODE   NOOP round trips after one login a thread: microseconds each
// MODE: plain | explicit | implicit   (TLS data is PROT P; append +nodata to leave it at PROT C). Exit 1 if anything failed.
// Build: gcc -O2 -pthread -o ftpbench ftpbench.c -lssl -lcrypto
#define _GNU_SOURCE
#include <openssl/ssl.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
static const char *what, *host, *user, *pass, *path; static int port, threads; static long total; static int implicit_, explicit_, prot;
static SSL_CTX *ctx; static atomic_long next_, failed, bytes; static double *lat;
typedef struct { int fd; SSL *ssl; char buf[8192]; int len, off; } conn;
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static int dial(const char *h, int p) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(p)};
    inet_pton(AF_INET, h, &a.sin_addr); setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct timeval tv = {30, 0}; setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    if (connect(s, (void *)&a, sizeof a)) { close(s); return -1; } return s;
}
static int tls(conn *c, SSL_SESSION *sess) {
    c->ssl = SSL_new(ctx); SSL_set_fd(c->ssl, c->fd); if (sess) SSL_set_session(c->ssl, sess);
    return SSL_connect(c->ssl) == 1 ? 0 : -1;
}
static int rd(conn *c, void *b, int n) { return c->ssl ? SSL_read(c->ssl, b, n) : (int)recv(c->fd, b, n, 0); }
static int wr(conn *c, const void *b, int n) { return c->ssl ? SSL_write(c->ssl, b, n) : (int)send(c->fd, b, n, MSG_NOSIGNAL); }
static int line(conn *c, char *out, int max) {
    int k = 0;
    for (;;) {
        if (c->off == c->len) { c->len = rd(c, c->buf, sizeof c->buf); c->off = 0; if (c->len <= 0) return -1; }
        char ch = c->buf[c->off++]; if (ch == '\n') { out[k] = 0; return k; } if (ch != '\r' && k < max - 1) out[k++] = ch;
    }
}
static int reply(conn *c, char *text) {   // last line of a reply in text; its code
    char l[2048]; int code = 0;
    if (line(c, l, sizeof l) < 0) return -1;
    code = atoi(l); if (strlen(l) > 3 && l[3] == '-') do { if (line(c, l, sizeof l) < 0) return -1; } while (!(atoi(l) == code && l[3] == ' '));
    if (text) strcpy(text, l);
    return code;
}
static int cmd(conn *c, char *text, const char *f, const char *a) {
    char b[2048]; int n = snprintf(b, sizeof b, f, a ? a : ""); b[n++] = '\r'; b[n++] = '\n';
    return wr(c, b, n) == n ? reply(c, text) : -1;
}
static void shut(conn *c) { if (c->ssl) { SSL_shutdown(c->ssl); SSL_free(c->ssl); c->ssl = 0; } if (c->fd >= 0) close(c->fd); c->fd = -1; }
static int login(conn *c) {
    memset(c, 0, sizeof *c); c->fd = dial(host, port); if (c->fd < 0) return -1;
    if (implicit_ && tls(c, 0)) return -2;
    if (reply(c, 0) != 220) return -3;
    if (explicit_) { if (cmd(c, 0, "AUTH TLS%s", 0) != 234) return -4; if (tls(c, 0)) return -5; }
    int r = cmd(c, 0, "USER %s", user); if (r == 331) r = cmd(c, 0, "PASS %s", pass); if (r != 230) return -6;
    if (ctx) { if (cmd(c, 0, "PBSZ 0%s", 0) != 200) return -7; if (cmd(c, 0, prot ? "PROT P%s" : "PROT C%s", 0) != 200) return -8; }
    if (cmd(c, 0, "TYPE I%s", 0) != 200) return -9;
    return 0;
}
static int transfer(conn *c, int put, const char *name, long mib) {
    char t[2048]; unsigned h[6]; if (cmd(c, t, "PASV%s", 0) != 227) return -10;
    char *p = strchr(t, '('); if (!p || sscanf(p, "(%u,%u,%u,%u,%u,%u", h, h + 1, h + 2, h + 3, h + 4, h + 5) != 6) return -11;
    conn d; memset(&d, 0, sizeof d); d.fd = dial(host, h[4] * 256 + h[5]); if (d.fd < 0) return -12;
    int r = cmd(c, 0, put ? "STOR %s" : "RETR %s", name); if (r != 150 && r != 125) { shut(&d); return -13; }
    if (ctx && prot && tls(&d, SSL_get1_session(c->ssl))) { shut(&d); return -14; }
    static __thread char *buf; if (!buf) buf = calloc(1, 1 << 20); long n = 0; int bad = 0;
    if (put) { for (long left = mib << 20; left > 0;) { int k = left > 1 << 18 ? 1 << 18 : left, w = wr(&d, buf, k); if (w <= 0) { bad = 1; break; } left -= w; n += w; } }
    else for (;;) { int k = d.ssl ? SSL_read(d.ssl, buf, 1 << 16) : (int)recv(d.fd, buf, 1 << 20, MSG_TRUNC); if (k < 0 && !d.ssl) bad = 1; if (k <= 0) break; n += k; }
    shut(&d); atomic_fetch_add(&bytes, n); if (bad) return -15;
    return reply(c, 0) == 226 ? 0 : -16;
}
static int once(void) { conn c; int r = login(&c); if (!r) r = transfer(&c, 0, path, 0); if (!r && cmd(&c, 0, "QUIT%s", 0) != 221) r = -17; shut(&c); return r; }
static void fail(int r) { if (atomic_fetch_add(&failed, 1) < 3) fprintf(stderr, "failed at step %d\n", -r); }
static void *run(void *arg) {
    long id = (long)arg; conn c; int r;
    if (!strcmp(what, "sessions")) for (long i; (i = atomic_fetch_add(&next_, 1)) < total;) { double t = now(); if ((r = once())) fail(r); lat[i] = now() - t; }
    else if (!strcmp(what, "noop")) { if ((r = login(&c))) { fail(r); return 0; } for (long i; (i = atomic_fetch_add(&next_, 1)) < total;) { double t = now(); if (cmd(&c, 0, "NOOP%s", 0) != 200) fail(-18); lat[i] = now() - t; } shut(&c); }
    else { char n[1024]; int put = !strcmp(what, "put"); snprintf(n, sizeof n, put ? "%s.%ld" : "%s", path, id); r = login(&c); if (!r) r = transfer(&c, put, n, total); if (r) fail(r); shut(&c); }
    return 0;
}
static int cmp(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }
int main(int n, char **v) {
    if (n < 10) { fprintf(stderr, "usage: see the top of the source\n"); return 2; }
    signal(SIGPIPE, SIG_IGN); what = v[1]; host = v[2]; port = atoi(v[3]); user = v[4]; pass = v[5]; path = v[6]; threads = atoi(v[7]); total = atol(v[8]);
    implicit_ = !strncmp(v[9], "implicit", 8); explicit_ = !strncmp(v[9], "explicit", 8); prot = !strstr(v[9], "+nodata"); if (implicit_ || explicit_) ctx = SSL_CTX_new(TLS_client_method());
    struct rlimit rl; getrlimit(RLIMIT_NOFILE, &rl); rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl);
    double t0 = now();
    if (!strcmp(what, "idle")) {
        conn *c = calloc(total, sizeof *c); long ok = 0; for (long i = 0; i < total; i++) { int r = login(&c[i]); if (r) { fail(r); break; } ok++; }
        printf("idle %ld in %.1f s\n", ok, now() - t0); fflush(stdout); while (getchar() != EOF) ; return failed != 0;
    }
    lat = calloc(total + 1, sizeof *lat); pthread_t th[threads]; for (long i = 0; i < threads; i++) pthread_create(&th[i], 0, run, (void *)i); for (int i = 0; i < threads; i++) pthread_join(th[i], 0);
    double s = now() - t0;
    if (!strcmp(what, "sessions") || !strcmp(what, "noop")) { qsort(lat, total, sizeof *lat, cmp); printf("%ld in %.3f s: %.0f per s; p50 %.3f ms p99 %.3f ms; failed %ld\n", total, s, total / s, lat[total / 2] * 1e3, lat[total * 99 / 100] * 1e3, failed); }
    else printf("%.2f GiB in %.3f s: %.3f GiB/s; failed %ld\n", bytes / 1073741824.0, s, bytes / 1073741824.0 / s, failed);
    return failed != 0;
}
