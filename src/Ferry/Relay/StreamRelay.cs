using System.Buffers;
using Ferry.Transport;

namespace Ferry.Relay;

/// <summary>Carries bytes through a buffer: every platform, every kind of leg. A leg that waits holds no buffer.</summary>
internal sealed class StreamRelay(ArrayPool<byte> buffers) : IRelay
{
    /// <summary>With 256 KiB, what is read, decrypted, encrypted and sent together no longer fits a processor's own cache: 15 % more CPU per GiB with TLS on both sides.</summary>
    private const int BufferSize = 128 * 1024;

    /// <summary>The one of this process.</summary>
    public static StreamRelay Shared { get; } = new(ArrayPool<byte>.Shared);

    public async ValueTask<FlowEnd> CopyAsync(RelayFlow flow)
    {
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                LegReadStatus status;
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
                    buffer ??= buffers.Rent(BufferSize);
                    status = flow.From.Receive(buffer, out count);
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return FlowEnd.ReadFailed;
                }
                switch (status)
                {
                    case LegReadStatus.Nothing:
                        if (flow.From.HasBuffered)
                            await Task.Yield(); // much has come in, and no byte of it is the file's
                        continue;
                    case LegReadStatus.Closed:
                        return flow.IsStopped ? FlowEnd.Stopped : FlowEnd.Closed;
                    case LegReadStatus.Truncated:
                        return flow.IsStopped ? FlowEnd.Stopped : FlowEnd.Truncated;
                    case LegReadStatus.Failed:
                        return FlowEnd.ReadFailed;
                }

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

    private void Return(ref byte[]? buffer)
    {
        if (buffer is not null)
            buffers.Return(buffer);
        buffer = null;
    }
}
