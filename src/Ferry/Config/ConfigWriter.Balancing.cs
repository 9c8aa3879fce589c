namespace Ferry.Config;

/// <summary>How a server is chosen.</summary>
internal sealed partial class ConfigWriter
{
    private void WriteBalancing(UpstreamConfig upstream)
    {
        switch (upstream.Balance)
        {
            case BalanceMethod.RoundRobin:
                break;
            case BalanceMethod.Hash:
                Line("hash", Quote(upstream.HashKey!.Text));
                break;
            case BalanceMethod.ConsistentHash:
                Line("hash", Quote(upstream.HashKey!.Text), "consistent");
                break;
            case BalanceMethod.LeastConnections:
                Line("least_conn");
                break;
            case BalanceMethod.Random:
                Line("random");
                break;
            case BalanceMethod.RandomTwo:
                Line("random", "two", "least_conn");
                break;
            default:
                Line("balance", ConfigBinder.NameOf(upstream.Balance));
                break;
        }
        if (upstream.Sticky is { } sticky)
            Line("sticky", Quote(sticky.Key.Text), $"timeout={Time(sticky.Timeout)}", $"netmask={sticky.Prefix4}", $"prefix6={sticky.Prefix6}", $"entries={sticky.MaxEntries}");
    }
}
