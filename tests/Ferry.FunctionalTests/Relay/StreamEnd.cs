namespace Ferry.FunctionalTests.Relay;

/// <summary>How a stream looked to who read it to its end.</summary>
public enum StreamEnd
{
    /// <summary>FIN; in TLS close_notify.</summary>
    InOrder,

    /// <summary>In TLS: FIN without close_notify.</summary>
    Truncated,

    Reset,
}
