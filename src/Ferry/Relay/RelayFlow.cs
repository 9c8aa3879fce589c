using System.Net.Sockets;
using Ferry.Transport;

namespace Ferry.Relay;

/// <summary>One direction of a transfer: its two legs and what has gone through. Written by the one pump that carries it.</summary>
internal sealed class RelayFlow(DataLeg from, DataLeg to)
{
    private long _bytes;
    private volatile bool _isStopped;

    public DataLeg From { get; } = from;

    public DataLeg To { get; } = to;

    /// <summary>What <see cref="To"/> has taken; any thread may look.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether <see cref="Stop"/> was called.</summary>
    public bool IsStopped => _isStopped;

    /// <summary>How a failure to write is to be taken (see <see cref="FlowEnd.ReceiverClosed"/>).</summary>
    /// <remarks>Linux: a reset is ECONNRESET to the first call that meets it, but EPIPE where the peer's FIN came before it.</remarks>
    public static FlowEnd WriteEnd(Exception exception) =>
        exception is SocketException { SocketErrorCode: SocketError.Shutdown } ? FlowEnd.ReceiverClosed : FlowEnd.WriteFailed;

    public void Add(long count) => Volatile.Write(ref _bytes, _bytes + count);

    /// <summary>Ends the flow in order, once the leg that it writes to has ended its own stream. Its pump leaves whatever wait it is in.</summary>
    public void Stop()
    {
        _isStopped = true;
        From.StopReceiving();
        // A pump that waits for room in a leg which no longer reads now gets EPIPE.
        To.StopSending();
    }
}
