using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>
/// The cells of the matrix. In full: {client plain, explicit, implicit} × {its version} × {its PROT} × {server: kind, plain, explicit,
/// implicit, reuse required or not} × {its version}; every one of these is there. What else varies (the program, PASV or EPSV,
/// proxy_ftp_prot, on or match) would make it some twenty times as many, of which each takes a program's start: of these the cells
/// take turns, so that any three values of any dimensions that can meet in a cell do meet in one.
/// </summary>
internal static class FtpsCells
{
    public static readonly string[] Tools = ["curl", "lftp", "ftplib", "resuming"];

    private static readonly TlsVersion[] BothVersions = [TlsVersion.Tls12, TlsVersion.Tls13];
    private static readonly TlsVersion[] NoVersion = [TlsVersion.Any];
    private static readonly bool[] Either = [false, true];

    /// <summary>All that would be possible, in groups of which the matrix has at least one each.</summary>
    public static IReadOnlyList<FtpsCell[]> Possible { get; } = [.. Groups()];

    public static IReadOnlyList<FtpsCell> Chosen { get; } = Choose();

    /// <summary>A number for every three values of a cell.</summary>
    public static IEnumerable<int> Triples(FtpsCell cell)
    {
        var values = cell.Values;
        for (var a = 0; a < values.Length; a++)
        {
            for (var b = a + 1; b < values.Length; b++)
            {
                for (var c = b + 1; c < values.Length; c++)
                    yield return (((a * 32 + values[a]) * 16 + b) * 32 + values[b]) * 512 + c * 32 + values[c];
            }
        }
    }

    private static IEnumerable<FtpsCell[]> Groups()
    {
        return
            from server in TlsServerNames.All
            from serverVersion in server.IsPlain() ? NoVersion : BothVersions
            from client in Enum.GetValues<ToolTls>()
            from clientVersion in client == ToolTls.Plain ? NoVersion : BothVersions
            from clear in client == ToolTls.Plain ? [true] : Either
            select Ways(server, serverVersion, client, clientVersion, clear).ToArray();
    }

    private static IEnumerable<FtpsCell> Ways(TlsServer server, TlsVersion serverVersion, ToolTls client, TlsVersion clientVersion, bool clear)
    {
        return
            from tool in client == ToolTls.Plain || clear ? Tools[..3] : Tools
            from extended in Either
                // A plain client that is matched is a plain way to the server.
            from match in server.IsExplicit() && client != ToolTls.Plain ? Either : [false]
            from protection in server.IsPlain() ? [UpstreamProtection.Match] : Enum.GetValues<UpstreamProtection>()
            select new FtpsCell(server, serverVersion, match, protection, client, clientVersion, clear, tool, extended);
    }

    /// <summary>From each group the cell with the most that is new; then more cells, those with more that is new first, until nothing is missing.</summary>
    private static List<FtpsCell> Choose()
    {
        var seen = new HashSet<int>();
        List<FtpsCell> chosen = [];
        foreach (var group in Possible)
            Take(group.MaxBy(New)!);
        for (var least = 16; least > 0; least /= 2)
        {
            foreach (var cell in Possible.SelectMany(g => g))
            {
                if (New(cell) >= least)
                    Take(cell);
            }
        }
        return chosen;

        int New(FtpsCell cell) => Triples(cell).Count(t => !seen.Contains(t));

        void Take(FtpsCell cell)
        {
            seen.UnionWith(Triples(cell));
            chosen.Add(cell);
        }
    }
}
