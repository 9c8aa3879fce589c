// What nullftpd and ftpbench have in common: a blocking socket that may speak TLS.
// One cipher a version, the same for all contenders, so that no two of them settle on different work.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#define CIPHER_13 "TLS_AES_128_GCM_SHA256"
#define CIPHER_12 "ECDHE-RSA-AES128-GCM-SHA256"
enum { CHUNK = 256 << 10, CHUNK_IN_RECORDS = CHUNK + 8192, LINGER_SECONDS = 5 };

typedef struct { int fd; SSL *ssl; } wire;

static void wire_patience(int fd, int seconds) {   // 0: for ever
    struct timeval tv = {seconds, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

static SSL_CTX *wire_context(const SSL_METHOD *method, int newest) {
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) || !SSL_CTX_set_max_proto_version(ctx, newest) ||
        !SSL_CTX_set_ciphersuites(ctx, CIPHER_13) || !SSL_CTX_set_cipher_list(ctx, CIPHER_12)) { ERR_print_errors_fp(stderr); exit(1); }
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);   // thousands of idle sessions must leave the machine's memory to the proxies
    return ctx;
}

// A bulk wire reads and writes 256 KiB a call: one call a record would make the two ends dearer than the proxy between them.
// (SSL_set_read_ahead is no way to that: it moves all that is left in its buffer to the front before each record.)
static int wire_tls(wire *w, SSL_CTX *ctx, SSL_SESSION *resumed, int bulk) {
    if (!(w->ssl = SSL_new(ctx))) return -1;
    if (bulk) {
        BIO *in = BIO_new(BIO_f_buffer()), *out = BIO_new(BIO_f_buffer());
        BIO_set_read_buffer_size(in, CHUNK_IN_RECORDS); BIO_set_write_buffer_size(out, CHUNK_IN_RECORDS);
        SSL_set_bio(w->ssl, BIO_push(in, BIO_new_socket(w->fd, BIO_NOCLOSE)), BIO_push(out, BIO_new_socket(w->fd, BIO_NOCLOSE)));
    } else SSL_set_fd(w->ssl, w->fd);
    if (resumed) SSL_set_session(w->ssl, resumed);
    return (SSL_is_server(w->ssl) ? SSL_accept(w->ssl) : SSL_connect(w->ssl)) == 1 ? 0 : -1;
}

// Bytes read; 0 at the sender's own end, which for TLS is close_notify and nothing else; -1 for anything else.
static int wire_read(wire *w, void *to, int most) {
    if (!w->ssl) return recv(w->fd, to, most, 0);
    int n = SSL_read(w->ssl, to, most);
    return n > 0 ? n : SSL_get_error(w->ssl, n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static int wire_write(wire *w, const void *from, int n) {   // 0, or -1 if it was not all taken
    if (w->ssl) return SSL_write(w->ssl, from, n) == n && BIO_flush(SSL_get_wbio(w->ssl)) == 1 ? 0 : -1;
    for (int done = 0, k; done < n; done += k) if ((k = send(w->fd, (const char *)from + done, n - done, MSG_NOSIGNAL)) <= 0) return -1;
    return 0;
}

// With TLS: close_notify, FIN, and the peer's end awaited, because closing a socket that holds unread bytes (a peer's session tickets) is a
// reset, which throws away what the peer has not read yet. Who has read to close_notify already need not wait for more.
static void wire_end(wire *w, int linger) {
    if (w->fd < 0) return;
    if (w->ssl) {
        char rest[4096];
        SSL_shutdown(w->ssl); shutdown(w->fd, SHUT_WR);
        if (linger) { wire_patience(w->fd, LINGER_SECONDS); while (recv(w->fd, rest, sizeof rest, 0) > 0) ; }
        SSL_free(w->ssl); w->ssl = 0; ERR_clear_error();
    }
    close(w->fd); w->fd = -1;
}
