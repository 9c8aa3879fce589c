using System.IO;
using Ferry.Config;
using Ferry.Transport.Linux;

namespace Ferry.Upstreams;

/// <summary>A password, which nothing prints.</summary>
internal sealed class HealthPassword
{
    private const int MostBytes = 4096;

    private readonly byte[] _bytes;

    private HealthPassword(byte[] bytes) => _bytes = bytes;

    /// <summary>What the anonymous user says (RFC 1635 has an address here).</summary>
    public static HealthPassword Anonymous { get; } = new([.. "ferry@"u8]);

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Reads the first line of a file.</summary>
    /// <param name="file">Which.</param>
    /// <param name="findings">Gets what is wrong with it.</param>
    /// <returns>Null where it cannot be used.</returns>
    public static HealthPassword? TryRead(PlacedText file, List<ConfigDiagnostic> findings)
    {
        void Find(ConfigSeverity severity, string message) => findings.Add(new ConfigDiagnostic(severity, file.Position, Math.Max(1, file.Value.Length), message, null));

        var why = TryRead(file.Value, out var line);
        if (why is not null)
        {
            Find(ConfigSeverity.Error, $"the password of \"health_check\" cannot be read from \"{file.Value}\": {why}");
            return null;
        }
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(file.Value).HasFlag(UnixFileMode.OtherRead))
            Find(ConfigSeverity.Warning, $"the password in \"{file.Value}\" can be read by every user of this machine: chmod o-r");
        return new HealthPassword(line);
    }

    public override string ToString() => "***";

    /// <summary>Reads the first line of a file.</summary>
    /// <returns>Null, or why it cannot be used.</returns>
    public static string? TryRead(string path, out byte[] line)
    {
        line = [];
        if (OperatingSystem.IsLinux() && Libc.IsPipeOrDevice(path))
            return "it is no regular file";
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var buffer = new byte[MostBytes];
            var content = buffer.AsSpan(0, stream.ReadAtLeast(buffer, MostBytes, throwOnEndOfStream: false));
            var end = content.IndexOf((byte)'\n');
            if (end < 0 && content.Length == MostBytes)
                return "its first line is too long";
            line = (end < 0 ? content : content[..end]).TrimEnd((byte)'\r').ToArray();
            return line.Length == 0 ? "its first line is empty"
                : line.AsSpan().ContainsAnyInRange((byte)0, (byte)31) ? "its first line has control characters in it"
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException => "permission denied",
                _ => e.Message,
            };
        }
    }
}
