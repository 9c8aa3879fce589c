using Ferry.Config;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsContextTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData(TlsProtocols.Tls13, "TLSv1.3")]
    [InlineData(TlsProtocols.Tls12, "TLSv1.2")]
    [InlineData(TlsProtocols.Tls12 | TlsProtocols.Tls13, "TLSv1.3")]
    [InlineData(TlsProtocols.Tls11, "TLSv1.1")]
    [InlineData(TlsProtocols.Tls10, "TLSv1")]
    public void Both_ends_speak_the_newest_version_that_is_configured(TlsProtocols protocols, string spoken)
    {
        var server = _made.Server(c => c with { Protocols = protocols });
        var client = _made.Client(c => c with { Protocols = TlsProtocols.Tls10 | TlsProtocols.Tls11 | TlsProtocols.Tls12 | TlsProtocols.Tls13 });

        var (c, s) = _made.Meet(client, server);

        Assert.Null(c.Failure);
        Assert.Null(s.Failure);
        Assert.Equal(spoken, c.Protocol);
    }
}
