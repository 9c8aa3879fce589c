using System.Buffers;
using Ferry.Transport;
using Ferry.Transport.Linux;

namespace Ferry.Relay;

/// <summary>Carries pages from socket to pipe to socket with splice(2); no byte is copied into this process.</summary>
internal sealed class SpliceRelay(PipePool pipes) : IRelay
{
    private const int CopySize = 64 * 1024;

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
                    Return(ref pipe);
                    await flow.From.WaitReadableAsync().ConfigureAwait(false);
                    if (flow.IsStopped)
                        return FlowEnd.Stopped;
                    pipe = pipes.TryRent();
                    count = pipe is null ? -Libc.ENOSYS : pipe.Fill(flow.From.Connection.Handle);
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
                        count = pipe.Drain(flow.To.Connection.Handle);
                        if (count > 0)
                            flow.Add(count);
                        else if (count == -Libc.EPIPE)
                            return FlowEnd.ReceiverClosed;
                        else if (count == -Libc.EAGAIN)
                            await flow.To.Connection.WaitWritableAsync().ConfigureAwait(false);
                        else if (count is 0 or -Libc.EINVAL or -Libc.ENOMEM)
                            await CopyOutAsync(pipe, flow).ConfigureAwait(false);
                        else
                            return FlowEnd.WriteFailed;
                    }
                }
                catch (Exception exception) when (DataLeg.IsEnd(exception))
                {
                    return RelayFlow.WriteEnd(exception);
                }
            }
        }
        finally
        {
            Return(ref pipe);
        }
    }

    /// <summary>Sends some of the pipe by way of a buffer, where the receiver's socket does not take it from the pipe.</summary>
    private static async ValueTask CopyOutAsync(SplicePipe pipe, RelayFlow flow)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopySize);
        try
        {
            int count = pipe.Read(buffer.AsSpan(0, CopySize));
            await flow.To.SendAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
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
