using System.Net.Sockets;

namespace Ferry.Transport;

/// <summary>How a connection attempt ended.</summary>
/// <param name="Connection">Owned by the caller; null where there is none.</param>
/// <param name="Error">Success, or why there is no connection.</param>
internal readonly record struct ConnectResult(Connection? Connection, SocketError Error)
{
    /// <summary>What it was to come from; null where the kernel chose.</summary>
    public SourceAddress? From { get; init; }

    /// <summary>It could not be bound to <see cref="From"/>; the server was not asked.</summary>
    public bool IsUnbound { get; init; }

    /// <summary>
    /// It says nothing of the server. This machine had no descriptor, memory, address or port for a socket; or the connection was to come from an address of the
    /// client's. Silence may then as well mean that the answers go another way, and the kernel has no way from some addresses to some servers (from 127.0.0.1 to
    /// any other machine): one client must not put servers out of use for all.
    /// </summary>
    public bool IsOurs => IsUnbound || (From is { IsOfClient: true } from && !IsWordOfServer(from.IsTransparent))
        || Error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable;

    /// <summary>What was wrong, behind the server's name.</summary>
    public string Failure => From is { } from && IsOurs
        ? $"connecting from {from.Address} {(Error == SocketError.TimedOut ? "timed out; do the answers to it come back to this machine?" : $"failed: {OfSource(Error, IsUnbound)}")}"
        : Error == SocketError.TimedOut ? "connecting timed out" : $"connecting failed ({Error})";

    private bool IsWordOfServer(bool isTransparent) =>
        Error is SocketError.ConnectionRefused or SocketError.ConnectionReset || (Error == SocketError.TimedOut && !isTransparent);

    /// <summary>What stands against an address in proxy_bind.</summary>
    private static string OfSource(SocketError error, bool isUnbound) => error switch
    {
        SocketError.AccessDenied => "not permitted; \"transparent\" needs root, CAP_NET_RAW or CAP_NET_ADMIN",
        SocketError.AddressFamilyNotSupported => "the server's address is of the other family",
        SocketError.AddressNotAvailable when isUnbound => "it is no address of this machine",
        SocketError.AddressNotAvailable or SocketError.AddressAlreadyInUse => "its ports are all in use",
        _ => error.ToString(),
    };
}
