using System.Collections.Concurrent;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>An orderly FTPS server in a few lines, which knows whether data connections resumed their own control connection's session. <c>RETR n</c> yields n bytes.</summary>
internal sealed class SmallTlsServer : IAsyncDisposable
{
    private readonly TlsContext _context;
    private readonly bool _isImplicit;
    private readonly Func<string, string?> _answer;
    private readonly Socket _listener;
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly ConcurrentBag<Task> _sessions = [];
    private readonly Task _accepting;

    /// <param name="context">For its clients.</param>
    /// <param name="isImplicit">TLS from the first byte, else with AUTH.</param>
    /// <param name="answer">What it says to a command in place of its own answer; null: its own.</param>
    /// <param name="port">Of 127.0.0.1; 0: any.</param>
    public SmallTlsServer(TlsContext context, bool isImplicit = false, Func<string, string?>? answer = null, int port = 0)
    {
        _context = context;
        _isImplicit = isImplicit;
        _answer = answer ?? (static _ => null);
        _listener = DataPort.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen(256);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>A data connection that resumes nothing, or another's session, is answered 522.</summary>
    public bool RequiresReuse { get; init; }

    /// <summary>A control connection that offers a session of TLS 1.3 is closed within its handshake.</summary>
    public bool CannotResume { get; set; }

    /// <summary>How many control connections have offered a session of TLS 1.3; where the server <see cref="CountsOffers"/>.</summary>
    public int Offers { get; private set; }

    public bool CountsOffers { get; init; }

    /// <summary>Every line of every control connection.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Of each data connection whether it resumed its control connection's session; null where it was clear.</summary>
    public ConcurrentQueue<bool?> Resumed { get; } = new();

    /// <summary>Uploads and how their TLS ended, by name; null for an end without TLS.</summary>
    public ConcurrentDictionary<string, (byte[] Bytes, TlsReadStatus? End)> Stored { get; } = new();

    /// <summary>What the handshakes of control connections agreed on.</summary>
    public ConcurrentQueue<TlsInfo> Handshakes { get; } = new();

    /// <summary>How often a command came.</summary>
    public int Count(string line) => Lines.Count(l => l == line);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        foreach (var socket in _sockets)
            socket.DisposeWithConnection();
        await Wait.For(Task.WhenAll(_sessions), "the sessions of the small server to end");
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync();
                _sockets.Add(socket);
                _sessions.Add(PlayAsync(socket));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task PlayAsync(Socket socket)
    {
        using var wire = new NativeWire(socket);
        try
        {
            TlsOrigin? origin = null;
            var isPrivate = false;
            DataPort? port = null;
            if (_isImplicit && (origin = await AcceptTlsAsync(wire)) is null)
                return;
            await wire.SendAsync("220 small");
            while (await wire.ReadLineAsync() is { } line)
            {
                Lines.Enqueue(line);
                var word = line.Split(' ')[0].ToUpperInvariant();
                var argument = line.Length > word.Length ? line[(word.Length + 1)..] : "";
                if (_answer(line) is { } instead)
                {
                    await wire.SendAsync(instead);
                    if (instead.StartsWith("421", StringComparison.Ordinal))
                        return;
                    continue;
                }
                switch (word)
                {
                    case "AUTH":
                        await wire.SendAsync("234 Go on.");
                        if ((origin = await AcceptTlsAsync(wire)) is null)
                            return;
                        break;
                    case "CCC":
                        await wire.SendAsync("200 Clear.");
                        await wire.StopTlsAsync();
                        break;
                    case "PROT":
                        isPrivate = argument == "P";
                        await wire.SendAsync("200 Agreed.");
                        break;
                    case "USER":
                        await wire.SendAsync("331 Password please.");
                        break;
                    case "PASS":
                        await wire.SendAsync("230 Logged in.");
                        break;
                    case "FEAT":
                        await wire.SendAsync("211-Features:", " AUTH TLS", " CCC", " PBSZ", " PROT", " SIZE", "211 End");
                        break;
                    case "PASV":
                        port?.Dispose();
                        port = new DataPort(IPAddress.Loopback);
                        await wire.SendAsync(port.PasvReply);
                        break;
                    case "RETR" or "STOR":
                        await TransferAsync(wire, word, argument, port!, isPrivate ? origin : null);
                        break;
                    case "QUIT":
                        await wire.SendAsync("221 Goodbye.");
                        return;
                    default:
                        await wire.SendAsync("200 OK.");
                        break;
                }
            }
            port?.Dispose();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The proxy may reset; what that means is for the test to say.
        }
    }

    private async Task<TlsOrigin?> AcceptTlsAsync(NativeWire wire)
    {
        if (CountsOffers && await ClientHello.OffersSessionAsync(wire.Socket))
        {
            Offers++;
            if (CannotResume)
                return null;
        }
        var tls = TlsConnection.AcceptControl(_context, wire.Socket.AsConnection());
        if (!await wire.StartTlsAsync(tls))
            return null;
        Handshakes.Enqueue(tls.Info!);
        return tls.Origin;
    }

    private async Task TransferAsync(NativeWire wire, string word, string argument, DataPort port, TlsOrigin? origin)
    {
        using var data = await port.AcceptAsync();
        _sockets.Add(data.Socket);
        port.Dispose();
        await wire.SendAsync("150 Here we go.");
        data.Socket.Blocking = false;
        using var tls = origin is null ? null : TlsConnection.AcceptData(origin, data.Socket.AsConnection(), tickets: 1);
        if (tls is not null && !await Wait.For(tls.HandshakeAsync().AsTask(), "a handshake on data"))
        {
            await wire.SendAsync("425 TLS failed.");
            return;
        }
        var isResumed = tls?.Resumes(origin!);
        Resumed.Enqueue(isResumed);
        if (RequiresReuse && isResumed == false)
        {
            await wire.SendAsync("522 Session reuse required.");
            return;
        }
        var isWhole = word == "STOR" ? await TakeAsync(data, tls, argument) : await GiveAsync(data, tls, argument);
        data.Dispose();
        await wire.SendAsync(isWhole ? "226 Done." : "426 Aborted.");
    }

    private async Task<bool> TakeAsync(DataEnd data, TlsConnection? tls, string name)
    {
        if (tls is null)
        {
            var received = await data.ReceiveToEndAsync();
            if (received.Ending == DataEnding.Closed)
                Stored[name] = (received.Bytes, null);
            else
                Stored[name] = (received.Bytes, TlsReadStatus.Failed);
            return received.Ending == DataEnding.Closed;
        }
        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(tls, data.Socket);
        Stored[name] = (bytes, end);
        await tls.EndSendAsync(notify: true);
        return end == TlsReadStatus.CloseNotify;
    }

    private static async Task<bool> GiveAsync(DataEnd data, TlsConnection? tls, string count)
    {
        var bytes = SmallServer.Payload(int.Parse(count, CultureInfo.InvariantCulture));
        try
        {
            if (tls is null)
            {
                await data.SendAsync(bytes);
                await data.EndSendAsync();
                return true;
            }
            await TlsConnectionPair.SendAsync(tls, bytes);
            await tls.EndSendAsync(notify: true);
            return (await TlsConnectionPair.ReadToEndAsync(tls, data.Socket)).End is TlsReadStatus.CloseNotify or TlsReadStatus.Truncated;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
