using System.Linq;
using Ferry.Relay;

namespace Ferry.FunctionalTests.Relay;

/// <summary>Every relay, and every relay each way.</summary>
public static class RelayCases
{
    public static TheoryData<RelayKind> Relays => [.. Enum.GetValues<RelayKind>()];

    /// <summary>The second value: whether the client sends.</summary>
    public static TheoryData<RelayKind, bool> RelaysBothWays => BothWays((_, _) => true);

    /// <summary>Those whose sender is in TLS.</summary>
    public static TheoryData<RelayKind, bool> TlsSenders => BothWays((kind, upload) => upload ? kind.IsClientTls() : kind.IsUpstreamTls());

    /// <summary>Those whose receiver is in TLS.</summary>
    public static TheoryData<RelayKind, bool> TlsReceivers => BothWays((kind, upload) => upload ? kind.IsUpstreamTls() : kind.IsClientTls());

    internal static TransferDirection Direction(bool upload) => upload ? TransferDirection.Upload : TransferDirection.Download;

    private static TheoryData<RelayKind, bool> BothWays(Func<RelayKind, bool, bool> isWanted)
    {
        var cases = new TheoryData<RelayKind, bool>();
        foreach (RelayKind kind in Enum.GetValues<RelayKind>())
        {
            foreach (bool upload in ((bool[])[false, true]).Where(upload => isWanted(kind, upload)))
                cases.Add(kind, upload);
        }
        return cases;
    }
}
