namespace Ferry.Daemon;

/// <summary>What the shell is told.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The configuration is wrong, or something failed at run time.</summary>
    public const int Failure = 1;

    /// <summary>The command line itself is wrong.</summary>
    public const int Usage = 2;
}
