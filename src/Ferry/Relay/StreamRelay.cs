using System.Buffers;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Relay;

/// <summary>Carries bytes through a buffer: every platform, every kind of leg. A leg that waits holds no buffer.</summary>
internal sealed class StreamRelay(ArrayPool<byte> buffers) : IRelay
{
    /// <summary>What is read at once, and sent at once to a receiver that does not keep up.</summary>
    private const int BufferSize = 128 * 1024;

    /// <summary>
    /// The most that is gathered between two TLS legs, as long as the receiver takes all of it at once: each send wakes its reader, and on loopback sends of 128 KiB
    /// took 8 to 19 % more CPU per GiB. One who is slow, of whom there may be thousands, holds a <see cref="BufferSize"/>.
    /// </summary>
    private const int MostGathered = TlsBlocks.BatchSize;

    /// <summary>The most that one record carries (RFC 8446 §5.1).</summary>
    private const int RecordSize = 16 * 1024;

    /// <summary>The one of this process.</summary>
    public static StreamRelay Shared { get; } = new(ArrayPool<byte>.Shared);

    public async ValueTask<FlowEnd> CopyAsync(RelayFlow flow)
    {
        byte[]? buffer = null;
        var most = BufferSize;
        try
        {
            while (true)
            {
                LegReadStatus status;
                int count;
                try
                {
                    Return(ref buffer);
                    await flow.From.WaitReadableAsync().ConfigureAwait(false);
                    if (flow.IsStopped)
                        return FlowEnd.Stopped;
                    buffer = buffers.Rent(PieceOf(flow));
                    status = flow.From.Receive(buffer.AsSpan(0, PieceOf(flow)), out count);
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return FlowEnd.ReadFailed;
                }
                switch (status)
                {
                    case LegReadStatus.Nothing:
                        continue; // in TLS: nothing of what has come in is the file's
                    case LegReadStatus.Closed:
                        return flow.IsStopped ? FlowEnd.Stopped : FlowEnd.Closed;
                    case LegReadStatus.Truncated:
                        return flow.IsStopped ? FlowEnd.Stopped : FlowEnd.Truncated;
                    case LegReadStatus.Failed:
                        return FlowEnd.ReadFailed;
                }

                try
                {
                    ValueTask sent;
                    if (flow.To.IsTls)
                    {
                        count = Gather(flow, buffer, count, most);
                        sent = flow.To.FlushAsync();
                        most = sent.IsCompleted ? Math.Min(most * 2, MostGathered) : BufferSize;
                    }
                    else
                    {
                        sent = flow.To.SendAsync(buffer.AsMemory(0, count));
                    }
                    await sent.ConfigureAwait(false);
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return RelayFlow.WriteEnd(exception);
                }
                flow.Add(count);
            }
        }
        finally
        {
            Return(ref buffer);
        }
    }

    /// <summary>Between two TLS legs each record is encrypted as soon as it is decrypted, while it is in the processor's first cache.</summary>
    private static int PieceOf(RelayFlow flow) => flow.From.IsTls && flow.To.IsTls ? RecordSize : BufferSize;

    /// <summary>Encrypts what was read, and what can be read on the way without waiting.</summary>
    /// <returns>How many bytes of the stream that was.</returns>
    private static int Gather(RelayFlow flow, byte[] buffer, int count, int most)
    {
        flow.To.Write(buffer.AsSpan(0, count));
        // An end that is met here is met again by the next Receive, behind the bytes before it.
        while (count <= most - RecordSize && flow.From.HasBuffered
            && flow.From.Receive(buffer.AsSpan(0, RecordSize), out var piece) == LegReadStatus.Data)
        {
            flow.To.Write(buffer.AsSpan(0, piece));
            count += piece;
        }
        return count;
    }

    private void Return(ref byte[]? buffer)
    {
        if (buffer is not null)
            buffers.Return(buffer);
        buffer = null;
    }
}
