using System.Buffers;
using Ferry.Transport;
using Ferry.Transport.Linux;

namespace Ferry.Relay;

/// <summary>Carries pages from socket to pipe to socket with splice(2); no byte is copied into this process unless the receiver is slow. Linux only.</summary>
internal sealed class SpliceRelay(PipePool pipes) : IRelay
{
    private const int SlowSendSize = 64 * 1024;

    /// <summary>The one of this process, with its pipes.</summary>
    public static SpliceRelay Shared { get; } = new(new PipePool(SplicePipe.TryOpen));

    public async ValueTask<FlowEnd> CopyAsync(RelayFlow flow)
    {
        SplicePipe? pipe = null;
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
                        Return(ref pipe);
                        flow.StartTurn();
                    }
                    await readable.ConfigureAwait(false);
                    if (flow.IsStopped)
                        return FlowEnd.Stopped;
                    pipe ??= pipes.TryRent();
                    count = pipe is null ? -Libc.ENOSYS : pipe.Fill(flow.From.Socket.SafeHandle);
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return FlowEnd.ReadFailed;
                }
                switch (count)
                {
                    case 0:
                        return flow.IsStopped ? FlowEnd.Stopped : FlowEnd.Closed;
                    case -Libc.EAGAIN or -Libc.EINVAL or -Libc.ENOMEM or -Libc.ENOSYS or -Libc.EPERM:
                        // No pipe to be had, no memory for it, a kind of socket or a sandbox without splice; or EAGAIN from a socket that has bytes:
                        // splice stops for good where the peer marked some as urgent (MSG_OOB), recv does not. Nothing was taken from the socket.
                        Return(ref pipe);
                        return await StreamRelay.Shared.CopyAsync(flow).ConfigureAwait(false);
                    case < 0:
                        return FlowEnd.ReadFailed;
                }

                try
                {
                    while (pipe!.Count > 0)
                    {
                        count = pipe.Drain(flow.To.Socket.SafeHandle);
                        if (count > 0)
                            flow.Add(count);
                        else if (count == -Libc.EPIPE)
                            return FlowEnd.ReceiverClosed;
                        else if (count is 0 or -Libc.EAGAIN or -Libc.EINVAL or -Libc.ENOMEM)
                            await SendSlowlyAsync(pipe, flow).ConfigureAwait(false);
                        else
                            return FlowEnd.WriteFailed;
                    }
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return RelayFlow.WriteEnd(exception);
                }
                if (flow.IsTurnOver)
                {
                    await Task.Yield();
                    flow.StartTurn();
                }
            }
        }
        finally
        {
            Return(ref pipe);
        }
    }

    /// <summary>Sends some of the pipe by way of a buffer: .NET's engine then awaits the room that the receiver's socket has not got, and no thread is held.</summary>
    private static async ValueTask SendSlowlyAsync(SplicePipe pipe, RelayFlow flow)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(SlowSendSize);
        try
        {
            int count = pipe.Read(buffer.AsSpan(0, SlowSendSize));
            ValueTask sent = flow.To.SendAsync(buffer.AsMemory(0, count));
            if (!sent.IsCompleted)
                flow.StartTurn();
            await sent.ConfigureAwait(false);
            flow.Add(count);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Return(ref SplicePipe? pipe)
    {
        if (pipe is not null)
            pipes.Return(pipe);
        pipe = null;
    }
}
