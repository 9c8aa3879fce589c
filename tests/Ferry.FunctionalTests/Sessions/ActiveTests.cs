using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>Active mode on both sides: who connects to whom, when, and what becomes of it when somebody does not.</summary>
public sealed class ActiveTests
{
    private static readonly byte[] Data = [.. "0123456789"u8];

    [Fact]
    public async Task The_client_gets_its_data_from_the_address_that_it_logged_on_to_and_the_server_sends_it_to_the_proxy()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await SendAsync(c, await PortAsync(c), Data);
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);
        await client.CommandAsync($"PORT {own.HostPort}", 200);
        var dialledFrom = await DownloadAsync(client, own);
        await client.QuitAsync();
        await server.DoneAsync();

        Assert.Equal(proxy.EndPoint.Address, dialledFrom.Address);
        await proxy.UntilIdleAsync();
        await proxy.UntilAsync(static s => s.Zones.All(static z => z.Used == 0), "both tables of ports to be whole");
    }

    [Fact]
    public async Task An_upload_in_active_mode_arrives_whole()
    {
        DataReceived? received = null;
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await PortAsync(c);
            await c.AnswerAsync("STOR x", "150 Go ahead.");
            using var data = await DataEnd.ConnectAsync(port);
            received = await data.ReceiveToEndAsync();
            data.Dispose();
            await c.SendAsync("226 Done.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);
        await client.CommandAsync($"EPRT |1|127.0.0.1|{own.EndPoint.Port}|", 200);
        await client.CommandAsync("STOR x", 150);
        using (var data = await own.AcceptAsync())
        {
            await data.SendAsync(Data);
            data.ShutdownSend();
            await data.ReceiveToEndAsync();
        }
        await client.ExpectAsync(226);
        await client.QuitAsync();
        await server.DoneAsync();
        Assert.Equal(Data, received!.Bytes);
    }

    [Fact]
    public async Task A_client_that_cannot_be_connected_to_gets_425_and_its_session_goes_on()
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            var port = await PortAsync(c);
            await c.AnswerAsync("RETR x", "150 Here it comes.");
            using var data = await DataEnd.ConnectAsync(port);
            await data.SendAsync(Data);
            data.ShutdownSend();
            await data.ReceiveToEndAsync();
            await c.SendAsync("226 Done.");
            await c.AnswerAsync("NOOP", "200 Still here.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        var own = new DataPort(IPAddress.Loopback);
        own.Dispose();
        await client.CommandAsync($"PORT {own.HostPort}", 200);
        await client.CommandAsync("RETR x", 150);
        await client.ExpectAsync(425);
        await client.CommandAsync("NOOP", 200);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.Logs.SaidAsync("no data connection to client");
    }

    [Fact]
    public async Task A_command_that_the_server_refuses_opens_no_connection_to_the_client()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await PortAsync(c);
            await c.AnswerAsync("RETR x", "550 No such file.");
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);
        await client.CommandAsync($"PORT {own.HostPort}", 200);
        await client.CommandAsync("RETR x", 550);
        await client.QuitAsync();
        await server.DoneAsync();
        Assert.False(own.HasVisitor);
        await proxy.UntilAsync(static s => s.Zones.All(static z => z.Used == 0), "both tables of ports to be whole");
    }

    [Fact]
    public async Task A_stranger_on_the_port_for_the_server_is_refused_and_the_transfer_unharmed()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            var port = await PortAsync(c);
            // Another address of this machine; the server's own comes later.
            using (var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
            {
                stranger.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
                // Whether connect already meets the reset is chance.
                if (await Wait.For(TryConnectAsync(stranger, port), "the stranger's connection"))
                {
                    using var refused = new DataEnd(stranger);
                    Assert.Empty((await refused.ReceiveToEndAsync()).Bytes);
                }
            }
            await SendAsync(c, port, Data);
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);
        await client.CommandAsync($"PORT {own.HostPort}", 200);
        await DownloadAsync(client, own);
        await client.QuitAsync();
        await server.DoneAsync();
        Assert.Equal(1, proxy.Proxy.GetStatus().Zones.Sum(static z => z.Refused));
        await proxy.Logs.SaidAsync("data connection from 127.0.0.9");
    }

    [Theory]
    [InlineData("PORT 127,0,0,9,200,1", 500)]
    [InlineData("PORT 127,0,0,1,0,22", 500)]
    [InlineData("EPRT |1|127.0.0.9|50000|", 501)]
    public async Task A_bounce_is_refused_logged_and_counted_and_the_channel_before_it_still_serves(string bounce, int code)
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await SendAsync(c, await PortAsync(c), Data);
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);
        await client.CommandAsync($"PORT {own.HostPort}", 200);
        await client.CommandAsync(bounce, code);
        await DownloadAsync(client, own);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.Logs.SaidAsync("ftp_port_peer does not allow");
    }

    [Fact]
    public async Task A_server_that_knows_no_EPSV_is_asked_with_PASV_and_the_client_sees_nothing_of_it()
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("EPSV", "500 Unknown command.");
            for (var i = 0; i < 2; i++)
            {
                var port = await c.AnswerPasvAsync();
                await c.ServeRetrAsync(port, Data);
            }
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        Assert.Equal(Data, await client.DownloadAsync("x", extended: true));
        Assert.Equal(Data, await client.DownloadAsync("x", extended: true));
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_server_that_does_not_connect_in_time_is_given_up_with_425()
    {
        var time = new ManualTimeProvider();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            await PortAsync(c);
            await c.AnswerAsync("RETR x", "150 Here it comes.");
            await ended.Task;
            await c.SendAsync("226 Done."); // it was not
            await c.AnswerQuitAsync();
        });
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: "ftp_data_connect_timeout 30s;", time: time);
        using var client = await ScriptedClient.LogInAsync(proxy.EndPoint);
        using var own = new DataPort(IPAddress.Loopback);
        await client.CommandAsync($"PORT {own.HostPort}", 200);
        await client.CommandAsync("RETR x", 150);
        using var data = await own.AcceptAsync();
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Empty((await data.ReceiveToEndAsync()).Bytes);
        ended.SetResult();
        await client.ExpectAsync(425);
        await client.QuitAsync();
        await server.DoneAsync();
        await proxy.UntilAsync(static s => s.Zones.All(static z => z.Used == 0), "both tables of ports to be whole");
    }

    /// <returns>Where the data came from.</returns>
    private static async Task<IPEndPoint> DownloadAsync(ScriptedClient client, DataPort own)
    {
        await client.SendAsync("RETR x");
        using var data = await own.AcceptAsync();
        await client.ExpectAsync(150);
        Assert.Equal(Data, (await data.ReceiveToEndAsync()).Bytes);
        await client.ExpectAsync(226);
        return data.RemoteEndPoint;
    }

    private static async Task<bool> TryConnectAsync(Socket socket, IPEndPoint to)
    {
        try
        {
            await socket.ConnectAsync(to);
            return socket.Connected && socket.RemoteEndPoint is not null;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<IPEndPoint> PortAsync(ScriptedConnection c)
    {
        var line = (await c.ReadLineAsync())!;
        await c.SendAsync("200 PORT command successful.");
        if (line.StartsWith("EPRT |1|127.0.0.1|", StringComparison.Ordinal))
            return new IPEndPoint(IPAddress.Loopback, int.Parse(line.Split('|')[3], CultureInfo.InvariantCulture));
        Assert.StartsWith("PORT 127,0,0,1,", line, StringComparison.Ordinal);
        var numbers = line[5..].Split(',').Select(static n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new IPEndPoint(IPAddress.Loopback, (numbers[4] * 256) + numbers[5]);
    }

    private static async Task SendAsync(ScriptedConnection c, IPEndPoint to, byte[] bytes)
    {
        await c.AnswerAsync("RETR x", "150 Here it comes.");
        using (var data = await DataEnd.ConnectAsync(to))
        {
            await data.SendAsync(bytes);
            data.ShutdownSend();
            await data.ReceiveToEndAsync();
        }
        await c.SendAsync("226 Done.");
    }
}
