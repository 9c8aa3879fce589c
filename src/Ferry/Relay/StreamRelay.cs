using System.Buffers;
using Ferry.Transport;

namespace Ferry.Relay;

/// <summary>Carries bytes through a buffer: every platform, every kind of leg. A leg that waits holds no buffer.</summary>
internal sealed class StreamRelay : IRelay
{
    private const int BufferSize = 256 * 1024;

    private StreamRelay()
    {
    }

    /// <summary>It has no state, so there is one.</summary>
    public static StreamRelay Shared { get; } = new();

    public async ValueTask<FlowEnd> CopyAsync(RelayFlow flow)
    {
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                int count;
                try
                {
                    ValueTask<int> readable = flow.From.WaitReadableAsync();
                    if (!readable.IsCompleted)
                    {
                        Return(ref buffer);
                        flow.StartTurn();
                    }
                    await readable.ConfigureAwait(false);
                    if (flow.IsStopped)
                        return FlowEnd.Stopped;
                    buffer ??= ArrayPool<byte>.Shared.Rent(BufferSize);
                    count = await flow.From.ReceiveAsync(buffer).ConfigureAwait(false);
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return FlowEnd.ReadFailed;
                }
                if (count == 0)
                    return flow.IsStopped ? FlowEnd.Stopped : FlowEnd.Closed;

                try
                {
                    await flow.To.SendAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return RelayFlow.WriteEnd(exception);
                }
                flow.Add(count);
                if (flow.IsTurnOver)
                {
                    await Task.Yield();
                    flow.StartTurn();
                }
            }
        }
        finally
        {
            Return(ref buffer);
        }
    }

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }
}
