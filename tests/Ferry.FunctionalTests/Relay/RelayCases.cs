using Ferry.Relay;

namespace Ferry.FunctionalTests.Relay;

/// <summary>Every relay, and every relay each way.</summary>
public static class RelayCases
{
    public static TheoryData<RelayKind> Relays => [RelayKind.Splice, RelayKind.Stream, RelayKind.SpliceWithoutPipes];

    /// <summary>The second value: whether the client sends.</summary>
    public static TheoryData<RelayKind, bool> RelaysBothWays
    {
        get
        {
            var cases = new TheoryData<RelayKind, bool>();
            foreach (RelayKind kind in Enum.GetValues<RelayKind>())
            {
                cases.Add(kind, false);
                cases.Add(kind, true);
            }
            return cases;
        }
    }

    internal static TransferDirection Direction(bool upload) => upload ? TransferDirection.Upload : TransferDirection.Download;
}
