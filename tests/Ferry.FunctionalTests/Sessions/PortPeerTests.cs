using System.Diagnostics.Metrics;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Which addresses a client's PORT and EPRT may name (ftp_port_peer): its own, and others only where the operator means it.</summary>
public sealed class PortPeerTests
{
    private const string Third = "127.0.0.9";

    /// <summary>The event "… names …, which ftp_port_peer does not allow …".</summary>
    private const int PeerRefused = 447;

    public static TheoryData<string, string, int, string> Refused => new()
    {
        { "", "PORT 127,0,0,9,200,1", 500, "127.0.0.9:51201" },
        { "", "PORT 192,168,1,7,200,1", 500, "192.168.1.7:51201" },
        { "", "PORT 0,0,0,0,200,1", 500, "0.0.0.0:51201" },
        { "", "PORT 127,0,0,1,0,20", 500, "127.0.0.1:20" },
        { "", "PORT 127,0,0,1,3,255", 500, "127.0.0.1:1023" },
        { "", "EPRT |1|127.0.0.9|51201|", 501, "127.0.0.9:51201" },
        { "", "EPRT |1|127.0.0.1|25|", 501, "127.0.0.1:25" },
        { "control", "PORT 127,0,0,9,200,1", 500, "127.0.0.9:51201" },
        { "127.0.0.16/28 10.0.0.0/8", "PORT 127,0,0,9,200,1", 500, "127.0.0.9:51201" },
        { "127.0.0.8/29", "PORT 127,0,0,9,0,80", 500, "127.0.0.9:80" },
        { "any", "EPRT |1|127.0.0.9|1023|", 501, "127.0.0.9:1023" },
        { "any", "PORT 224,0,0,1,200,1", 500, "224.0.0.1:51201" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_foreign_address_or_a_low_port_is_refused_logged_and_counted_and_the_session_is_none_the_worse(string policy, string command, int code, string peer)
    {
        using var refusals = new Refusals();
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: policy.Length == 0 ? "" : $"ftp_port_peer {policy};");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);

        await client.CommandAsync(command, code);
        // A file asked for now is the server's to refuse, for there is no data channel.
        await client.CommandAsync("RETR 10", 425);
        await client.CommandAsync("NOOP", 200);
        Assert.Equal(SmallServer.Payload(10), await client.DownloadAsync("10"));
        await client.QuitAsync();

        var said = Assert.Single(proxy.Logs.Records, r => r.Event.Id == PeerRefused);
        Assert.Equal(peer, said.Values["Peer"]!.ToString());
        Assert.True(refusals.Count >= 1);
        Assert.DoesNotContain(server.Script.Connections[0].Lines, l => l.StartsWith("PORT", StringComparison.Ordinal) || l.StartsWith("EPRT", StringComparison.Ordinal));
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task What_is_refused_leaves_the_data_channel_before_it_in_place()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var data = await client.ConnectDataAsync(await client.PasvAsync());

        await client.CommandAsync("PORT 127,0,0,9,200,1", 500);
        await client.SendAsync("RETR 10");
        await client.ExpectAsync(150);
        Assert.Equal(SmallServer.Payload(10), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("any", DataVerb.Port)]
    [InlineData("any", DataVerb.Eprt)]
    [InlineData("127.0.0.8/29", DataVerb.Port)]
    [InlineData("10.0.0.0/8 127.0.0.9", DataVerb.Eprt)]
    public async Task Where_the_operator_means_it_data_goes_to_a_third_party(string policy, DataVerb verb)
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"ftp_port_peer {policy}; proxy_ftp_data passive;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var third = new DataPort(IPAddress.Parse(Third));

        await client.CommandAsync(ModeClient.Announce(verb, third.EndPoint), 200);
        await client.SendAsync("RETR 5000");
        await client.ExpectAsync(150);
        using (var data = await third.AcceptAsync())
            Assert.Equal(SmallServer.Payload(5000), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);

        await client.CommandAsync(ModeClient.Announce(verb, third.EndPoint), 200);
        await client.SendAsync("STOR x");
        await client.ExpectAsync(150);
        using (var data = await third.AcceptAsync())
        {
            await data.SendAsync(SmallServer.Payload(3000, seed: 1));
            await data.EndSendAsync();
            await client.ExpectAsync(226);
        }
        Assert.Equal(SmallServer.Payload(3000, seed: 1), server.Stored["x"]);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Theory]
    [InlineData("EPRT |1|127.0.0.1|{0}|")]
    [InlineData("EPRT #1#127.0.0.1#{0}#")]
    [InlineData("eprt !2!::ffff:127.0.0.1!{0}!")]
    public async Task A_client_may_name_itself_in_every_way_of_writing(string command)
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "proxy_ftp_data passive;");
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);

        await client.CommandAsync(command.Replace("{0}", $"{own.EndPoint.Port}", StringComparison.Ordinal), 200);
        await client.SendAsync("RETR 5000");
        await client.ExpectAsync(150);
        using (var data = await own.AcceptAsync())
            Assert.Equal(SmallServer.Payload(5000), (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task The_client_itself_may_be_named_whatever_networks_are_listed()
    {
        await using var server = new SmallServer();
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_port_peer 10.0.0.0/8; proxy_ftp_data passive;");
        using var client = new ModeClient(await ScriptedClient.LogInAsync(proxy.EndPoint, IPAddress.Parse("127.0.0.3")), DataVerb.Port);
        Assert.Equal(SmallServer.Payload(100), await client.ReceiveAsync("RETR 100"));
        await client.QuitAsync();
        await proxy.UntilIdleAsync();
    }

    /// <summary>What <c>ferry.active.refused</c> counts from here on, of all proxies of this process.</summary>
    private sealed class Refusals : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public Refusals()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "Ferry", Name: "ferry.active.refused" })
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _count, value));
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
