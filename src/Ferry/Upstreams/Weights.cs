namespace Ferry.Upstreams;

/// <summary>What the weights of servers have in common.</summary>
internal static class Weights
{
    /// <summary>Most of a sum of weights that agents have changed: nginx's hash has 32768 values, and of more places the last would never be hit.</summary>
    private const int MostOfSum = 2048;

    /// <summary>The greatest common divisor of weights; 0 where there are none.</summary>
    public static long Divisor(ReadOnlySpan<long> weights)
    {
        var divisor = 0L;
        foreach (var weight in weights)
        {
            for (var (a, b) = (weight, divisor); ; (a, b) = (b, a % b))
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

    /// <summary>
    /// The weights as whole numbers: as they are written, so that choices are those of nginx and LVS, or where agents have changed some, the smallest numbers in
    /// the same proportion.
    /// </summary>
    public static long[] Of(UpstreamServer[] servers)
    {
        var weights = Array.ConvertAll(servers, static s => s.Hundredths);
        var asWritten = Array.ConvertAll(servers, static s => s.Weight * 100L);
        var isAsWritten = weights.AsSpan().SequenceEqual(asWritten);
        var divisor = isAsWritten ? 100 : Math.Max(1, Divisor(weights));
        var total = 0L;
        for (var i = 0; i < weights.Length; i++)
            total += weights[i] /= divisor;
        if (isAsWritten || total <= MostOfSum)
            return weights;
        for (var i = 0; i < weights.Length; i++)
            weights[i] = Math.Max(1, (long)Math.Round((double)weights[i] * MostOfSum / total));
        return weights;
    }
}
