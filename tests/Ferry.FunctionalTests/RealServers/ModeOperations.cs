using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Every kind of transfer, one after another over one control connection.</summary>
internal static class ModeOperations
{
    // Several TLS records and no multiple of any buffer.
    private const int Whole = 50_001;
    private const int Beginning = 20_011;

    /// <summary>How often data connections are asked for: one for each transfer, the refused one included.</summary>
    public static int SetUpsOf(ServerKind kind) => HasMlsd(kind) ? 9 : 8;

    /// <summary>vsftpd is the one server that has no MLSD.</summary>
    public static bool HasMlsd(ServerKind kind) => kind != ServerKind.Vsftpd;

    /// <param name="client">A client that has logged in.</param>
    /// <param name="server">The server.</param>
    /// <param name="folder">A name that nobody else has, which the server's log of commands will show.</param>
    public static async Task RunAsync(ModeClient client, RealServer server, string folder)
    {
        var bytes = RandomNumberGenerator.GetBytes(Whole);
        var control = client.Control;
        await control.CommandAsync($"MKD pub/{folder}", 257);
        await control.CommandAsync($"CWD pub/{folder}", 250);

        await client.SendAsync("STOR one", bytes);
        Assert.Equal(bytes, OnDisk("one"));
        Assert.Equal(bytes, await client.ReceiveAsync("RETR one"));
        Assert.Equal(bytes[Beginning..], await client.ReceiveAsync("RETR one", before: $"REST {Beginning}"));
        await client.SendAsync("APPE one", bytes[..Beginning]);
        Assert.Equal([.. bytes, .. bytes[..Beginning]], OnDisk("one"));

        var unique = (await client.SendAsync("STOU", bytes)).Text;
        var second = Directory.GetFiles(server.PathOf(folder)).Select(f => Path.GetFileName(f)).Single(n => n != "one");
        Assert.Contains(second, unique, StringComparison.Ordinal);
        Assert.Equal(bytes, OnDisk(second));

        await client.RefusedAsync("RETR missing");

        Assert.Contains($"{Whole + Beginning}", await TextAsync("LIST"), StringComparison.Ordinal);
        // pure-ftpd names the folder itself and the one above, too.
        Assert.Equal(new[] { "one", second }.Order(), (await TextAsync("NLST")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Where(n => n is not ("." or "..")).Order());
        if (HasMlsd(server.Kind))
            Assert.Contains($"size={Whole + Beginning};", await TextAsync("MLSD"), StringComparison.OrdinalIgnoreCase);

        // Whatever was asked for has been used up, and no reply was too many.
        await control.CommandAsync("CWD /", 250);
        await control.CommandAsync("NOOP", 200);
        Directory.Delete(server.PathOf(folder), recursive: true);

        byte[] OnDisk(string name) => File.ReadAllBytes(server.PathOf($"{folder}/{name}"));

        async Task<string> TextAsync(string command) => Encoding.UTF8.GetString(await client.ReceiveAsync(command));
    }
}
