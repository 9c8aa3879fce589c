using System.Net;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>What a client's PASV, EPSV, PORT or EPRT has prepared on both sides and no transfer has used yet. Of each side one of two is set.</summary>
internal sealed record DataChannel
{
    /// <summary>The port lent to a client in passive mode; owned.</summary>
    public DataLease? ClientPort { get; init; }

    /// <summary>Where a client in active mode is to be connected to.</summary>
    public IPEndPoint? Client { get; init; }

    /// <summary>The port lent to a server in active mode; owned.</summary>
    public DataLease? UpstreamPort { get; init; }

    /// <summary>The port of a server in passive mode.</summary>
    public IPEndPoint? Upstream { get; init; }

    /// <summary>Timestamp.</summary>
    public required long Given { get; init; }
}
