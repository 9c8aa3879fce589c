using System.Net;

namespace Ferry.Protocol;

/// <summary>How a data connection to the server is asked for (<c>proxy_ftp_data</c>).</summary>
internal enum DataMode
{
    /// <summary>With the client's own command, else with the other one of the same direction; PORT and EPRT else with PASV and EPSV.</summary>
    Client,

    /// <summary>PASV or EPSV: the client's own, else PASV first.</summary>
    Passive,

    /// <summary>PORT or EPRT: the client's own, else PORT first.</summary>
    Active,

    /// <summary>PASV and nothing else.</summary>
    Pasv,

    /// <summary>EPSV and nothing else.</summary>
    Epsv,

    /// <summary>PORT and nothing else.</summary>
    Port,

    /// <summary>EPRT and nothing else.</summary>
    Eprt,
}

/// <summary>What a <see cref="ControlEngine"/> is to do about data connections.</summary>
internal sealed record DataRules
{
    /// <summary>As the client does, and no PORT or EPRT from it.</summary>
    public static DataRules Default { get; } = new();

    /// <summary>The server's side.</summary>
    public DataMode Mode { get; init; }

    /// <summary>
    /// Whether a client's PORT or EPRT may name this end point (RFC 2577 §3); none unless set. Ports below 1024, and addresses that are no host's, are
    /// refused before it is asked. An IPv4-mapped address comes as IPv4, a link-local one with <see cref="ClientScopeId"/>.
    /// </summary>
    public Func<IPEndPoint, bool> MayDial { get; init; } = static _ => false;

    /// <summary>PORT and EPRT may name an address of the family that the client's control connection does not have.</summary>
    public bool BothFamilies { get; init; }

    /// <summary>The interface on which the client's control connection came in, for link-local addresses in its EPRT; 0: unknown.</summary>
    public long ClientScopeId { get; init; }
}
