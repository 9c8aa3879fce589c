using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>An FTPS client that resumes the session that it is told to.</summary>
internal sealed class NativeClient : IDisposable
{
    private readonly TlsContext _context;

    private NativeClient(NativeWire wire, TlsContext context)
    {
        Wire = wire;
        _context = context;
    }

    public NativeWire Wire { get; }

    public TlsInfo Info => Wire.Tls!.Info!;

    /// <summary>Connects and shakes hands, at once or with AUTH TLS; the greeting has been read.</summary>
    public static async Task<NativeClient> ConnectAsync(IPEndPoint to, TlsContext context, bool isImplicit = false, TlsSession? resume = null, string? name = null)
    {
        var client = new NativeClient(await NativeWire.ConnectAsync(to), context);
        if (!isImplicit)
        {
            await client.ExpectAsync(220);
            await client.CommandAsync("AUTH TLS", 234);
        }
        var tls = TlsConnection.Connect(context, client.Wire.Socket.AsConnection(), isData: false, new TlsPeerName(null, name), resume);
        Assert.True(await client.Wire.StartTlsAsync(tls), tls.Failure);
        if (isImplicit)
            await client.ExpectAsync(220);
        return client;
    }

    /// <summary>Connects, logs in and protects data.</summary>
    public static async Task<NativeClient> LogInAsync(IPEndPoint to, TlsContext context, bool isImplicit = false, TlsSession? resume = null)
    {
        var client = await ConnectAsync(to, context, isImplicit, resume);
        await client.CommandAsync("USER ferry", 331);
        await client.CommandAsync("PASS secret", 230);
        await client.CommandAsync("PBSZ 0", 200);
        await client.CommandAsync("PROT P", 200);
        return client;
    }

    public TlsSession Session() => Wire.Tls!.GetSession() ?? throw new InvalidOperationException("There is no session.");

    public async Task<string> ExpectAsync(int code)
    {
        var start = code.ToString(CultureInfo.InvariantCulture);
        while (true)
        {
            var line = await Wire.ReadLineAsync();
            Assert.True(line?.StartsWith(start, StringComparison.Ordinal) == true, $"Expected {code}, and got {line ?? "the end"}");
            if (line![3] == ' ')
                return line;
        }
    }

    public async Task<string> CommandAsync(string command, int code)
    {
        await Wire.SendAsync(command);
        return await ExpectAsync(code);
    }

    /// <summary>Asks for a port and connects to it, in clear until the caller shakes hands.</summary>
    public async Task<Socket> OpenDataAsync()
    {
        var port = new Reply(227, [await CommandAsync("PASV", 227)]).PasvEndPoint;
        return (await DataEnd.ConnectAsync(port)).Socket;
    }

    /// <summary>A data connection in TLS that has not shaken hands.</summary>
    public TlsConnection Secure(Socket socket, TlsSession? resume)
    {
        socket.Blocking = false;
        return TlsConnection.Connect(_context, socket.AsConnection(), isData: true, TlsPeerName.Any, resume);
    }

    /// <summary>A download of so many bytes from a small server.</summary>
    /// <returns>Whether the session went on.</returns>
    public async Task<bool> DownloadAsync(int count, TlsSession? resume)
    {
        using var socket = await OpenDataAsync();
        await CommandAsync($"RETR {count}", 150);
        using var tls = Secure(socket, resume);
        Assert.True(await Wait.For(tls.HandshakeAsync().AsTask(), "a handshake on data"), tls.Failure);
        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(tls, socket);
        Assert.Equal(TlsReadStatus.CloseNotify, end);
        await tls.EndSendAsync(notify: true);
        await ExpectAsync(226);
        Assert.Equal(SmallServer.Payload(count), bytes);
        return tls.Info!.IsResumed;
    }

    public async Task UploadAsync(string name, byte[] bytes, TlsSession? resume)
    {
        using var socket = await OpenDataAsync();
        await CommandAsync($"STOR {name}", 150);
        using var tls = Secure(socket, resume);
        Assert.True(await Wait.For(tls.HandshakeAsync().AsTask(), "a handshake on data"), tls.Failure);
        await TlsConnectionPair.SendAsync(tls, bytes);
        await tls.EndSendAsync(notify: true);
        await ExpectAsync(226);
    }

    public void Dispose() => Wire.Dispose();
}
