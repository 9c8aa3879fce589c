using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Upstreams;

/// <summary>
/// LVS's <c>rr</c> and <c>wrr</c>: down the list again and again. The first passes of a round are for the heaviest servers only, and each further pass
/// lets in those that are lighter by a step, so that 4:3:2 gives A, AB, ABC, ABC. With <c>rr</c> all servers weigh the same.
/// </summary>
internal sealed class TurnsBalancer(ImmutableArray<UpstreamServer> servers, bool isWeighted) : IBalancer
{
    private readonly Round _primaries = new([.. servers.Where(s => !s.Config.Backup)], isWeighted);
    private readonly Round _backups = new([.. servers.Where(s => s.Config.Backup)], isWeighted);

    public UpstreamServer? Pick(UpstreamChoice choice) => _primaries.Pick(choice) ?? _backups.Pick(choice);

    private sealed class Round
    {
        private readonly UpstreamServer[] _servers;
        private readonly bool _isWeighted;
        private readonly long[] _weights;

        /// <summary>The server that was chosen last.</summary>
        private int _at = -1;

        /// <summary>The least weight that takes part in this pass.</summary>
        private long _level;

        public Round(UpstreamServer[] servers, bool isWeighted)
        {
            _servers = servers;
            _isWeighted = isWeighted;
            _weights = new long[servers.Length];
            _level = servers.Length == 0 ? 0 : servers.Max(WeightOf);
        }

        public UpstreamServer? Pick(UpstreamChoice choice)
        {
            while (true)
            {
                while (++_at < _servers.Length)
                {
                    if (WeightOf(_servers[_at]) >= _level && choice.MayTry(_servers[_at]))
                        return _servers[_at];
                }
                _at = -1;
                var (most, heaviest) = (0L, 0L);
                for (var i = 0; i < _servers.Length; i++)
                {
                    // Anew with each pass: agents change them.
                    var weight = _weights[i] = WeightOf(_servers[i]);
                    most = Math.Max(most, weight);
                    if (weight > heaviest && choice.MayTry(_servers[i]))
                        heaviest = weight;
                }
                if (heaviest == 0)
                    return null;
                // The least weight of each pass is below that of the pass before by their greatest common divisor.
                var step = Weights.Divisor(_weights);
                _level = _level > step ? _level - step : most;
                // Passes in which nobody takes part are not made.
                _level = Math.Min(_level, heaviest);
            }
        }

        private long WeightOf(UpstreamServer server) => _isWeighted ? server.Hundredths : 1;
    }
}
