using System.Reflection;
using System.Runtime.InteropServices;

namespace Ferry.Daemon;

/// <summary><c>ferryd version</c>, <c>-v</c>, <c>-V</c>.</summary>
internal static class VersionCommand
{
    /// <summary>The product's version, without the commit that a build appends.</summary>
    public static string Version { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    public static int Run(bool details)
    {
        Console.Out.WriteLine($"ferryd {Version}");
        if (details)
            Console.Out.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.OSDescription}");
        return ExitCode.Ok;
    }
}
