using System.Buffers;
using System.Net.Sockets;
using Ferry.Telemetry;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>What came of reading a header.</summary>
/// <param name="Header">The header; null where there is none.</param>
/// <param name="Fault">Why there is none, in words for a log.</param>
/// <param name="IsSilent">The peer has ended the connection and had said nothing, as those do who only ask whether the port is open.</param>
internal readonly record struct ProxyHeaderResult(ProxyHeader? Header, string? Fault = null, bool IsSilent = false);

/// <summary>Takes the header from the front of a connection, and not a byte more: what follows is TLS, or a client's first command.</summary>
internal static class ProxyHeaderReader
{
    /// <summary>Reads the header, in whatever pieces it comes. Nobody else may read meanwhile; a deadline is the caller's, who disposes the connection.</summary>
    /// <exception cref="ObjectDisposedException">The connection was disposed.</exception>
    public static async ValueTask<ProxyHeaderResult> ReadAsync(Connection connection)
    {
        // A byte that is out of line would be missing in one look and there in the next.
        connection.TrySet(Libc.SOL_SOCKET, Libc.SO_OOBINLINE, 1);
        byte[]? buffer = null;
        var held = 0;
        try
        {
            while (true)
            {
                await connection.WaitReadableAsync().ConfigureAwait(false);
                buffer ??= ArrayPool<byte>.Shared.Rent(ProxyHeader.MaxLength);
                var seen = connection.Peek(buffer.AsSpan(held, ProxyHeader.MaxLength - held), out var error);
                if (error == SocketError.WouldBlock)
                    continue;
                if (error != SocketError.Success)
                    return Failed(error, held);
                if (seen == 0)
                    return new ProxyHeaderResult(null, Ended(buffer.AsSpan(0, held)), IsSilent: held == 0);
                var status = ProxyHeader.TryRead(buffer.AsSpan(0, held + seen), out var header, out var length);
                if (status == OperationStatus.InvalidData)
                    return new ProxyHeaderResult(null, $"it begins with {Shown(buffer.AsSpan(0, held + seen))}");
                // As long as the header is not whole, all that has come is part of it.
                var wanted = status == OperationStatus.Done ? length - held : seen;
                var taken = connection.Receive(buffer.AsSpan(held, wanted), out error);
                if (error != SocketError.Success)
                    return Failed(error, held);
                held += taken;
                if (status == OperationStatus.Done && taken == wanted)
                    return new ProxyHeaderResult(header);
            }
        }
        catch (SocketException e)
        {
            return Failed(e.SocketErrorCode, held);
        }
        finally
        {
            if (buffer is not null)
                ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Balancers end their checks with a reset.
    private static ProxyHeaderResult Failed(SocketError error, int held) => new(null, $"the connection failed ({error})", IsSilent: held == 0);

    private static string Ended(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "the peer closed the connection and had sent nothing" : $"the peer closed the connection within it, after {Shown(bytes)}";

    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        var shown = ProxyHeader.Showable(bytes);
        return $"\"{LogText.AccessBytes(bytes[..shown])}\"{(shown < bytes.Length ? " and more" : "")}";
    }
}
