using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>
/// The cells of the matrix of modes: {the client's verb} × {proxy_ftp_data} × {where data is in TLS} × {IPv4, IPv6 on either side}. With
/// <see cref="Complete"/>, which alone does all operations and tells the commands that it got, each pair of verbs meets all else. With the
/// other servers the cells take turns, so that any three values of any dimensions meet. Where a verb cannot name an address of its
/// side's family the cell is there nonetheless: Ferry has to say so, and the session has to go on.
/// </summary>
internal static class ModeCells
{
    public const ServerKind Complete = ServerKind.ProFtpd;

    public static readonly ServerKind[] Servers = [ServerKind.Vsftpd, ServerKind.ProFtpd, ServerKind.PureFtpd];

    /// <summary>Those of proxy_ftp_data that name a verb.</summary>
    public static readonly UpstreamDataMode[] Verbs = [UpstreamDataMode.Pasv, UpstreamDataMode.Epsv, UpstreamDataMode.Port, UpstreamDataMode.Eprt];

    private static readonly bool[] Either = [false, true];

    public static ModeCell[] Possible(ServerKind server) =>
    [
        .. from verb in Enum.GetValues<DataVerb>()
           from mode in Enum.GetValues<UpstreamDataMode>()
           from tls in Enum.GetValues<ModeTls>()
           from clientV6 in Either
           from serverV6 in Either
           select new ModeCell(server, verb, mode, tls, clientV6, serverV6),
    ];

    /// <summary>A number for every three values of a cell.</summary>
    public static IEnumerable<int> Triples(ModeCell cell)
    {
        var values = cell.Values;
        for (var a = 0; a < values.Length; a++)
        {
            for (var b = a + 1; b < values.Length; b++)
            {
                for (var c = b + 1; c < values.Length; c++)
                    yield return ((((a * 8 + b) * 8 + c) * 8 + values[a]) * 8 + values[b]) * 8 + values[c];
            }
        }
    }

    /// <summary>First what must be there, then more cells, those with more that is new first, until no three values are missing.</summary>
    public static IReadOnlyList<ModeCell> Choose(ServerKind server)
    {
        var possible = Possible(server);
        var seen = new HashSet<int>();
        List<ModeCell> chosen = [];
        if (server == Complete)
        {
            foreach (var cell in possible.Where(c => Verbs.Contains(c.Mode)))
                Take(cell);
        }
        // Of a cell's ten threes; a cell that works before one that is refused.
        for (var least = 10; least > 0; least--)
        {
            foreach (var cell in possible.OrderBy(c => c.IsRefused))
            {
                if (Triples(cell).Count(t => !seen.Contains(t)) >= least)
                    Take(cell);
            }
        }
        return chosen;

        void Take(ModeCell cell)
        {
            seen.UnionWith(Triples(cell));
            chosen.Add(cell);
        }
    }
}
