using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Rows 4, 5, 6 and 11: who gets a port, who may use it, and when it goes back.</summary>
public sealed class PassivePortTests
{
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    [Fact]
    public async Task A_dry_pool_gives_425_and_one_that_has_recovered_gives_a_port()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 1);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var other = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.PasvAsync();
        var refused = await other.CommandAsync("PASV", 425);
        Assert.Equal("425 No data ports are free; try again.", refused.Text);
        Assert.Equal("425 No data ports are free; try again.", (await other.CommandAsync("EPSV")).Text);

        await client.QuitAsync();
        await proxy.UntilAsync(s => s.Zones[0].Used == 0, "the port to be back");
        Assert.Equal(SmallServer.Payload(100), await other.DownloadAsync("100"));
        await other.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task A_full_zone_is_an_empty_pool()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 40, size: "8k"); // 32 leases
        var clients = new List<ScriptedClient>();
        for (var i = 0; i < 32; i++)
        {
            clients.Add(await ScriptedClient.LogInAsync(proxy.EndPoint));
            await clients[^1].PasvAsync();
        }
        using var last = await ScriptedClient.LogInAsync(proxy.EndPoint, Second);
        await last.CommandAsync("PASV", 425);
        Assert.Equal(0, proxy.Proxy.GetStatus().Zones[0].Free);

        clients.ForEach(static c => c.Dispose());
        await proxy.UntilAsync(s => s.Zones[0].Used == 0, "all ports to be back");
        await last.PasvAsync();
    }

    [Fact]
    public async Task A_second_PASV_frees_the_first()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 2);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        for (var i = 0; i < 5; i++)
            await client.PasvAsync();
        Assert.Equal(1, proxy.Proxy.GetStatus().Zones[0].Used);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await proxy.UntilAsync(s => s.Zones[0].Used == 0, "the port to be back");
    }

    [Fact]
    public async Task A_port_that_is_never_used_is_freed_by_the_timer()
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 1, directives: "ftp_data_connect_timeout 20s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var other = await ScriptedClient.LogInAsync(proxy.EndPoint);

        var passive = await client.PasvAsync();
        clock.Advance(TimeSpan.FromSeconds(18));
        await other.CommandAsync("PASV", 425);
        clock.Advance(TimeSpan.FromSeconds(4));
        await proxy.UntilAsync(s => s.Zones[0].Used == 0, "the port to be back");

        // It is another's now, and the session that lost it goes on.
        Assert.Equal(SmallServer.Payload(10), await other.DownloadAsync("10"));
        await client.CommandAsync("NOOP", 200);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();
        await other.QuitAsync();

        // Long after the last lease the port is closed altogether.
        clock.Advance(TimeSpan.FromSeconds(20));
        await proxy.UntilAsync(s => s.Zones[0].OpenPorts == 0, "the port to be closed");
        var refused = await Assert.ThrowsAsync<SocketException>(() => DataEnd.ConnectAsync(passive));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task A_connected_port_without_a_transfer_command_is_freed_by_the_stall_timer()
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_data_connect_timeout 20s; ftp_data_timeout 50s;", time: clock);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var port = await client.PasvAsync();
        using var data = await client.ConnectDataAsync(port);
        await DataEnd.AssertResetAsync(port);
        await proxy.UntilAsync(s => s.Zones[0].Refused == 1, "the second to be refused, and so the first to be taken");

        clock.Advance(TimeSpan.FromSeconds(40));
        await client.CommandAsync("NOOP", 200);
        Assert.Equal(1, proxy.Proxy.GetStatus().Zones[0].Used);
        clock.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal(DataEnding.Closed, (await data.ReceiveToEndAsync()).Ending);
        await proxy.UntilAsync(s => s.Zones[0].Used == 0, "the port to be back");
        await client.QuitAsync();
    }

    [Fact]
    public async Task A_client_holds_as_many_ports_as_it_may_and_no_more()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_client_ports 2;");
        using var one = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var two = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var three = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var elsewhere = await ScriptedClient.LogInAsync(proxy.EndPoint, Second);

        await one.PasvAsync();
        await two.PasvAsync();
        await three.CommandAsync("PASV", 425);
        await elsewhere.PasvAsync();
        await one.QuitAsync();
        await proxy.UntilAsync(s => s.Zones[0].Used == 2, "the first port to be back");
        await three.PasvAsync();
    }

    [Fact]
    public async Task A_foreign_peer_is_refused_and_the_right_one_still_served_once()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var passive = await client.PasvAsync();

        await DataEnd.AssertResetAsync(passive, Second);
        using var data = await client.ConnectDataAsync(passive);
        await DataEnd.AssertResetAsync(passive, IPAddress.Loopback);
        await client.SendAsync("RETR 5000");
        await client.ExpectAsync(150);
        Assert.Equal(SmallServer.Payload(5000), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await DataEnd.AssertResetAsync(passive, IPAddress.Loopback);
        Assert.Equal(3, proxy.Proxy.GetStatus().Zones[0].Refused);
        await client.QuitAsync();
    }

    [Fact]
    public async Task Any_peer_is_served_where_the_operator_says_so()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_data_peer any;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var other = await ScriptedClient.LogInAsync(proxy.EndPoint, Second);

        var passive = await client.PasvAsync();
        Assert.NotEqual(passive.Port, (await other.PasvAsync()).Port);
        using var data = await DataEnd.ConnectAsync(passive, Second);
        await client.SendAsync("RETR 5000");
        await client.ExpectAsync(150);
        Assert.Equal(SmallServer.Payload(5000), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
    }

    [Fact]
    public async Task Two_addresses_use_one_port_at_the_same_time_for_different_files()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 1);
        using var one = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var two = await ScriptedClient.LogInAsync(proxy.EndPoint, Second);

        var passive = await one.PasvAsync();
        Assert.Equal(passive, await two.PasvAsync());
        using var dataTwo = await two.ConnectDataAsync(passive);
        using var dataOne = await one.ConnectDataAsync(passive);
        await one.SendAsync("RETR 3000000");
        await two.SendAsync("RETR 2000000");
        await one.ExpectAsync(150);
        await two.ExpectAsync(150);
        var received = await Task.WhenAll(dataOne.ReceiveToEndAsync(), dataTwo.ReceiveToEndAsync());
        Assert.Equal(SmallServer.Payload(3000000), received[0].Bytes);
        Assert.Equal(SmallServer.Payload(2000000), received[1].Bytes);
        await one.ExpectAsync(226);
        await two.ExpectAsync(226);
        await one.QuitAsync();
        await two.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task Hundreds_of_addresses_share_a_few_ports()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 3);
        var passed = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, _) =>
        {
            using var client = await ScriptedClient.LogInAsync(proxy.EndPoint, IPAddress.Parse($"127.0.7.{i + 1}"));
            Assert.Equal(SmallServer.Payload(1000 + i), await client.DownloadAsync($"{1000 + i}"));
            await client.QuitAsync();
            Interlocked.Increment(ref passed);
        });
        Assert.Equal(200, passed);
        await proxy.UntilIdleAsync();
    }
}
