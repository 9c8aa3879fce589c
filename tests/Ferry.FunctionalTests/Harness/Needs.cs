using System.Globalization;
using System.IO;
using System.Linq;

namespace Ferry.FunctionalTests.Harness;

/// <summary>What a test needs of the machine. Where it is missing the test is skipped and says why; with CI=true it is run nonetheless and fails.</summary>
internal static class Needs
{
    private static readonly string[] PythonFolders = ["/usr/lib/python3/dist-packages"];

    /// <summary>Why the test cannot run here; null where it can, or must.</summary>
    public static string? WhyNot(bool root, string[] tools)
    {
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            return null;
        List<string> missing = [];
        if (root && !Environment.IsPrivilegedProcess)
            missing.Add("root");
        missing.AddRange(tools.Where(t => !IsThere(t)));
        return missing.Count == 0 ? null : $"NOT RUN: this test needs {string.Join(", ", missing)}. As root, ./test installs what is missing.";
    }

    /// <summary>A program on the path, a server of <see cref="RealServer"/>, what ProFTPD needs for TLS, a Debian Python module, or so many <c>open-files=N</c>.</summary>
    private static bool IsThere(string tool) => tool switch
    {
        "vsftpd" or "proftpd" or "pure-ftpd" => File.Exists(RealServer.ProgramOf(tool)),
        "proftpd-mod-crypto" => File.Exists(Path.Combine(Repository.Servers, tool, "usr", "lib", "proftpd", "mod_tls.so")),
        "pyftpdlib" or "OpenSSL" => PythonFolders.Any(f => Directory.Exists(Path.Combine(f, tool))),
        _ when tool.StartsWith("open-files=", StringComparison.Ordinal) => MostOpenFiles() >= int.Parse(tool.AsSpan(11), CultureInfo.InvariantCulture),
        _ => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(f => File.Exists(Path.Combine(f, tool))),
    };

    /// <summary>The hard limit, to which .NET raises the soft one.</summary>
    private static long MostOpenFiles()
    {
        // Max open files            1024                 20000                files
        var line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        return hard == "unlimited" ? long.MaxValue : long.Parse(hard, CultureInfo.InvariantCulture);
    }
}

/// <summary>A test that needs these tools.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(params string[] tools) => Skip = Needs.WhyNot(root: false, tools);
}

/// <summary>A test that needs root and these tools.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute(params string[] tools) => Skip = Needs.WhyNot(root: true, tools);
}

/// <summary>A test with data that needs these tools.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(params string[] tools) => Skip = Needs.WhyNot(root: false, tools);
}

/// <summary>A test with data that needs root and these tools.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute(params string[] tools) => Skip = Needs.WhyNot(root: true, tools);
}
