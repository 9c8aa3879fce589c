using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>What Windows' own ftp.exe says: OPTS UTF8 ON before USER, PORT and never PASV, NLST, and the folder commands of RFC 775 (XPWD and its like).</summary>
public sealed class WindowsClientTests
{
    public static TheoryData<ServerKind, string> Servers()
    {
        var servers = new TheoryData<ServerKind, string>();
        foreach (var kind in Enum.GetValues<ServerKind>())
        {
            servers.Add(kind, "client");
            servers.Add(kind, "passive");
        }
        return servers;
    }

    [RootTheory("vsftpd", "proftpd", "pure-ftpd", "pyftpdlib")]
    [MemberData(nameof(Servers))]
    public async Task The_client_of_Windows_works(ServerKind kind, string mode)
    {
        await using var server = await RealServer.StartAsync(kind);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_ftp_data {mode};");
        using var client = new ModeClient(await ScriptedClient.ConnectAsync(proxy.EndPoint), DataVerb.Port);
        var control = client.Control;
        var bytes = RandomNumberGenerator.GetBytes(70_001);

        await control.ExpectAsync(220);
        // Some say 200, some 530; it goes on in either case.
        var opts = await control.CommandAsync("OPTS UTF8 ON");
        Assert.True(opts.Code is 200 or 202 or (>= 500 and < 600), opts.Text);
        await control.CommandAsync($"USER {server.User}", 331);
        await control.CommandAsync($"PASS {server.Password}", 230);

        Assert.Contains("\"/\"", (await control.CommandAsync("XPWD", 257)).Text, StringComparison.Ordinal);
        await control.CommandAsync("CWD pub", 250);
        await control.CommandAsync("XMKD windows", 257);
        Assert.True(Directory.Exists(server.PathOf("windows")));
        await control.CommandAsync("CWD windows", 250);
        await control.CommandAsync("TYPE I", 200);
        await client.SendAsync("STOR file", bytes);
        await control.CommandAsync("TYPE A", 200);
        var names = Encoding.ASCII.GetString(await client.ReceiveAsync("NLST")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("file", names.Single(n => n is not ("." or "..")));
        Assert.Contains("70001", Encoding.ASCII.GetString(await client.ReceiveAsync("LIST")), StringComparison.Ordinal);
        await control.CommandAsync("TYPE I", 200);
        Assert.Equal(bytes, await client.ReceiveAsync("RETR file"));
        await control.CommandAsync("DELE file", 250);
        await control.CommandAsync("CWD ..", 250);
        await control.CommandAsync("XRMD windows", 250);
        Assert.False(Directory.Exists(server.PathOf("windows")));
        await control.CommandAsync("NOOP", 200);
        await client.QuitAsync();

        await proxy.UntilIdleAsync();
        Assert.Equal(IPAddress.Loopback, client.DataPeer!.Address);
    }
}
