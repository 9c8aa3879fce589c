// nullftpd: an FTP server that costs next to nothing, so that what is measured is the proxy in front of it.
//   nullftpd ADDR PORT [FIRST LAST [SHIFT]]
// Any user; RETR <n>k|m|g sends that many KiB, MiB, GiB; STOR discards; a thread a session.
// FIRST-LAST are the data ports: opened once and lent in turn, each to one session from its PASV until its data connection is there. SHIFT is added to the port that a
// reply announces: behind a proxy that knows nothing of FTP the client so dials the proxy, which forwards port P+SHIFT to P.
// Without them every PASV opens a port that the kernel picks.
// Build: gcc -O2 -pthread -o nullftpd nullftpd.c
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
static const char *addr; static int mem;
static int listener(int port, int data) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)}; struct timeval tv = {30, 0};
    inet_pton(AF_INET, addr, &a.sin_addr); setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (data) setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); // bounds accept
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
static void say(int c, const char *t) { send(c, t, strlen(t), MSG_NOSIGNAL); }
static void *session(void *p) {
    int c = (int)(long)p, one = 1, pasv = -1; char b[4096], *l; int len = 0; setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    say(c, "220 null\r\n");
    for (;;) {
        char *nl; while (!(nl = memchr(b, '\n', len))) { int r = len < (int)sizeof b - 1 ? recv(c, b + len, sizeof b - 1 - len, 0) : -1; if (r <= 0) goto end; len += r; }
        *nl = 0; if (nl > b && nl[-1] == '\r') nl[-1] = 0; l = b;
        if (!strncasecmp(l, "USER", 4)) say(c, "331 password\r\n"); else if (!strncasecmp(l, "PASS", 4)) say(c, "230 in\r\n");
        else if (!strncasecmp(l, "PASV", 4) || !strncasecmp(l, "EPSV", 4)) {
            if (pasv >= 0) give_back(pasv, 0);
            unsigned ip = ntohl(inet_addr(addr)), pt; char t[128];
            if ((pasv = lend()) < 0) { say(c, "425 no data port is free\r\n"); goto next; }
            pt = port_of(pasv) + shift;
            if (*l == 'P' || *l == 'p') snprintf(t, sizeof t, "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u).\r\n", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, pt >> 8, pt & 255);
            else snprintf(t, sizeof t, "229 Entering Extended Passive Mode (|||%u|)\r\n", pt);
            say(c, t);
        } else if ((!strncasecmp(l, "RETR ", 5) || !strncasecmp(l, "STOR ", 5) || !strncasecmp(l, "LIST", 4)) && pasv >= 0) {
            say(c, "150 go\r\n"); int d = accept(pasv, 0, 0), bad = d < 0; give_back(pasv, !bad); pasv = -1;
            if (*l == 'R' || *l == 'r') {
                long left = atol(l + 5); int u = l[strlen(l) - 1] | 32; left <<= u == 'g' ? 30 : u == 'm' ? 20 : 10;
                while (!bad && left > 0) { off_t o = 0; long k = left < 64 << 20 ? left : 64 << 20, r = sendfile(d, mem, &o, k); if (r <= 0) bad = 1; else left -= r; }
            } else if (*l == 'S' || *l == 's') { char x[4096]; long r; while ((r = recv(d, x, 1 << 20, MSG_TRUNC)) > 0) ; bad |= r < 0; }
            if (d >= 0) close(d);
            say(c, bad ? "426 broken\r\n" : "226 done\r\n");
        } else if (!strncasecmp(l, "QUIT", 4)) { say(c, "221 bye\r\n"); goto end; } else say(c, "200 ok\r\n");
    next:;
        int used = nl + 1 - b; memmove(b, nl + 1, len - used); len -= used;
    }
end: if (pasv >= 0) give_back(pasv, 0);
    close(c); return 0;
}
int main(int n, char **v) {
    if (n < 3) return 2;
    signal(SIGPIPE, SIG_IGN); addr = v[1]; mem = memfd_create("x", 0); if (mem < 0 || ftruncate(mem, 64 << 20)) { perror("memfd"); return 1; }
    if (n > 4) {
        first = atoi(v[3]); last = atoi(v[4]); shift = n > 5 ? atoi(v[5]) : 0; if (first < 1 || last < first || last > 65535) return 2;
        ring = calloc(size(), sizeof *ring);
        for (int p = first; p <= last; p++) { if ((ring[held] = listener(p, 1)) < 0) { perror("data port"); return 1; } held++; }
    }
    int l = listener(atoi(v[2]), 0); if (l < 0) { perror("listen"); return 1; }
    pthread_attr_t at; pthread_attr_init(&at); pthread_attr_setstacksize(&at, 128 << 10); pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
    for (;;) { int c = accept(l, 0, 0); pthread_t t; if (c >= 0 && pthread_create(&t, &at, session, (void *)(long)c)) close(c); }
}
