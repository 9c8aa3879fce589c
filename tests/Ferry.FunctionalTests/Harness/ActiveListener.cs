using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The data port of a client in active mode: what it says in PORT and EPRT, and the connections that come.</summary>
internal sealed class ActiveListener : IDisposable
{
    private const int Backlog = 512;

    private readonly Socket _listener;
    private Socket? _filler;

    private ActiveListener(IPAddress address)
    {
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, 0));
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
    }

    public IPEndPoint EndPoint { get; }

    /// <summary><c>PORT h1,h2,h3,h4,p1,p2</c> (RFC 959 §4.1.2).</summary>
    public string Port => $"PORT {DataPort.HostPortOf(EndPoint)}";

    /// <summary><c>EPRT |1|address|port|</c>, or 2 for IPv6 (RFC 2428 §2); never with a scope.</summary>
    public string Eprt
    {
        get
        {
            var bare = new IPAddress(EndPoint.Address.GetAddressBytes());
            var family = bare.AddressFamily == AddressFamily.InterNetwork ? 1 : 2;
            return string.Create(CultureInfo.InvariantCulture, $"EPRT |{family}|{bare}|{EndPoint.Port}|");
        }
    }

    /// <summary>Whether a connection waits to be accepted.</summary>
    public bool HasVisitor => _listener.Poll(0, SelectMode.SelectRead);

    /// <summary>A port that takes connections.</summary>
    public static ActiveListener Open(IPAddress address)
    {
        var listener = new ActiveListener(address);
        listener.Listen();
        return listener;
    }

    /// <summary>A port that nobody else gets and that refuses every connection, until <see cref="Listen"/>.</summary>
    public static ActiveListener Refusing(IPAddress address) => new(address);

    /// <summary>A port on which connections are neither made nor refused: its queue has room for one, and that one has come.</summary>
    public static async Task<ActiveListener> SilentAsync(IPAddress address)
    {
        var listener = new ActiveListener(address);
        listener._listener.Listen(0);
        listener._filler = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await Wait.For(listener._filler.ConnectAsync(listener.EndPoint), "the connection that fills the queue");
        // The client's half stands before the kernel has put it into the queue.
        await Wait.Until(() => listener.HasVisitor, "the queue to be full");
        return listener;
    }

    /// <summary>Begins to take connections.</summary>
    public void Listen() => _listener.Listen(Backlog);

    /// <summary>Accepts one connection; where it came from is its <see cref="DataEnd.RemoteEndPoint"/>.</summary>
    public async Task<DataEnd> AcceptAsync() => new(await Wait.For(_listener.AcceptAsync(), $"an active data connection to {EndPoint}"));

    public void Dispose()
    {
        _listener.Dispose();
        _filler?.Dispose();
    }
}
