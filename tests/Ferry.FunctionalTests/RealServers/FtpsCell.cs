using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>One way of a client to a server through Ferry.</summary>
/// <param name="Server">The server.</param>
/// <param name="ServerVersion">The one version that Ferry speaks to it.</param>
/// <param name="Match">proxy_starttls match, in place of on.</param>
/// <param name="Protection">proxy_ftp_prot.</param>
/// <param name="Client">How the client comes to TLS.</param>
/// <param name="ClientVersion">The one version that it speaks.</param>
/// <param name="ClearData">PROT C.</param>
/// <param name="Tool">The client; "resuming" is ftplib with data connections that resume the control's session.</param>
/// <param name="Extended">EPSV, in place of PASV.</param>
internal sealed record FtpsCell(
    TlsServer Server, TlsVersion ServerVersion, bool Match, UpstreamProtection Protection, ToolTls Client, TlsVersion ClientVersion, bool ClearData, string Tool, bool Extended)
{
    /// <summary>A usual way: TLS as the client and the server come to it, data in TLS, all else as each of them does it.</summary>
    public static FtpsCell Usual(TlsServer server, ToolTls client, string tool) =>
        new(server, TlsVersion.Any, Match: false, UpstreamProtection.Match, client, TlsVersion.Any, ClearData: client == ToolTls.Plain, tool, Extended: false);

    /// <summary>What the cell has of each dimension, as a number below 32.</summary>
    public int[] Values =>
    [
        (int)Server, (int)ServerVersion, Match ? 1 : 0, (int)Protection, (int)Client, (int)ClientVersion, ClearData ? 1 : 0,
        Array.IndexOf(FtpsCells.Tools, Tool), Extended ? 1 : 0,
    ];

    /// <summary>What tells the Ferry of one cell from that of another.</summary>
    public (bool ImplicitClient, TlsVersion Version, bool Match, UpstreamProtection Protection) Listener => (Client == ToolTls.Implicit, ServerVersion, Match, Protection);

    public ToolOptions ToolOptions => new()
    {
        Tls = Client,
        Version = ClientVersion,
        ClearData = ClearData,
        ResumeData = Tool == "resuming",
        Extended = Extended,
    };

    public override string ToString() =>
        $"{Client} {Tool} {(Extended ? "EPSV" : "PASV")} {(Client == ToolTls.Plain ? "" : $"{ClientVersion} PROT {(ClearData ? 'C' : 'P')} ")}"
        + $"-> {Server} {ServerVersion}, proxy_ftp_prot {Protection}{(Match ? ", proxy_starttls match" : "")}";
}
