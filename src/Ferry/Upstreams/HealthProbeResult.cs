namespace Ferry.Upstreams;

/// <summary>What a check has found.</summary>
/// <param name="Failure">What was wrong with the server; null where nothing was, or nothing is known.</param>
internal readonly record struct HealthProbeResult(string? Failure)
{
    /// <summary>The check was stopped, or this machine had no descriptor for it: it says nothing of the server.</summary>
    public bool IsVoid { get; init; }

    /// <summary>When the certificate that the server has shown expires; null without one.</summary>
    public DateTimeOffset? CertificateExpires { get; init; }
}
