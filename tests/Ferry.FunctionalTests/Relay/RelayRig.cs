using System.Net;
using System.Net.Sockets;
using Ferry.Relay;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Relay;

/// <summary>A relay between two loopback connections whose far ends the test holds.</summary>
internal sealed class RelayRig : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TransferDirection _direction;

    private RelayRig(Socket client, DataLeg clientLeg, Socket upstream, DataLeg upstreamLeg, TransferDirection direction, IRelay relay)
    {
        _direction = direction;
        Client = client;
        ClientLeg = clientLeg;
        Upstream = upstream;
        UpstreamLeg = upstreamLeg;
        Relay = new DataRelay(clientLeg, upstreamLeg, direction, relay);
    }

    public Socket Client { get; }

    public DataLeg ClientLeg { get; }

    public Socket Upstream { get; }

    public DataLeg UpstreamLeg { get; }

    public DataRelay Relay { get; }

    public Socket Sender => _direction == TransferDirection.Upload ? Client : Upstream;

    public Socket Receiver => _direction == TransferDirection.Upload ? Upstream : Client;

    public DataLeg ReceiverLeg => _direction == TransferDirection.Upload ? UpstreamLeg : ClientLeg;

    public RelayEnd SenderClosed => _direction == TransferDirection.Upload ? RelayEnd.ClientClosed : RelayEnd.UpstreamClosed;

    public RelayEnd SenderReadFailed => _direction == TransferDirection.Upload ? RelayEnd.ClientReadFailed : RelayEnd.UpstreamReadFailed;

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

    /// <param name="kind">Which relay.</param>
    /// <param name="direction">Who sends.</param>
    /// <param name="bufferSize">Of every socket's buffers, to the kernel's rounding; 0: as the kernel likes.</param>
    /// <param name="relay">Another relay than that of <paramref name="kind"/>.</param>
    public static async Task<RelayRig> OpenAsync(RelayKind kind, TransferDirection direction, int bufferSize = 0, IRelay? relay = null)
    {
        (Socket client, DataLeg clientLeg) = await ConnectAsync(bufferSize);
        (Socket upstream, DataLeg upstreamLeg) = await ConnectAsync(bufferSize);
        return new RelayRig(client, clientLeg, upstream, upstreamLeg, direction, relay ?? Of(kind));
    }

    public Task<RelayResult> RunAsync() => Relay.RunAsync().WaitAsync(Patience);

    public void Dispose()
    {
        Client.Dispose();
        Upstream.Dispose();
        Relay.Cut();
    }

    private static async Task<(Socket Peer, DataLeg Leg)> ConnectAsync(int bufferSize)
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
        return (peer, new DataLeg(await accepted));
    }
}
