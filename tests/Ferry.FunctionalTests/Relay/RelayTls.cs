using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Relay;

/// <summary>What all the relays' tests share: making a context or a key takes longer than a transfer.</summary>
internal static class RelayTls
{
    private static readonly Lazy<(TlsContext Tls12, TlsContext Tls13)> Servers = new(static () => (NewServer(TlsProtocols.Tls12), NewServer(TlsProtocols.Tls13)));

    private static readonly Lazy<TlsContext> Clients = new(static () => TlsContext.TryCreate(new UpstreamTlsConfig(), [])!);

    public static TlsContext Server(TlsProtocols protocol) => protocol == TlsProtocols.Tls12 ? Servers.Value.Tls12 : Servers.Value.Tls13;

    public static TlsContext Client => Clients.Value;

    private static TlsContext NewServer(TlsProtocols protocol)
    {
        using var folder = new TempFolder();
        using TestCertificate certificate = TestCertificate.SelfSigned(TestKey.Ecdsa);
        TestCertificateFiles files = certificate.WriteTo(folder.Path);
        var config = new ClientTlsConfig
        {
            Certificates = [new TlsCertificateConfig(new PlacedText(files.Chain), new PlacedText(files.Key))],
            Protocols = protocol,
        };
        var findings = new List<ConfigDiagnostic>();
        TlsContext? context = TlsContext.TryCreate(config, "relay", findings);
        Assert.True(context is not null, string.Join("; ", findings));
        return context;
    }
}
