using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// <c>random</c>, choosing as NGINX does: a server by chance, in proportion to the weights; with <c>two</c>, of two different ones that with fewer
/// sessions for its weight. After <see cref="HashBalancer.MissLimit"/> looks at servers that cannot be had, round robin over what is left.
/// </summary>
internal sealed class RandomBalancer : IBalancer
{
    private readonly RoundRobinBalancer _roundRobin;
    private readonly WeightedPlaces _places;
    private readonly bool _ofTwo;
    private readonly Random _random;

    public RandomBalancer(ImmutableArray<UpstreamServer> servers, bool ofTwo, Random random)
    {
        _roundRobin = new RoundRobinBalancer(servers);
        _places = new WeightedPlaces([.. servers.Where(s => !s.Config.Backup)]);
        _ofTwo = ofTwo;
        _random = random;
    }

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        UpstreamServer? first = null;
        for (; choice.Misses <= HashBalancer.MissLimit; choice.Misses++)
        {
            var server = _places.At(_random.NextInt64(_places.Total));
            if (server == first || !choice.MayTry(server))
                continue;
            if (!_ofTwo)
                return server;
            if (first is not null)
                return server.Sessions * first.Hundredths > first.Sessions * server.Hundredths ? first : server;
            first = server;
        }
        return _roundRobin.Pick(choice);
    }
}
