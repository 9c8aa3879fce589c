using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Relay;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Relay;

/// <summary>A relay between two loopback connections whose far ends the test holds.</summary>
internal sealed class RelayRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TransferDirection _direction;

    private RelayRig(FarEnd client, DataLeg clientLeg, FarEnd upstream, DataLeg upstreamLeg, TransferDirection direction, bool allowsTruncation, IRelay relay)
    {
        _direction = direction;
        Client = client;
        ClientLeg = clientLeg;
        Upstream = upstream;
        UpstreamLeg = upstreamLeg;
        Relay = new DataRelay(clientLeg, upstreamLeg, direction, Lingering, allowsTruncation, relay);
    }

    public FarEnd Client { get; }

    public DataLeg ClientLeg { get; }

    public FarEnd Upstream { get; }

    public DataLeg UpstreamLeg { get; }

    public LingeringLegs Lingering { get; } = new(TimeProvider.System);

    public DataRelay Relay { get; }

    public FarEnd Sender => _direction == TransferDirection.Upload ? Client : Upstream;

    public FarEnd Receiver => _direction == TransferDirection.Upload ? Upstream : Client;

    public DataLeg SenderLeg => _direction == TransferDirection.Upload ? ClientLeg : UpstreamLeg;

    public DataLeg ReceiverLeg => _direction == TransferDirection.Upload ? UpstreamLeg : ClientLeg;

    public RelayEnd SenderClosed => _direction == TransferDirection.Upload ? RelayEnd.ClientClosed : RelayEnd.UpstreamClosed;

    public RelayEnd SenderReadFailed => _direction == TransferDirection.Upload ? RelayEnd.ClientReadFailed : RelayEnd.UpstreamReadFailed;

    public RelayEnd SenderTruncated => _direction == TransferDirection.Upload ? RelayEnd.ClientTruncated : RelayEnd.UpstreamTruncated;

    public RelayEnd[] ReceiverFailed => _direction == TransferDirection.Upload
        ? [RelayEnd.UpstreamReadFailed, RelayEnd.UpstreamWriteFailed]
        : [RelayEnd.ClientReadFailed, RelayEnd.ClientWriteFailed];

    /// <summary>What the receiver's leg has taken.</summary>
    public long Moved => _direction == TransferDirection.Upload ? Relay.BytesToUpstream : Relay.BytesToClient;

    public static IRelay Of(RelayKind kind) => kind switch
    {
        RelayKind.Splice => SpliceRelay.Shared,
        RelayKind.SpliceWithoutPipes => new SpliceRelay(new PipePool(static () => null)),
        _ => StreamRelay.Shared,
    };

    /// <param name="kind">Which relay, and which legs.</param>
    /// <param name="direction">Who sends.</param>
    /// <param name="bufferSize">Of every socket's buffers, to the kernel's rounding; 0: as the kernel likes.</param>
    /// <param name="relay">Another relay than that of <paramref name="kind"/>.</param>
    /// <param name="allowsTruncation">Whether a TLS stream may end without close_notify.</param>
    /// <param name="readsTickets">Whether clients take the tickets that come with the handshake.</param>
    public static async Task<RelayRig> OpenAsync(
        RelayKind kind, TransferDirection direction, int bufferSize = 0, IRelay? relay = null, bool allowsTruncation = false, bool readsTickets = true)
    {
        (FarEnd client, DataLeg clientLeg) = await ConnectAsync(bufferSize);
        (FarEnd upstream, DataLeg upstreamLeg) = await ConnectAsync(bufferSize);
        if (kind.IsClientTls())
        {
            (TlsConnection server, TlsConnection peer) = await ShakeHandsAsync(kind, clientLeg.Connection, client.Socket.AsConnection());
            clientLeg.Secure(server);
            client.Secure(peer);
            if (readsTickets)
                client.ReceiveTickets();
        }
        if (kind.IsUpstreamTls())
        {
            (TlsConnection server, TlsConnection peer) = await ShakeHandsAsync(kind, upstream.Socket.AsConnection(), upstreamLeg.Connection);
            upstream.Secure(server);
            upstreamLeg.Secure(peer);
        }
        return new RelayRig(client, clientLeg, upstream, upstreamLeg, direction, allowsTruncation, relay ?? Of(kind));
    }

    public Task<RelayResult> RunAsync() => Relay.RunAsync().WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Upstream.Dispose();
        Relay.Cut();
        await Lingering.DisposeAsync();
    }

    public static async Task<(FarEnd Peer, DataLeg Leg)> ConnectAsync(int bufferSize)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (bufferSize > 0)
        {
            listener.ReceiveBufferSize = listener.SendBufferSize = bufferSize;
            peer.ReceiveBufferSize = peer.SendBufferSize = bufferSize;
        }
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Task<Socket> accepted = listener.AcceptAsync();
        await peer.ConnectAsync(listener.LocalEndPoint!);
        return (new FarEnd(peer), new DataLeg((await accepted).IntoConnection()));
    }

    private static async Task<(TlsConnection Server, TlsConnection Client)> ShakeHandsAsync(RelayKind kind, Connection server, Connection client)
    {
        TlsConnection accepted = TlsConnection.AcceptData(new TlsOrigin(RelayTls.Server(kind.Protocol()), 7, []), server, tickets: 2);
        TlsConnection connected = TlsConnection.Connect(RelayTls.Client, client, isData: true, TlsPeerName.Any, resume: null);
        Task<bool> shaken = accepted.HandshakeAsync().AsTask();
        Assert.True(await connected.HandshakeAsync().AsTask().WaitAsync(Patience), connected.Failure);
        Assert.True(await shaken.WaitAsync(Patience), accepted.Failure);
        return (accepted, connected);
    }
}
