using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

public sealed class ActiveConnectorTests
{
    private static readonly IPAddress Local = IPAddress.Parse("127.0.0.7");

    private readonly ManualTimeProvider _clock = new();

    [Theory]
    [InlineData("127.0.0.5", "127.0.0.7")]
    [InlineData("::1", "::1")]
    [InlineData("::ffff:127.0.0.5", "127.0.0.7")]
    [InlineData("127.0.0.5", "::ffff:127.0.0.7")]
    public async Task The_client_sees_the_address_that_it_logged_on_to_and_any_port(string client, string local)
    {
        using var listener = ActiveListener.Open(EndPoints.Plain(IPAddress.Parse(client)));
        using var socket = await ConnectedAsync(new IPEndPoint(IPAddress.Parse(client), listener.EndPoint.Port), IPAddress.Parse(local), 0);
        using var seen = await listener.AcceptAsync();
        Assert.Equal(EndPoints.Plain(IPAddress.Parse(local)), seen.RemoteEndPoint.Address);
        Assert.Equal(socket.LocalEndPoint, seen.RemoteEndPoint);
    }

    [RootTheory]
    [InlineData("127.0.0.5", "127.0.0.7", 20)]
    [InlineData("::1", "::1", 987)] // IPv6 has one loopback address, on whose port 20 servers of other tests may be
    public async Task The_client_sees_the_port_that_it_expects_data_from(string client, string local, int port)
    {
        using var listener = ActiveListener.Open(IPAddress.Parse(client));
        using var socket = await ConnectedAsync(listener.EndPoint, IPAddress.Parse(local), port);
        using var seen = await listener.AcceptAsync();
        Assert.Equal(new IPEndPoint(IPAddress.Parse(local), port), seen.RemoteEndPoint);
    }

    [RootFact]
    public async Task Two_hundred_connections_leave_from_port_20_at_the_same_time()
    {
        var listeners = Enumerable.Range(0, 200).Select(i => ActiveListener.Open(IPAddress.Parse($"127.0.1.{i % 4 + 1}"))).ToArray();
        var results = await Task.WhenAll(listeners.Select(l => Task.Run(() => ConnectAsync(l.EndPoint, Local, 20))));
        foreach (var (listener, result) in listeners.Zip(results))
        {
            Assert.Equal(SocketError.Success, result.Error);
            using var seen = await listener.AcceptAsync();
            Assert.Equal(new IPEndPoint(Local, 20), seen.RemoteEndPoint);
        }
        foreach (var (listener, result) in listeners.Zip(results))
        {
            result.Connection!.Dispose();
            listener.Dispose();
        }
    }

    [Fact]
    public async Task A_source_port_that_somebody_listens_on_is_given_up()
    {
        using var squatter = ActiveListener.Open(Local);
        using var listener = ActiveListener.Open(IPAddress.Loopback);
        using var socket = await ConnectedAsync(listener.EndPoint, Local, squatter.EndPoint.Port);
        using var seen = await listener.AcceptAsync();
        Assert.Equal(Local, seen.RemoteEndPoint.Address);
        Assert.NotEqual(squatter.EndPoint.Port, seen.RemoteEndPoint.Port);
    }

    [Fact]
    public async Task A_second_connection_between_the_same_ports_takes_another_one()
    {
        using var listener = ActiveListener.Open(IPAddress.Loopback);
        var port = FreePorts.One();
        using var first = await ConnectedAsync(listener.EndPoint, Local, port);
        using var second = await ConnectedAsync(listener.EndPoint, Local, port);
        using var seenFirst = await listener.AcceptAsync();
        using var seenSecond = await listener.AcceptAsync();
        Assert.Equal(new IPEndPoint(Local, port), seenFirst.RemoteEndPoint);
        Assert.Equal(Local, seenSecond.RemoteEndPoint.Address);
        Assert.NotEqual(port, seenSecond.RemoteEndPoint.Port);
    }

    [Theory]
    [InlineData("127.0.0.5", "::1")]
    [InlineData("::1", "127.0.0.7")]
    public async Task A_client_of_another_family_is_not_connected_to(string client, string local)
    {
        using var listener = ActiveListener.Open(IPAddress.Parse(client));
        var result = await ConnectAsync(listener.EndPoint, IPAddress.Parse(local), 0);
        Assert.Equal(new ConnectResult(null, SocketError.AddressFamilyNotSupported), result);
        Assert.False(listener.HasVisitor);
    }

