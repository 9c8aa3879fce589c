using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Connections on which no PROXY header comes, where one must.</summary>
public sealed class HeaderRefusalTests
{
    [Theory]
    [InlineData("USER anna\r\nPASS secret\r\n", "it begins with \"USER\" and more")]
    [InlineData("\x16\x03\x01\x02\0\x01\0", "it begins with \"\\x16\\x03\\x01\\x02\\x00\\x01\\x00\"")]
    [InlineData("PROXY TCP4 127.0.0.9 127.0.0.500 1 2\r\nUSER anna\r\n", "it begins with \"PROXY TCP4 127.0.0.9 127.0.0.500 1 2\" and more")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", "it begins with \"\\x0D\\x0A\\x0D\\x0A\\x00\\x0D\\x0AQUIT\\x0A1\\x11\\x00\\x00\"")]
    public async Task What_is_no_header_is_no_command_either(string bytes, string fault)
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var client = await ForwardingProxy.ConnectAsync(proxy, bytes);
        await client.ExpectEndAsync();

        var said = await proxy.Logs.EventAsync(540);
        Assert.Equal((fault, client.Wire.Lines.Count), ((string)said.Values["Fault"]!, 0));
        Assert.DoesNotContain("secret", proxy.Logs.ToString(), StringComparison.Ordinal);
        Assert.Empty(server.Script.Connections);
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("", 541)]
    [InlineData("PROXY TCP4 127.0", 540)]
    public async Task Who_leaves_before_the_header_is_whole_is_told_of_unless_it_has_said_nothing(string bytes, int id)
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using (await ForwardingProxy.ConnectAsync(proxy, bytes))
        {
        }
        Assert.Contains("127.0.0.2:", (await proxy.Logs.EventAsync(id)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(proxy.Logs.Records, r => r.Event.Id != id && r.Event.Id is 540 or 541);
    }

    [Theory]
    [InlineData("on")]
    [InlineData("v2")]
    public async Task A_header_has_its_time_for_all_of_it(string version)
    {
        var clock = new ManualTimeProvider();
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, "proxy_protocol_timeout 10s;", clock);
        using var client = await ScriptedClient.ConnectAsync(proxy.EndPoint, ForwardingProxy.Balancer);
        var header = ForwardingProxy.Header(version, ForwardingProxy.Client);
        await client.Wire.SendRawAsync(header[..5]);
        await client.Wire.ReadByPeerAsync();
        clock.Advance(TimeSpan.FromSeconds(8));
        await client.Wire.SendRawAsync(header[5..^1]);
        await client.Wire.ReadByPeerAsync();
        clock.Advance(TimeSpan.FromSeconds(3));
        await client.ExpectEndAsync();

        Assert.Equal("it did not come in time", (await proxy.Logs.EventAsync(540)).Values["Fault"]);
        Assert.Empty(client.Wire.Lines);
    }

    [Fact]
    public async Task Who_has_not_sent_its_header_counts_as_a_session_and_not_twice_when_it_has()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint, sessions: 2);
        var header = ForwardingProxy.Header("on", ForwardingProxy.Client);
        using var one = await ForwardingProxy.ConnectAsync(proxy, header[..10]);
        using var two = await ForwardingProxy.ConnectAsync(proxy, header[..20]);
        await one.Wire.ReadByPeerAsync();
        await two.Wire.ReadByPeerAsync();
        using (var three = await ForwardingProxy.ConnectAsync(proxy, ""))
            await three.ExpectAsync(421);
        await two.Wire.SendRawAsync(header[20..]);
        await two.ExpectAsync(220);
        using (var four = await ForwardingProxy.ConnectAsync(proxy, ""))
            await four.ExpectAsync(421);
        await one.Wire.SendRawAsync(header[10..]);
        await one.ExpectAsync(220);
    }

    [Fact]
    public async Task Who_has_not_sent_its_header_holds_up_neither_a_drain_nor_a_stop()
    {
        await using var server = new SmallServer();
        await using var proxy = await ForwardingProxy.BeforeAsync(server.EndPoint);
        using var client = await ForwardingProxy.ConnectAsync(proxy, "PROXY");
        await client.Wire.ReadByPeerAsync();
        await Wait.For(proxy.Proxy.DrainAsync(), "Ferry to drain");
        await client.ExpectEndAsync();
        await Wait.For(proxy.Proxy.StopAsync(), "Ferry to stop");
        Assert.DoesNotContain(proxy.Logs.Records, r => r.Event.Id is 540 or 541 or 542);
    }
}
