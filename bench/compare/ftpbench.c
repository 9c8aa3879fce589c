// ftpbench: an FTP load generator for side-by-side runs.
//   ftpbench sessions   HOST PORT USER PASS PATH THREADS TOTAL MODE   login + PASV + RETR + QUIT, TOTAL times: sessions per second, latency
//   ftpbench handshakes HOST PORT USER PASS -    THREADS TOTAL MODE   connect + TLS + greeting + QUIT, TOTAL times: as above
//   ftpbench get        HOST PORT USER PASS PATH THREADS 1     MODE   each thread downloads PATH (as nullftpd names files: 64m) once: GiB/s
//   ftpbench put        HOST PORT USER PASS PATH THREADS MIB   MODE   each thread uploads MIB MiB to PATH.<n>: GiB/s
//   ftpbench idle       HOST PORT USER PASS -    1       COUNT MODE   logs COUNT sessions in, prints "idle N", keeps them until stdin closes
//   ftpbench noop       HOST PORT USER PASS -    THREADS TOTAL MODE   NOOP round trips after one login a thread: microseconds each
// MODE: plain | explicit | implicit, and after the latter two any of
//   +nodata   PROT C instead of PROT P        +resume   each thread resumes the session of its last control connection (else every one is a full handshake)
//   +tls12    TLS 1.2 instead of 1.3
// Data connections always offer the session of their control connection. Every number of bytes is held against the reply to the transfer, and an end of
// data without close_notify is a failure. Exit 1 if anything failed.
// Build: gcc -O2 -pthread -o ftpbench ftpbench.c -lssl -lcrypto
#define _GNU_SOURCE
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
static const char *what, *host, *user, *pass, *path; static int port, threads; static long total; static int implicit_, explicit_, prot, resume;
static SSL_CTX *ctx; static atomic_long next_, failed, bytes, controls, controls_resumed, datas, datas_resumed; static double *lat;
static __thread SSL_SESSION *kept;
typedef struct { wire w; int len, off; } conn;
static __thread char came[8192];   // what the thread's control connection has sent, len bytes of it, off of them read; a thread reads one at a time
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static int dial(const char *h, int p) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(p)};
    inet_pton(AF_INET, h, &a.sin_addr); setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); wire_patience(s, 30);
    if (connect(s, (void *)&a, sizeof a)) { close(s); return -1; } return s;
}
static int protect(conn *c) {
    if (wire_tls(&c->w, ctx, resume ? kept : 0, 0)) return -1;
    atomic_fetch_add(&controls, 1); if (SSL_session_reused(c->w.ssl)) atomic_fetch_add(&controls_resumed, 1); return 0;
}
static void keep(conn *c) {   // after a reply: TLS 1.3 hands its tickets over behind the handshake
    SSL_SESSION *s = c->w.ssl && resume ? SSL_get1_session(c->w.ssl) : 0;
    if (s && SSL_SESSION_is_resumable(s)) { SSL_SESSION_free(kept); kept = s; } else SSL_SESSION_free(s);
}
static int line(conn *c, char *out, int max) {
    int k = 0;
    for (;;) {
        if (c->off == c->len) { c->len = wire_read(&c->w, came, sizeof came); c->off = 0; if (c->len <= 0) { c->len = 0; return -1; } }
        char ch = came[c->off++]; if (ch == '\n') { out[k] = 0; return k; } if (ch != '\r' && k < max - 1) out[k++] = ch;
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
    return wire_write(&c->w, b, n) ? -1 : reply(c, text);
}
static int greet(conn *c) {
    memset(c, 0, sizeof *c); c->w.fd = dial(host, port); if (c->w.fd < 0) return -1;
    if (implicit_ && protect(c)) return -2;
    if (reply(c, 0) != 220) return -3;
    if (explicit_) { if (cmd(c, 0, "AUTH TLS%s", 0) != 234 || c->off != c->len) return -4; if (protect(c)) return -5; }
    if (implicit_) keep(c);
    return 0;
}
static int login(conn *c) {
    int r = greet(c); if (r) return r;
    r = cmd(c, 0, "USER %s", user); if (r == 331) r = cmd(c, 0, "PASS %s", pass); if (r != 230) return -6;
    if (explicit_) keep(c);
    if (ctx) { if (cmd(c, 0, "PBSZ 0%s", 0) != 200) return -7; if (cmd(c, 0, prot ? "PROT P%s" : "PROT C%s", 0) != 200) return -8; }
    if (cmd(c, 0, "TYPE I%s", 0) != 200) return -9;
    return 0;
}
static int leave(conn *c) {
    int r = cmd(c, 0, "QUIT%s", 0) == 221 ? 0 : -17; if (explicit_) keep(c);
    wire_end(&c->w, 1); return r;
}
static int protect_data(wire *d, conn *c) {
    SSL_SESSION *s = SSL_get1_session(c->w.ssl); int r = wire_tls(d, ctx, s, 1); SSL_SESSION_free(s);
    if (!r) { atomic_fetch_add(&datas, 1); if (SSL_session_reused(d->ssl)) atomic_fetch_add(&datas_resumed, 1); }
    return r;
}
static int transfer(conn *c, int put, const char *name, long mib) {
    char t[2048]; unsigned h[6]; if (cmd(c, t, "PASV%s", 0) != 227) return -10;
    char *p = strchr(t, '('); if (!p || sscanf(p, "(%u,%u,%u,%u,%u,%u", h, h + 1, h + 2, h + 3, h + 4, h + 5) != 6) return -11;
    wire d = {dial(host, h[4] * 256 + h[5]), 0}; if (d.fd < 0) return -12;
    int r = cmd(c, 0, put ? "STOR %s" : "RETR %s", name); if (r != 150 && r != 125) { wire_end(&d, 0); return -13; }
    if (ctx && prot && protect_data(&d, c)) { wire_end(&d, 0); return -14; }
    static __thread char *buf; if (!buf) buf = calloc(1, 1 << 20); long n = 0, k = 0;
    if (put) for (long left = mib << 20; left > 0 && !k; left -= CHUNK) { int part = left < CHUNK ? left : CHUNK; if (!(k = wire_write(&d, buf, part))) n += part; }
    else { while ((k = d.ssl ? wire_read(&d, buf, CHUNK) : recv(d.fd, buf, 1 << 20, MSG_TRUNC)) > 0) n += k; }
    wire_end(&d, put); atomic_fetch_add(&bytes, n); if (k) return -15;
    if (reply(c, t) != 226) return -16;
    return sscanf(t, "226 %ld bytes", &k) == 1 && k == n ? 0 : -19;
}
static int once(void) { conn c; int r = login(&c); if (!r) r = transfer(&c, 0, path, 0); if (!r) r = leave(&c); wire_end(&c.w, 0); return r; }
static int shake(void) { conn c; int r = greet(&c); if (!r) r = leave(&c); wire_end(&c.w, 0); return r; }
static void fail(int r) { if (atomic_fetch_add(&failed, 1) < 3) { fprintf(stderr, "failed at step %d\n", -r); ERR_print_errors_fp(stderr); } }
static void *run(void *arg) {
    long id = (long)arg; conn c; int r;
    if (!strcmp(what, "sessions") || !strcmp(what, "handshakes")) {
        int full = *what == 's'; for (long i; (i = atomic_fetch_add(&next_, 1)) < total;) { double t = now(); if ((r = full ? once() : shake())) fail(r); lat[i] = now() - t; }
    } else if (!strcmp(what, "noop")) {
        if ((r = login(&c))) { fail(r); return 0; }
        for (long i; (i = atomic_fetch_add(&next_, 1)) < total;) { double t = now(); if (cmd(&c, 0, "NOOP%s", 0) != 200) fail(-18); lat[i] = now() - t; }
        wire_end(&c.w, 0);
    } else {
        char n[1024]; int put = !strcmp(what, "put"); snprintf(n, sizeof n, put ? "%s.%ld" : "%s", path, id);
        r = login(&c); if (!r) r = transfer(&c, put, n, total); if (r) fail(r); wire_end(&c.w, 0);
    }
    SSL_SESSION_free(kept); return 0;
}
static int cmp(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }
int main(int n, char **v) {
    if (n < 10) { fprintf(stderr, "usage: see the top of the source\n"); return 2; }
    signal(SIGPIPE, SIG_IGN); what = v[1]; host = v[2]; port = atoi(v[3]); user = v[4]; pass = v[5]; path = v[6]; threads = atoi(v[7]); total = atol(v[8]);
    implicit_ = !strncmp(v[9], "implicit", 8); explicit_ = !strncmp(v[9], "explicit", 8); prot = !strstr(v[9], "+nodata"); resume = !!strstr(v[9], "+resume");
    if (implicit_ || explicit_) ctx = wire_context(TLS_client_method(), strstr(v[9], "+tls12") ? TLS1_2_VERSION : TLS1_3_VERSION);
    struct rlimit rl; getrlimit(RLIMIT_NOFILE, &rl); rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl);
    double t0 = now();
    if (!strcmp(what, "idle")) {
        conn *c = calloc(total, sizeof *c); long ok = 0; for (long i = 0; i < total; i++) { int r = login(&c[i]); if (r) { fail(r); break; } ok++; }
        printf("idle %ld in %.1f s\n", ok, now() - t0); fflush(stdout); while (getchar() != EOF) ; return failed != 0;
    }
    lat = calloc(total + 1, sizeof *lat); pthread_t th[threads]; for (long i = 0; i < threads; i++) pthread_create(&th[i], 0, run, (void *)i); for (int i = 0; i < threads; i++) pthread_join(th[i], 0);
    double s = now() - t0;
    if (!strcmp(what, "get") || !strcmp(what, "put")) printf("%.2f GiB in %.3f s: %.3f GiB/s; failed %ld", bytes / 1073741824.0, s, bytes / 1073741824.0 / s, failed);
    else { qsort(lat, total, sizeof *lat, cmp); printf("%ld in %.3f s: %.0f per s; p50 %.3f ms p99 %.3f ms; failed %ld", total, s, total / s, lat[total / 2] * 1e3, lat[total * 99 / 100] * 1e3, failed); }
    if (ctx) printf("; control %ld resumed %ld data %ld resumed %ld", controls, controls_resumed, datas, datas_resumed);
    printf("\n"); return failed != 0;
}
