using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// LVS's <c>sh</c>, <c>dh</c> and <c>mh</c>: the address of the client, or the one that it connected to, leads to a server by an <see cref="AddressTable"/>.
/// After <see cref="MostTries"/> looks at servers that cannot be had, round robin over what is left.
/// </summary>
internal sealed class AddressBalancer(ImmutableArray<UpstreamServer> servers, Func<UpstreamServer[], AddressTable> table, bool ofListener) : IBalancer
{
    private const int MostTries = 256;

    private readonly RoundRobinBalancer _roundRobin = new(servers);
    private readonly AddressTable _table = table([.. servers.Where(s => !s.Config.Backup)]);

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        var fold = AddressHash.Fold((ofListener ? choice.Facts.Listener : choice.Facts.Client).Address);
        for (; choice.Misses < MostTries; choice.Misses++)
        {
            var server = _table.At(fold, choice.Misses);
            if (choice.MayTry(server))
                return server;
        }
        return _roundRobin.Pick(choice);
    }
}
