using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary>Makes the records of TLS.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>Null where the server offers its clients no TLS: what is written of it then acts nowhere.</summary>
    private ClientTlsConfig? BuildClientTls(ServerDraft server)
    {
        var (own, outer) = (server.Scope.Tls, Main.Stream.Tls);
        if (!server.OffersTls(outer))
            return null;
        var defaults = new ClientTlsConfig { Certificates = [] };
        return new ClientTlsConfig
        {
            Certificates = [.. Whole(own.Certificates, outer.Certificates).Zip(Whole(own.CertificateKeys, outer.CertificateKeys), (c, k) => new TlsCertificateConfig(c, k))],
            StartTls = server.StartTlsWithin(outer),
            PasswordFile = own.PasswordFile.Or(outer.PasswordFile).Else(null),
            Protocols = own.Protocols.Or(outer.Protocols).Else(defaults.Protocols),
            Ciphers = own.Ciphers.Or(outer.Ciphers).Else(null),
            PreferServerCiphers = own.PreferServerCiphers.Or(outer.PreferServerCiphers).Else(defaults.PreferServerCiphers),
            Curves = own.Curves.Or(outer.Curves).Else(null),
            DhParamFile = own.DhParamFile.Or(outer.DhParamFile).Else(null),
            Commands = Whole(own.Commands, outer.Commands),
            SessionTimeout = own.SessionTimeout.Or(outer.SessionTimeout).Else(defaults.SessionTimeout),
            SessionTickets = own.SessionTickets.Or(outer.SessionTickets).Else(defaults.SessionTickets),
            TicketKeyFiles = Whole(own.TicketKeys, outer.TicketKeys),
            SessionReuse = own.SessionReuse.Or(outer.SessionReuse).Else(defaults.SessionReuse),
            VerifyClient = own.VerifyClient.Or(outer.VerifyClient).Else(defaults.VerifyClient),
            ClientCertificateFile = own.ClientCertificateFile.Or(outer.ClientCertificateFile).Else(null),
            TrustedCertificateFile = own.TrustedCertificateFile.Or(outer.TrustedCertificateFile).Else(null),
            CrlFile = own.CrlFile.Or(outer.CrlFile).Else(null),
            VerifyDepth = own.VerifyDepth.Or(outer.VerifyDepth).Else(defaults.VerifyDepth),
            HandshakeTimeout = own.HandshakeTimeout.Or(outer.HandshakeTimeout).Else(defaults.HandshakeTimeout),
        };
    }

    private UpstreamTlsConfig BuildUpstreamTls(ServerDraft server)
    {
        var (own, outer) = (server.Scope.Tls, Main.Stream.Tls);
        var defaults = new UpstreamTlsConfig();
        var mode = own.ModeWithin(outer);
        if (mode == UpstreamTls.Off)
            return defaults;
        var certificate = own.UpstreamCertificate.Or(outer.UpstreamCertificate).Else(null);
        var key = own.UpstreamCertificateKey.Or(outer.UpstreamCertificateKey).Else(null);
        return new UpstreamTlsConfig
        {
            Mode = mode,
            Protection = own.UpstreamProtection.Or(outer.UpstreamProtection).Else(defaults.Protection),
            Protocols = own.UpstreamProtocols.Or(outer.UpstreamProtocols).Else(defaults.Protocols),
            Ciphers = own.UpstreamCiphers.Or(outer.UpstreamCiphers).Else(null),
            Commands = Whole(own.UpstreamCommands, outer.UpstreamCommands),
            Certificate = certificate is null || key is null ? null : new TlsCertificateConfig(certificate, key),
            PasswordFile = own.UpstreamPasswordFile.Or(outer.UpstreamPasswordFile).Else(null),
            Verify = own.UpstreamVerify.Or(outer.UpstreamVerify).Else(defaults.Verify),
            TrustedCertificateFile = own.UpstreamTrustedCertificateFile.Or(outer.UpstreamTrustedCertificateFile).Else(null),
            CrlFile = own.UpstreamCrlFile.Or(outer.UpstreamCrlFile).Else(null),
            VerifyDepth = own.UpstreamVerifyDepth.Or(outer.UpstreamVerifyDepth).Else(defaults.VerifyDepth),
            Name = own.UpstreamName.Or(outer.UpstreamName).Else(null),
            SendServerName = own.UpstreamServerName.Or(outer.UpstreamServerName).Else(defaults.SendServerName),
            SessionReuse = own.UpstreamSessionReuse.Or(outer.UpstreamSessionReuse).Else(defaults.SessionReuse),
        };
    }

    /// <summary>Lists are handed down whole, as in nginx: one line of a block's own replaces all of the block around.</summary>
    private static ImmutableArray<T> Whole<T>(List<T> own, List<T> outer) => [.. own.Count > 0 ? own : outer];
}
