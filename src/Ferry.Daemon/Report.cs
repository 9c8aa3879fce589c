using Ferry.Config;

namespace Ferry.Daemon;

/// <summary>What is said on the standard error stream.</summary>
internal static class Report
{
    public static void Line(string text) => Console.Error.WriteLine(text);

    public static void Error(string message) => Line($"ferryd: {message}");

    /// <summary>Prints the findings that matter at least as much as <paramref name="least"/>.</summary>
    public static void Diagnostics(IEnumerable<ConfigDiagnostic> diagnostics, ConfigSeverity least)
    {
        foreach (var diagnostic in diagnostics)
        {
            if (diagnostic.Severity >= least)
                Line(diagnostic.Format());
        }
    }
}
