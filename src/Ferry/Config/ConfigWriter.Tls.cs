using System.Collections.Immutable;

namespace Ferry.Config;

/// <summary>TLS. Where one side has none, that is all there is to say of it.</summary>
internal sealed partial class ConfigWriter
{
    private void WriteClientTls(ClientTlsConfig? tls)
    {
        Line("starttls", tls?.StartTls switch { StartTls.On => "on", StartTls.Only => "only", _ => "off" });
        if (tls is null)
            return;
        foreach (var certificate in tls.Certificates)
        {
            WriteText("ssl_certificate", certificate.CertificateFile);
            WriteText("ssl_certificate_key", certificate.KeyFile);
        }
        WriteText("ssl_password_file", tls.PasswordFile);
        WriteProtocols("ssl_protocols", tls.Protocols);
        WriteText("ssl_ciphers", tls.Ciphers, ClientTlsConfig.DefaultCiphers);
        Line("ssl_prefer_server_ciphers", OnOff(tls.PreferServerCiphers));
        WriteText("ssl_ecdh_curve", tls.Curves, ClientTlsConfig.DefaultCurves);
        WriteText("ssl_dhparam", tls.DhParamFile);
        WriteCommands("ssl_conf_command", tls.Commands);
        Line("ssl_session_timeout", Time(tls.SessionTimeout));
        Line("ssl_session_tickets", OnOff(tls.SessionTickets));
        foreach (var key in tls.TicketKeyFiles)
            WriteText("ssl_session_ticket_key", key);
        Line("ftp_tls_session_reuse", tls.SessionReuse switch { TlsSessionReuse.Off => "off", TlsSessionReuse.Required => "required", _ => "optional" });
        Line("ssl_verify_client", tls.VerifyClient switch
        {
            ClientVerification.On => "on",
            ClientVerification.Optional => "optional",
            ClientVerification.OptionalNoCa => "optional_no_ca",
            _ => "off",
        });
        WriteText("ssl_client_certificate", tls.ClientCertificateFile);
        WriteText("ssl_trusted_certificate", tls.TrustedCertificateFile);
        WriteText("ssl_crl", tls.CrlFile);
        Line("ssl_verify_depth", Number(tls.VerifyDepth));
        Line("ssl_handshake_timeout", Time(tls.HandshakeTimeout));
    }

    private void WriteUpstreamTls(UpstreamTlsConfig tls)
    {
        Line("proxy_ssl", OnOff(tls.Mode == UpstreamTls.Implicit));
        Line("proxy_starttls", tls.Mode switch { UpstreamTls.Explicit => "on", UpstreamTls.Match => "match", _ => "off" });
        if (tls.Mode == UpstreamTls.Off)
            return;
        Line("proxy_ftp_prot", tls.Protection switch { UpstreamProtection.Private => "private", UpstreamProtection.Clear => "clear", _ => "match" });
        Line("proxy_ssl_verify", OnOff(tls.Verify));
        WriteText("proxy_ssl_trusted_certificate", tls.TrustedCertificateFile);
        WriteText("proxy_ssl_crl", tls.CrlFile);
        Line("proxy_ssl_verify_depth", Number(tls.VerifyDepth));
        if (tls.Name is { } name)
            Line("proxy_ssl_name", Quote(name));
        Line("proxy_ssl_server_name", OnOff(tls.SendServerName));
        WriteProtocols("proxy_ssl_protocols", tls.Protocols);
        WriteText("proxy_ssl_ciphers", tls.Ciphers, UpstreamTlsConfig.DefaultCiphers);
        WriteCommands("proxy_ssl_conf_command", tls.Commands);
        WriteText("proxy_ssl_certificate", tls.Certificate?.CertificateFile);
        WriteText("proxy_ssl_certificate_key", tls.Certificate?.KeyFile);
        WriteText("proxy_ssl_password_file", tls.PasswordFile);
        Line("proxy_ssl_session_reuse", OnOff(tls.SessionReuse));
    }

    private void WriteText(string name, PlacedText? text, string? otherwise = null)
    {
        if ((text?.Value ?? otherwise) is { } value)
            Line(name, Quote(value));
    }

    private void WriteProtocols(string name, TlsProtocols protocols)
    {
        List<string> words = [name];
        foreach (var (word, version) in ConfigBinder.Versions)
        {
            if (protocols.HasFlag(version))
                words.Add(word);
        }
        Line(words);
    }

    private void WriteCommands(string name, ImmutableArray<TlsCommandConfig> commands)
    {
        foreach (var command in commands)
            Line(name, Quote(command.Name), Quote(command.Value));
    }

    private static IEnumerable<string> Ssl(bool isTls) => isTls ? ["ssl"] : [];
}