    [Fact]
    public async Task An_address_that_this_machine_has_not_is_no_reason_to_take_another()
    {
        using var listener = ActiveListener.Open(IPAddress.Loopback);
        var result = await ConnectAsync(listener.EndPoint, IPAddress.Parse("192.0.2.1"), FreePorts.One());
        Assert.Equal(new ConnectResult(null, SocketError.AddressNotAvailable), result);
        Assert.False(listener.HasVisitor);
    }

    [Fact]
    public async Task A_client_that_listens_late_is_reached()
    {
        using var listener = ActiveListener.Refusing(IPAddress.Loopback);
        var port = FreePorts.One();
        var connecting = ConnectAsync(listener.EndPoint, Local, port);
        await PauseAsync(connecting);
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        await PauseAsync(connecting);
        listener.Listen();
        _clock.Advance(TimeSpan.FromMilliseconds(299));
        Assert.False(listener.HasVisitor);
        Assert.False(connecting.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        using var seen = await listener.AcceptAsync();
        Assert.Equal(new IPEndPoint(Local, port), seen.RemoteEndPoint);
        using var socket = (await Wait.For(connecting, "the connection")).Connection;
        Assert.Equal(seen.RemoteEndPoint, socket!.LocalEndPoint);
    }

    [Fact]
    public async Task A_client_that_goes_on_refusing_is_asked_three_times()
    {
        using var listener = ActiveListener.Refusing(IPAddress.Loopback);
        var connecting = ConnectAsync(listener.EndPoint, Local, 0);
        foreach (var pause in (int[])[100, 300])
        {
            await PauseAsync(connecting);
            _clock.Advance(TimeSpan.FromMilliseconds(pause));
        }
        Assert.Equal(new ConnectResult(null, SocketError.ConnectionRefused), await Wait.For(connecting, "the end"));
        Assert.Equal(0, _clock.ActiveTimers);
    }

    [Fact]
    public async Task The_deadline_ends_a_pause_and_the_refusal_is_the_reason()
    {
        using var deadline = new CancellationTokenSource();
        using var listener = ActiveListener.Refusing(IPAddress.Loopback);
        var connecting = ConnectAsync(listener.EndPoint, Local, 0, deadline.Token);
        await PauseAsync(connecting);
        await deadline.CancelAsync();
        Assert.Equal(new ConnectResult(null, SocketError.ConnectionRefused), await Wait.For(connecting, "the end"));
    }

    [Fact]
    public async Task The_deadline_ends_the_wait_for_a_client_that_does_not_answer()
    {
        using var deadline = new CancellationTokenSource();
        using var listener = await ActiveListener.SilentAsync(IPAddress.Loopback);
        var connecting = ConnectAsync(listener.EndPoint, Local, 0, deadline.Token);
        Assert.False(connecting.IsCompleted);
        await deadline.CancelAsync();
        Assert.Equal(new ConnectResult(null, SocketError.TimedOut), await Wait.For(connecting, "the end"));
    }

    [Fact]
    public async Task A_socket_is_not_connected_with_itself()
    {
        var port = FreePorts.One();
        var connecting = ConnectAsync(new IPEndPoint(Local, port), Local, port);
        await PauseAsync(connecting);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(Local, port));
        listener.Listen();
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        using var seen = await Wait.For(listener.AcceptAsync(), "the connection");
        using var socket = (await Wait.For(connecting, "the connection")).Connection;
        Assert.NotEqual(port, socket!.LocalEndPoint.Port);
    }

    private Task PauseAsync(Task connecting)
        => Wait.Until(() => _clock.ActiveTimers > 0 || connecting.IsCompleted, "the pause after a refusal");

    private async Task<Connection> ConnectedAsync(IPEndPoint client, IPAddress local, int sourcePort)
    {
        var result = await ConnectAsync(client, local, sourcePort);
        Assert.Equal(SocketError.Success, result.Error);
        return result.Connection!;
    }

    private Task<ConnectResult> ConnectAsync(IPEndPoint client, IPAddress local, int sourcePort, CancellationToken ct = default) =>
        Wait.For(ActiveConnector.ConnectAsync(client, local, sourcePort, _clock, ct).AsTask(), "the end of the attempt");
}
