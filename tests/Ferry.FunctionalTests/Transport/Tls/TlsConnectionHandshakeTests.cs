using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsConnectionHandshakeTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    public static TheoryData<TlsProtocols> Protocols => [TlsProtocols.Tls13, TlsProtocols.Tls12];

    [Theory]
    [InlineData("")]
    [InlineData("\u0016")]
    [InlineData("USER anonymous\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\u00ff\u00ff\u0001")]
    [InlineData("\u0016\u0003\u0001\u0000\u0000")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0028")]
    [InlineData("\u0014\u0003\u0001\u0000\u0001\u0001")]
    [InlineData("\u0080\u002e\u0001\u0000\u0002")]
    public async Task What_is_no_ClientHello_ends_the_handshake_with_a_reason(string garbage)
    {
        using var tap = new TlsConnectionTap(_made.Client(), _made.Server());
        var shaking = tap.Server.HandshakeAsync().AsTask();
        await TlsConnectionTap.GiveLastAsync(tap.BehindServer, System.Text.Encoding.Latin1.GetBytes(garbage));

        Assert.False(await Wait.For(shaking, "the end of the handshake"));
        Assert.False(string.IsNullOrEmpty(tap.Server.Failure));
        Assert.Null(tap.Server.Info);
    }

    [Fact]
    public async Task A_server_that_speaks_no_TLS_ends_the_handshake_with_a_reason()
    {
        using var tap = new TlsConnectionTap(_made.Client(), _made.Server());
        var shaking = tap.Client.HandshakeAsync().AsTask();
        await TlsConnectionTap.GiveAsync(tap.BehindClient, "500 What?\r\n"u8.ToArray());

        Assert.False(await Wait.For(shaking, "the end of the handshake"));
        Assert.Equal("wrong version number", tap.Client.Failure);
    }

    /// <summary>The handshake is cut off behind every byte of every flight, and whoever waits for the rest is told.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task An_end_at_any_byte_of_the_handshake_ends_it(TlsProtocols protocol)
    {
        var client = _made.Client(c => c with { Protocols = protocol });
        var server = _made.Server(c => c with { Protocols = protocol });
        var flight = 0;
        var cut = 0;
        var cuts = 0;
        while (true)
        {
            using var tap = new TlsConnectionTap(client, server);
            var shaking = (Client: tap.Client.HandshakeAsync().AsTask(), Server: tap.Server.HandshakeAsync().AsTask());
            byte[] bytes = [];
            for (var i = 0; i <= flight; i++)
            {
                bytes = await tap.TakeAsync(i % 2 == 0 ? tap.BehindClient : tap.BehindServer);
                if (i < flight)
                    await TlsConnectionTap.GiveAsync(i % 2 == 0 ? tap.BehindServer : tap.BehindClient, bytes);
            }
            if (cut >= bytes.Length) // a signature may be shorter by some bytes
            {
                cut = 0;
                // The last flight of the client's is the last but one in TLS 1.2, and the last that anybody waits for in TLS 1.3.
                if (++flight == (protocol == TlsProtocols.Tls13 ? 3 : 4))
                    break;
                continue;
            }
            var (to, waiting, connection) = flight % 2 == 0 ? (tap.BehindServer, shaking.Server, tap.Server) : (tap.BehindClient, shaking.Client, tap.Client);
            await TlsConnectionTap.GiveLastAsync(to, bytes.AsMemory(0, cut));
            Assert.False(await Wait.For(waiting, $"the end of the handshake that was cut in flight {flight} at {cut}"));
            Assert.Equal("the peer closed the connection during the handshake", connection.Failure);
            cuts++;
            cut++;
        }
        Assert.InRange(cuts, 500, 10_000);
    }

    [Fact]
    public async Task The_peers_reason_is_told_as_far_as_it_says_one()
    {
        using var pair = TlsConnectionPair.Create(
            _made.Client(c => c with { Protocols = TlsProtocols.Tls12 }), _made.Server(c => c with { Protocols = TlsProtocols.Tls13 }));
        var shaken = await Wait.For(Task.WhenAll(pair.Client.HandshakeAsync().AsTask(), pair.Server.HandshakeAsync().AsTask()), "the handshake");

        Assert.Equal([false, false], shaken);
        Assert.Equal("unsupported protocol", pair.Server.Failure);
        Assert.Equal("tlsv1 alert protocol version", pair.Client.Failure);
    }

    [Fact]
    public async Task A_name_that_the_certificate_does_not_carry_is_a_failure_that_says_so()
    {
        using var authority = new TestAuthority();
        var files = _made.Write(authority.Issue(TestKey.Ecdsa, "localhost", "127.0.0.1"), "issued");
        var trusted = _made.Write("ca.pem", authority.CertificatePem);
        var server = _made.Server(c => c with { Certificates = [files] });
        var client = _made.Client(c => c with { Verify = true, TrustedCertificateFile = trusted });
        foreach (var (name, good) in ((string, bool)[])[("localhost", true), ("127.0.0.1", true), ("127.0.0.2", false), ("::1", false), ("elsewhere.example", false)])
        {
            var (c, s) = TlsConnectionPair.Connect();
            using (c)
            using (s)
            using (var connecting = TlsConnection.Connect(client, c.AsConnection(), isData: false, new TlsPeerName(name, name), resume: null))
            using (var accepting = TlsConnection.AcceptControl(server, s.AsConnection()))
            {
                var shaken = await Wait.For(Task.WhenAll(connecting.HandshakeAsync().AsTask(), accepting.HandshakeAsync().AsTask()), "the handshake");
                Assert.Equal(good, shaken[0]);
                if (good)
                    Assert.Equal(name == "localhost" ? name : null, accepting.Info!.ServerName);
                else
                    Assert.Matches("^certificate verify failed: (host|IP address|hostname) .*mismatch$|^certificate verify failed: .*mismatch$", connecting.Failure);
            }
        }
    }

    [Fact]
    public async Task A_connection_that_is_closed_in_its_handshake_ends_it()
    {
        using var tap = new TlsConnectionTap(_made.Client(), _made.Server());
        var shaking = tap.Server.HandshakeAsync().AsTask();
        tap.ServerSocket.DisposeWithConnection();
        Assert.False(await Wait.For(shaking, "the end of the handshake"));
        Assert.False(string.IsNullOrEmpty(tap.Server.Failure));
    }
}
