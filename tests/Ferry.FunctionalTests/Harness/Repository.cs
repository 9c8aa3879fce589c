using System.IO;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The tree that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>The folder with the solution in it.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release, as the tests themselves were built: .../bin/CONFIGURATION/net10.0/.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>The built daemon.</summary>
    public static string Ferryd => Path.Combine(Root, "src", "Ferry.Daemon", "bin", Configuration, "net10.0", "ferryd");

    /// <summary>Where <c>./test</c> unpacks the servers that are not installed.</summary>
    public static string Servers => Path.Combine(Root, ".cache", "servers");

    /// <summary>A file that the tests carry with them.</summary>
    public static string Data(params string[] path) => Path.Combine([AppContext.BaseDirectory, .. path]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Ferry.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"There is no Ferry.slnx above {AppContext.BaseDirectory}.");
    }
}
