using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Machines of their own for client, Ferry (with two addresses towards the client) and server: where does active data come from?</summary>
public sealed class ActiveAddressTests
{
    private const string SecondAddress = "192.168.40.137";

    [RootTheory("ip", "vsftpd")]
    [InlineData("client", "auto", "20")]
    [InlineData("passive", "auto", "20")]
    [InlineData("eprt", "auto", "20")]
    [InlineData("client", "2020", "2020")]
    public async Task Active_data_comes_from_the_address_that_the_client_logged_on_to(string mode, string sourcePort, string expected)
    {
        using var folder = new TempFolder();
        await using var namespaces = await Namespaces.CreateAsync();
        await namespaces.AddFerryAddressAsync(SecondAddress);
        await using var server = await RealServer.StartAsync(ServerKind.Vsftpd, new IPEndPoint(IPAddress.Parse(Namespaces.ServerAddress), 21), namespaces.Server);
        var configuration = folder.NewFile("ferry.conf", $$"""
            error_log error.log;
            stream {
                server {
                    listen 21;
                    ftp_ctrl zone=ports:1M proxy_ip=auto min_port=10000 max_port=10010;
                    proxy_ftp_data {{mode}};
                    proxy_ftp_ports 20000-20099;
                    ftp_active_source_port {{sourcePort}};
                    proxy_pass {{Namespaces.ServerAddress}}:21;
                }
            }
            """);
        await using var ferry = await FerrydProcess.StartAsync(configuration, folder.Path, 21, namespaces.Ferry);

        foreach (var address in (string[])[Namespaces.FerryAddress, SecondAddress])
        {
            foreach (var extended in (bool[])[false, true])
            {
                var ftplib = new Ftplib(folder.Path, new ToolOptions { Active = true, Extended = extended });
                var said = await SessionOperations.RunAsync(ftplib, new FtpTarget(address, 21, server.User, server.Password, namespaces.Client), server, folder);
                var peers = said.Split('\n').Where(l => l.StartsWith("data from ", StringComparison.Ordinal)).ToArray();
                Assert.NotEmpty(peers);
                Assert.All(peers, p => Assert.Equal($"data from {address} {expected}", p));
            }
        }
    }
}
