using System.IO;
using System.Security.Cryptography;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>What a client does with a server in the course of a day; every file is compared by its hash.</summary>
internal static class EveryOperation
{
    // Every byte value and no length that is a multiple of a buffer's.
    private const int Small = 70_001;
    private const int Large = 3_000_001;
    private const int Resumed = 1_234_567;
    private const int Beginning = 30_000;

    /// <summary>What the files of the downloads take; listings come on top.</summary>
    public const long BytesDownloaded = Large + (Large - Resumed);

    /// <summary>What the files of the uploads take.</summary>
    public const long BytesUploaded = Large + Small;

    public static async Task RunAsync(IFtpTool tool, FtpTarget target, RealServer server, TempFolder folder)
    {
        var small = RandomNumberGenerator.GetBytes(Small);
        var large = RandomNumberGenerator.GetBytes(Large);
        var name = Path.GetRandomFileName();

        await server.PutAsync(name, large);
        var listing = await tool.ListAsync(target, "pub");
        Assert.Contains(name, listing, StringComparison.Ordinal);
        Assert.Contains("3000001", listing, StringComparison.Ordinal);

        await tool.DownloadAsync(target, $"pub/{name}", folder["download"]);
        AssertSame(large, folder["download"]);

        folder.NewFile("resume", large[..Resumed]);
        await tool.ResumeAsync(target, $"pub/{name}", folder["resume"]);
        AssertSame(large, folder["resume"]);

        await tool.UploadAsync(target, folder.NewFile("large", large), "pub/up." + name);
        AssertSame(large, server.PathOf("up." + name));

        await tool.UploadAsync(target, folder.NewFile("beginning", small[..Beginning]), "pub/grow." + name);
        await tool.AppendAsync(target, folder.NewFile("rest", small[Beginning..]), folder.NewFile("small", small), "pub/grow." + name);
        AssertSame(small, server.PathOf("grow." + name));

        await tool.UploadAsync(target, folder.NewFile("empty", ""), "pub/empty." + name);
        Assert.Equal(0, new FileInfo(server.PathOf("empty." + name)).Length);

        await tool.RenameAsync(target, "pub/grow." + name, "pub/renamed." + name);
        Assert.False(File.Exists(server.PathOf("grow." + name)));
        AssertSame(small, server.PathOf("renamed." + name));

        await tool.DeleteAsync(target, "pub/renamed." + name);
        Assert.False(File.Exists(server.PathOf("renamed." + name)));

        await tool.MakeFolderAsync(target, "pub/folder." + name);
        Assert.True(Directory.Exists(server.PathOf("folder." + name)));
    }

    private static void AssertSame(byte[] expected, string path)
    {
        using var file = File.OpenRead(path);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(expected)), Convert.ToHexString(SHA256.HashData(file)));
    }
}
