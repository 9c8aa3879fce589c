using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.FunctionalTests.Harness;

/// <summary>How one end of a test speaks TLS. As it stands: any version, any certificate of the other end, and never a session that was there before.</summary>
internal sealed record TlsEnd
{
    /// <summary>An end that shows its certificate to a client.</summary>
    public static readonly TlsEnd Server = new() { Certificate = TestCertificate.Shared };

    public static readonly TlsEnd Client = new();

    public TlsVersion Version { get; init; }

    /// <summary>A server needs one; a client may have one.</summary>
    public TestCertificate? Certificate { get; init; }

    /// <summary>The name that a client asks for (SNI), unless it is an address; .NET resumes sessions by this name.</summary>
    public string Name { get; init; } = "localhost";

    /// <summary>A client takes up a session that .NET remembers of an earlier connection, if it does; a server lets it.</summary>
    public bool Resume { get; init; }

    /// <summary>A server asks the client for a certificate, and takes any.</summary>
    public bool AskForCertificate { get; init; }

    public SslProtocols Protocols => Version switch
    {
        TlsVersion.Tls12 => SslProtocols.Tls12,
        TlsVersion.Tls13 => SslProtocols.Tls13,
        TlsVersion.Any => SslProtocols.None,
        _ => throw new NotSupportedException("Old versions are for curl to try."),
    };
}

#pragma warning disable CA5359 // Whoever the other end is will do: what Ferry shows is looked at in the test.

/// <summary>TLS over a socket in the hand of a test, with both ends of it told apart: the end of TLS (close_notify), and that of the connection.</summary>
internal sealed class TestTls : IDisposable
{
    private readonly RecordStream _records;

    private TestTls(Socket socket)
    {
        _records = new RecordStream(socket);
        Stream = new SslStream(_records, leaveInnerStreamOpen: true);
    }

    /// <summary>Tells the version, the cipher and the certificate of the other end.</summary>
    public SslStream Stream { get; }

    /// <summary>The connection ended (FIN) and TLS had not: what came may not be the whole.</summary>
    public bool Truncated => _records.Ended;

    /// <exception cref="AuthenticationException">The other end refuses, or is refused.</exception>
    public static async Task<TestTls> AcceptAsync(Socket socket, TlsEnd end)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificate = (end.Certificate ?? TestCertificate.Shared).Certificate,
            EnabledSslProtocols = end.Protocols,
            AllowTlsResume = end.Resume,
            ClientCertificateRequired = end.AskForCertificate,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        };
        return await HandshakeAsync(new TestTls(socket), w => w.Stream.AuthenticateAsServerAsync(options));
    }

    /// <exception cref="AuthenticationException">The other end refuses, or is refused.</exception>
    public static async Task<TestTls> ConnectAsync(Socket socket, TlsEnd end)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = end.Name,
            EnabledSslProtocols = end.Protocols,
            AllowTlsResume = end.Resume,
            ClientCertificates = end.Certificate is { } own ? new X509Certificate2Collection(own.Certificate) : null,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        };
        return await HandshakeAsync(new TestTls(socket), w => w.Stream.AuthenticateAsClientAsync(options));
    }

    /// <summary>0 at the end, of which <see cref="Truncated"/> tells the kind.</summary>
    /// <exception cref="SocketException">The other end reset the connection.</exception>
    public async Task<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await Stream.ReadAsync(buffer);
        }
        catch (IOException e) when (e.InnerException is SocketException reset)
        {
            throw reset;
        }
        catch (IOException) when (Truncated)
        {
            // Within a record.
            return 0;
        }
    }

    /// <exception cref="SocketException">The other end reset the connection.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await Stream.WriteAsync(bytes);
        }
        catch (IOException e) when (e.InnerException is SocketException reset)
        {
            throw reset;
        }
    }

    /// <summary>Sends close_notify, and leaves the connection open.</summary>
    public Task CloseNotifyAsync() => Stream.ShutdownAsync();

    /// <summary>Sends nothing: only <see cref="CloseNotifyAsync"/> says close_notify.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        _records.Dispose();
    }

    private static async Task<TestTls> HandshakeAsync(TestTls wire, Func<TestTls, Task> handshake)
    {
        try
        {
            await Wait.For(handshake(wire), "a TLS handshake");
            return wire;
        }
        catch
        {
            wire.Dispose();
            throw;
        }
    }
}
