using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>The servers with no Ferry before them: they can do what the matrix of modes asks of them, and what fails through Ferry and not here is Ferry's fault.</summary>
public sealed class ModeServersTests
{
    public static TheoryData<ServerKind, bool> Servers()
    {
        var servers = new TheoryData<ServerKind, bool>();
        foreach (var kind in Enum.GetValues<ServerKind>())
        {
            servers.Add(kind, false);
            servers.Add(kind, true);
        }
        return servers;
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto", "pure-ftpd", "pyftpdlib", "OpenSSL")]
    [MemberData(nameof(Servers))]
    public async Task A_server_does_every_kind_of_transfer_in_every_mode(ServerKind kind, bool ipv6)
    {
        // .NET's TLS resumes no session by an address; Ferry does.
        await using var server = await RealServer.StartAsync(
            kind, new IPEndPoint(ipv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, FreePorts.One()), tls: new RealServerTls { ReuseRequired = false });
        foreach (var verb in Enum.GetValues<DataVerb>().Where(v => !ipv6 || v is DataVerb.Epsv or DataVerb.Eprt))
        {
            foreach (var (tls, protect) in ((TlsEnd?, bool)[])[(null, false), (TlsEnd.Client, true), (TlsEnd.Client, false)])
            {
                using var client = await ModeClient.LogInAsync(server.EndPoint, verb, tls, protect, user: server.User, password: server.Password);
                await ModeOperations.RunAsync(client, server, $"{verb}-{tls is not null}-{protect}");
                await client.QuitAsync();
            }
        }
    }
}
