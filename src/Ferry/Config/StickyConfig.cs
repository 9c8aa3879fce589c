namespace Ferry.Config;

/// <summary>Ties clients to servers (<c>sticky</c>), as LVS's persistence does.</summary>
/// <param name="Key">Sessions with the same key go to the same server; where it is empty they are not tied.</param>
public sealed record StickyConfig(TextTemplate Key)
{
    /// <summary>How long after its last session began a key keeps its server; more than 0 (<c>timeout=</c>). Default 300 s, as LVS.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>So many bits of a client's IPv4 address count in the key, 0-32 (<c>netmask=</c>). Default 32, as LVS.</summary>
    public int Prefix4 { get; init; } = 32;

    /// <summary>So many bits of a client's IPv6 address count in the key, 0-128 (<c>prefix6=</c>). Default 128, as LVS.</summary>
    public int Prefix6 { get; init; } = 128;

    /// <summary>Most keys that are remembered, at least 1; beyond them the one that was not used for longest is forgotten (<c>entries=</c>). Default 65536.</summary>
    public int MaxEntries { get; init; } = 65_536;
}
