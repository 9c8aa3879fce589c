using System.Net.Sockets;
using System.Security.Cryptography;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Relay;

/// <summary>What stands beyond a leg of a relay: a client or a server, plain or in TLS.</summary>
internal sealed class FarEnd(Socket socket) : IDisposable
{
    private TlsConnection? _tls;

    /// <summary>The connection; what is sent here in TLS is no TLS.</summary>
    public Socket Socket { get; } = socket;

    public void Secure(TlsConnection tls) => _tls = tls;

    public Task SendAsync(ReadOnlyMemory<byte> bytes) => SendSlowlyAsync(bytes).WaitAsync(RelayRig.Patience);

    /// <summary>Sends, for as long as it takes.</summary>
    public async Task SendSlowlyAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_tls is not null)
            await _tls.SendAsync(bytes);
        else
            await Socket.SendAsync(bytes);
    }

    /// <summary>Sends bytes that look like nothing else, and tells their hash.</summary>
    public async Task<string> SendFileAsync(long size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(20);
        byte[] buffer = new byte[200_003];
        for (long left = size; left > 0;)
        {
            Memory<byte> chunk = buffer.AsMemory(0, (int)Math.Min(left, buffer.Length));
            random.NextBytes(chunk.Span);
            hash.AppendData(chunk.Span);
            await SendAsync(chunk);
            left -= chunk.Length;
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Sends until the connection refuses it, and tells how.</summary>
    public async Task<SocketError> SendUntilRefusedAsync()
    {
        byte[] chunk = new byte[64 * 1024];
        try
        {
            while (true)
                await SendAsync(chunk);
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
        catch (ObjectDisposedException)
        {
            // The test itself has closed it between two sends.
            return SocketError.OperationAborted;
        }
    }

    /// <summary>Reads something; or nothing, and how the stream has ended.</summary>
    public async Task<(int Count, StreamEnd End)> ReceiveAsync(Memory<byte> buffer)
    {
        try
        {
            if (_tls is null)
                return (await Socket.ReceiveAsync(buffer).AsTask().WaitAsync(RelayRig.Patience), StreamEnd.InOrder);
            while (true)
            {
                if (!_tls.HasBuffered)
                    await Socket.ReceiveAsync(Memory<byte>.Empty).AsTask().WaitAsync(RelayRig.Patience);
                switch (_tls.Read(buffer.Span, out int count))
                {
                    case TlsReadStatus.Data:
                        return (count, StreamEnd.InOrder);
                    case TlsReadStatus.CloseNotify:
                        return (0, StreamEnd.InOrder);
                    case TlsReadStatus.Truncated:
                        return (0, StreamEnd.Truncated);
                    case TlsReadStatus.Failed:
                        // Not just any failure: bytes that make no record are one, too.
                        Assert.Contains("connection was lost", _tls.Failure, StringComparison.Ordinal);
                        return (0, StreamEnd.Reset);
                }
            }
        }
        catch (SocketException exception)
        {
            Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
            return (0, StreamEnd.Reset);
        }
    }

    /// <summary>Reads until the stream ends, and tells its length, its hash and how it ended.</summary>
    public async Task<(long Size, string Hash, StreamEnd End)> ReceiveFileAsync()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[256 * 1024];
        for (long size = 0; ;)
        {
            (int count, StreamEnd end) = await ReceiveAsync(buffer);
            if (count == 0)
                return (size, Convert.ToHexString(hash.GetHashAndReset()), end);
            hash.AppendData(buffer, 0, count);
            size += count;
        }
    }

    /// <summary>Reads until the stream ends, and tells its length and how it ended.</summary>
    public async Task<(long Size, StreamEnd End)> ReceiveRestAsync()
    {
        (long size, _, StreamEnd end) = await ReceiveFileAsync();
        return (size, end);
    }

    public async Task ReceiveExactlyAsync(int size)
    {
        byte[] buffer = new byte[size];
        for (int at = 0; at < size;)
        {
            (int count, _) = await ReceiveAsync(buffer.AsMemory(at));
            Assert.NotEqual(0, count);
            at += count;
        }
    }

    /// <summary>Takes the tickets that have come with the handshake, which a close would answer with RST otherwise.</summary>
    public void ReceiveTickets() => Assert.Equal(TlsReadStatus.WouldBlock, _tls!.Read(new byte[1], out _));

    /// <summary>Ends its stream in order; the other direction stays.</summary>
    public async Task FinishAsync() => Assert.True(await TryFinishAsync());

    /// <summary>As <see cref="FinishAsync"/>; false where the connection is gone.</summary>
    public async Task<bool> TryFinishAsync()
    {
        if (_tls is not null)
            return await _tls.EndSendAsync(notify: true).AsTask().WaitAsync(RelayRig.Patience);
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>FIN alone, which in TLS is no end.</summary>
    public void Truncate() => Socket.Shutdown(SocketShutdown.Send);

    /// <summary>RST.</summary>
    public void Abort()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Dispose();
    }

    public void Dispose()
    {
        Socket.DisposeWithConnection();
        _tls?.Dispose();
    }
}
