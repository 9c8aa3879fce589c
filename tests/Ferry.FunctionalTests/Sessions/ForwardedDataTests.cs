using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Data connections of clients that came through a balancer.</summary>
public sealed class ForwardedDataTests
{
    private static readonly IPAddress Stranger = IPAddress.Parse("127.0.0.3");

    [Fact]
    public async Task Data_is_taken_from_the_client_and_from_its_balancer_and_from_nobody_else()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", ForwardingProxy.Client));
        await ForwardingProxy.LogInAsync(client);
        foreach (var from in (IPAddress[])[ForwardingProxy.Client.Address, ForwardingProxy.Balancer])
        {
            var port = await client.PasvAsync();
            await DataEnd.AssertResetAsync(port, Stranger);
            using var data = await client.ConnectDataAsync(port, from);
            await client.SendAsync("RETR 3000");
            await client.ExpectAsync(150);
            Assert.Equal(SmallServer.Payload(3000), (await data.ReceiveToEndAsync()).Bytes);
            await client.ExpectAsync(226);
        }
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task Two_clients_of_one_balancer_have_their_transfers_apart()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var one = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", ForwardingProxy.Client));
        using var two = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("on", new IPEndPoint(IPAddress.Parse("127.0.0.8"), 40000)));
        await ForwardingProxy.LogInAsync(one);
        await ForwardingProxy.LogInAsync(two);
        for (var i = 0; i < 20; i++) // more than the range has ports
        {
            var (first, second) = (await one.PasvAsync(), await two.PasvAsync());
            Assert.NotEqual(first, second);
            using var dataOfTwo = await two.ConnectDataAsync(second);
            using var dataOfOne = await one.ConnectDataAsync(first);
            await two.SendAsync("RETR 200");
            await one.SendAsync("RETR 100");
            await two.ExpectAsync(150);
            await one.ExpectAsync(150);
            Assert.Equal((100, 200), ((await dataOfOne.ReceiveToEndAsync()).Bytes.Length, (await dataOfTwo.ReceiveToEndAsync()).Bytes.Length));
            await one.ExpectAsync(226);
            await two.ExpectAsync(226);
        }
    }

    [Theory]
    [InlineData("auto", "127.0.0.2", "127.0.0.5")]
    [InlineData("auto", "127.0.0.3", "127.0.0.1")]
    [InlineData("127.0.0.7", "127.0.0.2", "127.0.0.7")]
    public async Task What_the_client_is_told_is_proxy_ip_or_what_it_has_connected_to(string proxyIp, string peer, string told)
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, announced: proxyIp);
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("on", ForwardingProxy.Client), IPAddress.Parse(peer));
        await ForwardingProxy.LogInAsync(client);
        Assert.Equal(IPAddress.Parse(told), (await client.PasvAsync()).Address);
    }

    [Theory]
    [InlineData("127.0.0.5:2121", "127.0.0.5", 2120)]
    [InlineData("192.0.2.77:2121", "127.0.0.1", 2120)] // an address that is not this machine's
    public async Task An_active_client_gets_data_from_the_address_that_it_has_connected_to_where_that_is_ours(string dialled, string from, int port)
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, "proxy_ftp_data passive;");
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", ForwardingProxy.Client, IPEndPoint.Parse(dialled)));
        await ForwardingProxy.LogInAsync(client);
        using var listener = ActiveListener.Open(ForwardingProxy.Client.Address);
        await client.CommandAsync(listener.Port, 200);
        await client.SendAsync("RETR 100");
        await client.ExpectAsync(150);
        using var data = await listener.AcceptAsync();
        Assert.Equal(new IPEndPoint(IPAddress.Parse(from), port), data.RemoteEndPoint);
        Assert.Equal(SmallServer.Payload(100), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);

        // Its own address is the one in the header, and not the balancer's.
        using var other = ActiveListener.Open(ForwardingProxy.Balancer);
        Assert.Equal(500, (await client.CommandAsync(other.Port)).Code);
    }

    [Fact]
    public async Task The_rules_of_data_ports_are_asked_about_the_client_behind_the_balancer()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(
            server.EndPoint, "} server { ftp_data zone=ports; deny 127.0.0.2; allow all;");
        using var client = await ForwardingProxy.ConnectAsync(proxy, ForwardingProxy.Header("v2", ForwardingProxy.Client));
        await ForwardingProxy.LogInAsync(client);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
    }
}
