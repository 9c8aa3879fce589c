namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>How two ends meet, where it is not the usual way: a control connection of a client that offers what its context has.</summary>
internal sealed record Meeting
{
    /// <summary>The id of the control connection.</summary>
    public ulong ControlId { get; init; }

    public bool IsData { get; init; }

    /// <summary>An SSL_SESSION that the client offers; 0: none.</summary>
    public nint Resume { get; init; }

    /// <summary>SNI.</summary>
    public string? ServerName { get; init; }

    /// <summary>The newest version that the client speaks; 0: its context's.</summary>
    public int ClientProtocol { get; init; }

    public string? ClientCiphers { get; init; }

    /// <summary>-1: its context's.</summary>
    public int ServerTickets { get; init; } = -1;

    /// <summary>What happens when both ends are there.</summary>
    public Action? BeforeHandshake { get; init; }

    /// <summary>How long ago the session of TLS 1.2 will have begun.</summary>
    public TimeSpan SessionAge { get; init; }

    /// <summary>False: it knows no tickets of TLS 1.2.</summary>
    public bool ClientTakesTickets { get; init; } = true;
}
