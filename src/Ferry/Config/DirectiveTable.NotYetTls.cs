namespace Ferry.Config;

/// <summary>TLS, which is still to come. The names are those of nginx's stream module and of its mail module.</summary>
internal static partial class DirectiveTable
{
    private const string PlainOnly = "this version serves plain FTP only";

    private static Directive Tls(string name, string value, string? neutral = null) => Later(name, InBoth, $"{name} {value};", PlainOnly, neutral);

    private static IEnumerable<Directive> NotYetTls() =>
    [
        Tls("ssl_alpn", "PROTOCOL ..."),
        Tls("ssl_certificate", "FILE") with { Set = (b, _) => b.Scope.HasCertificate = true },
        Tls("ssl_certificate_cache", "off | max=NUMBER [inactive=TIME] [valid=TIME]", "off"),
        Tls("ssl_certificate_compression", "on | off", "off"),
        Tls("ssl_certificate_key", "FILE") with { Set = (b, _) => b.Scope.HasCertificateKey = true },
        Tls("ssl_ciphers", "CIPHERS"),
        Tls("ssl_client_certificate", "FILE"),
        Tls("ssl_conf_command", "NAME VALUE"),
        Tls("ssl_crl", "FILE"),
        Tls("ssl_dhparam", "FILE"),
        Tls("ssl_ecdh_curve", "CURVES"),
        Tls("ssl_handshake_timeout", "TIME"),
        Tls("ssl_key_log", "FILE"),
        Tls("ssl_ocsp", "on | off | leaf", "off"),
        Tls("ssl_ocsp_cache", "off | [shared:NAME:SIZE]", "off"),
        Tls("ssl_ocsp_responder", "URL"),
        Tls("ssl_password_file", "FILE"),
        Tls("ssl_prefer_server_ciphers", "on | off", "off"),
        Tls("ssl_preread", "on | off", "off"),
        Tls("ssl_protocols", "[TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]"),
        Tls("ssl_reject_handshake", "on | off", "off"),
        Tls("ssl_session_cache", "off | none | [builtin[:NUMBER]] [shared:NAME:SIZE]", "none"),
        Tls("ssl_session_ticket_key", "FILE"),
        Tls("ssl_session_tickets", "on | off"),
        Tls("ssl_session_timeout", "TIME"),
        Tls("ssl_stapling", "on | off", "off"),
        Tls("ssl_stapling_file", "FILE"),
        Tls("ssl_stapling_responder", "URL"),
        Tls("ssl_stapling_verify", "on | off", "off"),
        Tls("ssl_trusted_certificate", "FILE"),
        Tls("ssl_verify_client", "on | off | optional | optional_no_ca", "off"),
        Tls("ssl_verify_depth", "NUMBER"),

        Tls("proxy_ssl", "on | off", "off"),
        Tls("proxy_ssl_certificate", "FILE"),
        Tls("proxy_ssl_certificate_cache", "off | max=NUMBER [inactive=TIME] [valid=TIME]", "off"),
        Tls("proxy_ssl_certificate_key", "FILE"),
        Tls("proxy_ssl_ciphers", "CIPHERS"),
        Tls("proxy_ssl_conf_command", "NAME VALUE"),
        Tls("proxy_ssl_crl", "FILE"),
        Tls("proxy_ssl_key_log", "FILE"),
        Tls("proxy_ssl_name", "NAME"),
        Tls("proxy_ssl_password_file", "FILE"),
        Tls("proxy_ssl_protocols", "[TLSv1] [TLSv1.1] [TLSv1.2] [TLSv1.3]"),
        Tls("proxy_ssl_server_name", "on | off", "off"),
        Tls("proxy_ssl_session_reuse", "on | off"),
        Tls("proxy_ssl_trusted_certificate", "FILE"),
        Tls("proxy_ssl_verify", "on | off", "off"),
        Tls("proxy_ssl_verify_depth", "NUMBER"),

        Tls("starttls", "on | only | off", "off"),
        Tls("proxy_starttls", "on | off | match", "off"),
        Tls("proxy_ftp_prot", "match | private | clear", "clear"),
        Tls("ftp_tls_session_reuse", "off | optional | required", "off"),
        Tls("ftp_tls_truncation", "forbid | allow", "forbid"),
    ];
}
