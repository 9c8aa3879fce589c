namespace Ferry.FunctionalTests.Relay;

/// <summary>Which relay a test runs; each test runs with every one.</summary>
public enum RelayKind
{
    Splice,
    Stream,

    /// <summary>The splicing one on a machine that has no pipe for it.</summary>
    SpliceWithoutPipes,
}
