using System.Globalization;
using System.IO;
using System.Linq;

namespace Ferry.FunctionalTests.Load;

/// <summary>How many sockets a process has open.</summary>
internal static class OpenSockets
{
    public static int OfThis() => In("/proc/self/fd");

    public static int Of(int pid) => In(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd"));

    private static int In(string folder) => Directory.EnumerateFileSystemEntries(folder).Count(IsSocket);

    private static bool IsSocket(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false; // closed since it was listed
        }
    }
}
