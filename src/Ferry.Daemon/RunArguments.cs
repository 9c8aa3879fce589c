namespace Ferry.Daemon;

/// <summary>What every command but the demo is told on the command line.</summary>
/// <param name="File">The configuration file.</param>
/// <param name="Prefix">What relative paths in it are relative to; null: the file's own folder.</param>
/// <param name="Quiet">Whether only errors are printed.</param>
internal readonly record struct RunArguments(string File, string? Prefix, bool Quiet)
{
    public const string DefaultFile = "/etc/ferry/ferry.conf";
}
