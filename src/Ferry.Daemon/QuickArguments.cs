namespace Ferry.Daemon;

/// <summary>What a run of the proxy is told on the command line.</summary>
/// <param name="File">The configuration file.</param>
/// <param name="Prefix">What relative paths in it are relative to; null: the file's own folder.</param>
/// <param name="Quiet">Whether only errors are printed.</param>
internal readonly record struct RunArguments(string File, string? Prefix, bool Quiet)
{
    public const string DefaultFile = "/etc/ferry/ferry.conf";
}

/// <summary>
/// Recognises the forms that start the proxy, <c>[run] [-c FILE] [-p PREFIX] [-q]</c>, without loading the command line library:
/// the clients of a proxy that restarts are waiting. All else, a mistake included, is left to that library.
/// </summary>
internal static class QuickArguments
{
    public static bool TryParse(ReadOnlySpan<string> args, out RunArguments run)
    {
        run = default;
        string? file = null, prefix = null;
        var quiet = false;
        if (args is ["run", ..])
            args = args[1..];
        while (!args.IsEmpty)
        {
            switch (args)
            {
                case ["-c", var value, ..] when IsValue(value) && file is null:
                    file = value;
                    args = args[2..];
                    break;
                case ["-p", var value, ..] when IsValue(value) && prefix is null:
                    prefix = value;
                    args = args[2..];
                    break;
                case ["-q", ..] when !quiet:
                    quiet = true;
                    args = args[1..];
                    break;
                default:
                    return false;
            }
        }
        run = new RunArguments(file ?? RunArguments.DefaultFile, prefix, quiet);
        return true;
    }

    private static bool IsValue(string text) => text.Length > 0 && text[0] is not ('-' or '@');
}
