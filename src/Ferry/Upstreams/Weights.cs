namespace Ferry.Upstreams;

/// <summary>What the weights of servers have in common.</summary>
internal static class Weights
{
    /// <summary>Their greatest common divisor; 0 where there is no server.</summary>
    public static int Divisor(UpstreamServer[] servers)
    {
        var divisor = 0;
        foreach (var server in servers)
        {
            for (var (a, b) = (server.Weight, divisor); ; (a, b) = (b, a % b))
            {
                if (b == 0)
                {
                    divisor = a;
                    break;
                }
            }
        }
        return divisor;
    }
}
