using System.Net.Sockets;
using System.Security.Cryptography;

namespace Ferry.FunctionalTests.Relay;

/// <summary>What the far ends of a relay do.</summary>
internal static class Wire
{
    /// <summary>Sends bytes that look like nothing else, and tells their hash.</summary>
    public static async Task<string> SendFileAsync(this Socket socket, long size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(20);
        byte[] buffer = new byte[200_003];
        for (long left = size; left > 0;)
        {
            Memory<byte> chunk = buffer.AsMemory(0, (int)Math.Min(left, buffer.Length));
            random.NextBytes(chunk.Span);
            hash.AppendData(chunk.Span);
            await socket.SendAsync(chunk).AsTask().WaitAsync(RelayRig.Patience);
            left -= chunk.Length;
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Reads until the stream ends, and tells its length, its hash and how it ended.</summary>
    public static async Task<(long Size, string Hash, SocketError End)> ReceiveFileAsync(this Socket socket)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[256 * 1024];
        long size = 0;
        SocketError end = SocketError.Success;
        try
        {
            int count;
            while ((count = await socket.ReceiveAsync(buffer).WaitAsync(RelayRig.Patience)) > 0)
            {
                hash.AppendData(buffer, 0, count);
                size += count;
            }
        }
        catch (SocketException exception)
        {
            end = exception.SocketErrorCode;
        }
        return (size, Convert.ToHexString(hash.GetHashAndReset()), end);
    }

    /// <summary>Sends until the connection refuses it, and tells how.</summary>
    public static async Task<SocketError> SendUntilRefusedAsync(this Socket socket)
    {
        byte[] chunk = new byte[64 * 1024];
        try
        {
            while (true)
                await socket.SendAsync(chunk).WaitAsync(RelayRig.Patience);
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

    public static async Task ReceiveExactlyAsync(this Socket socket, int size)
    {
        byte[] buffer = new byte[size];
        for (int at = 0; at < size;)
        {
            int count = await socket.ReceiveAsync(buffer.AsMemory(at)).AsTask().WaitAsync(RelayRig.Patience);
            Assert.NotEqual(0, count);
            at += count;
        }
    }

    public static void Finish(this Socket socket) => socket.Shutdown(SocketShutdown.Send);

    public static void Abort(this Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
