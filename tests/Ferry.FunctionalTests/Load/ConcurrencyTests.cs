using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Load;

/// <summary>Not beside other tests: it takes the machine for itself.</summary>
[CollectionDefinition("Load", DisableParallelization = true)]
public sealed class LoadAlone;

/// <summary>Eleven ports carry thousands of transfers, since different clients hold the same port at the same time.</summary>
[Collection("Load")]
public sealed class ConcurrencyTests
{
    private const int Transfers = 2000;
    private const int ClientAddresses = 200;
    private const int Ports = 11;

    [NeedsFact("open-files=18000")]
    public async Task Two_thousand_transfers_from_two_hundred_clients_share_eleven_ports()
    {
        var serverPort = FreePorts.One();
        var gatePort = FreePorts.One();
        await using var proxy = await TestProxy.BeforeAsync(new IPEndPoint(IPAddress.Loopback, serverPort), Ports);
        int[] arguments = [serverPort, gatePort, proxy.EndPoint.Port, Transfers, ClientAddresses];
        await using var fleet = await ChildProcess.StartAsync(
            "dotnet", [Repository.Data("Ferry.FunctionalTests.dll"), .. Array.ConvertAll(arguments, FtpTools.Text)]);

        // The server holds every file back until all data connections are open at once.
        await fleet.SaidAsync("gathered 2000", TimeSpan.FromSeconds(60));
        var status = proxy.Proxy.GetStatus();
        Assert.Equal(Transfers, status.Sessions);
        Assert.Equal(Transfers, status.Transfers);

        using (var gate = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
            await gate.ConnectAsync(IPAddress.Loopback, gatePort);
        var compared = await fleet.SaidAsync("compared ", TimeSpan.FromSeconds(60));

        Assert.True(compared == $"compared {Transfers} of {Transfers}", fleet.Output);
        Assert.Equal(0, await fleet.ExitedAsync());
        await proxy.UntilIdleAsync();
        var zone = Assert.Single(proxy.Proxy.GetStatus().Zones, static z => z.Name == "ports");
        Assert.Equal(Ports, zone.Ports);
        Assert.Equal(0, zone.Refused);
    }
}
