using System.IO;
using System.Security.Cryptography;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>What a client does in one session where each kind of data connection must work, the empty ones and the refused ones included.</summary>
internal static class SessionOperations
{
    // Every byte value, several TLS records (16 KiB), and no multiple of any buffer.
    public const int Usual = 150_001;

    /// <summary>Uploads, and downloads, in a session that are not refused.</summary>
    public const int Transfers = 3;

    /// <summary>What the files of the uploads take, and those of the downloads, at the usual size.</summary>
    public const long UsualBytes = 2 * Usual;

    public static async Task<string> RunAsync(IFtpSessionTool tool, FtpTarget target, RealServer server, TempFolder folder)
    {
        // Servers are shared: each session has names of its own.
        var name = Path.GetRandomFileName();
        var bytes = RandomNumberGenerator.GetBytes(Usual);
        await server.PutAsync(name, bytes);
        await server.PutAsync("empty." + name, []);
        var up = folder.NewFile("up", RandomNumberGenerator.GetBytes(Usual));
        var empty = folder.NewFile("empty", "");

        var said = await tool.RunAsync(
            target,
            [
                new(FtpVerb.Download, $"pub/{name}", folder["down"]),
                new(FtpVerb.DownloadRefused, $"pub/missing.{name}"),
                new(FtpVerb.Upload, $"pub/up.{name}", up),
                new(FtpVerb.UploadRefused, $"missing.{name}/up", up),
                new(FtpVerb.Upload, $"pub/up.empty.{name}", empty),
                new(FtpVerb.Download, $"pub/empty.{name}", folder["down.empty"]),
                new(FtpVerb.List, "pub"),
                // The second file over the same control connection, now with a session to resume that data connections have used.
                new(FtpVerb.Upload, $"pub/again.{name}", up),
                new(FtpVerb.Download, $"pub/again.{name}", folder["again"]),
            ]);

        Assert.Contains($"up.{name}", said, StringComparison.Ordinal);
        AssertSame(bytes, folder["down"]);
        AssertSame(File.ReadAllBytes(up), server.PathOf("up." + name));
        AssertSame(File.ReadAllBytes(up), server.PathOf("again." + name));
        AssertSame(File.ReadAllBytes(up), folder["again"]);
        Assert.Equal(0, new FileInfo(server.PathOf("up.empty." + name)).Length);
        // lftp and curl make no file of nothing.
        Assert.True(!File.Exists(folder["down.empty"]) || new FileInfo(folder["down.empty"]).Length == 0);
        // A shared server's folder stays short, and so do the listings.
        foreach (var one in (string[])[name, "empty." + name, "up." + name, "up.empty." + name, "again." + name])
            File.Delete(server.PathOf(one));
        return said;
    }

    /// <summary>One download and one upload of a file that is too large for any buffer on the way.</summary>
    public static async Task RunLargeAsync(IFtpSessionTool tool, FtpTarget target, RealServer server, TempFolder folder, int mebibytes)
    {
        var name = Path.GetRandomFileName();
        await server.PutAsync(name, []);
        await using (var file = File.OpenWrite(server.PathOf(name)))
        {
            for (var i = 0; i < mebibytes; i++)
                file.Write(RandomNumberGenerator.GetBytes(1 << 20));
        }

        await tool.RunAsync(target, [new(FtpVerb.Download, $"pub/{name}", folder["down"]), new(FtpVerb.Upload, $"pub/up.{name}", server.PathOf(name))]);

        var hash = HashOf(server.PathOf(name));
        Assert.Equal(hash, HashOf(folder["down"]));
        Assert.Equal(hash, HashOf(server.PathOf("up." + name)));
    }

    private static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(file));
    }

    private static void AssertSame(byte[] expected, string path) => Assert.Equal(Convert.ToHexString(SHA256.HashData(expected)), HashOf(path));
}
