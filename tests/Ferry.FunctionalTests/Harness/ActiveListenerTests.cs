using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

public sealed class ActiveListenerTests
{
    [Fact]
    public void The_port_is_named_as_clients_name_it()
    {
        using var four = ActiveListener.Refusing(IPAddress.Parse("127.0.0.3"));
        using var six = ActiveListener.Refusing(IPAddress.IPv6Loopback);
        Assert.Equal($"PORT 127,0,0,3,{four.EndPoint.Port / 256},{four.EndPoint.Port % 256}", four.Port);
        Assert.Equal($"EPRT |1|127.0.0.3|{four.EndPoint.Port}|", four.Eprt);
        Assert.Equal($"EPRT |2|::1|{six.EndPoint.Port}|", six.Eprt);
    }

    [Fact]
    public async Task A_connection_tells_where_it_came_from()
    {
        using var listener = ActiveListener.Open(IPAddress.Loopback);
        Assert.False(listener.HasVisitor);
        using var there = await DataEnd.ConnectAsync(listener.EndPoint, IPAddress.Parse("127.0.0.9"));
        using var here = await listener.AcceptAsync();
        Assert.Equal(there.Socket.LocalEndPoint, here.RemoteEndPoint);
        Assert.Equal(IPAddress.Parse("127.0.0.9"), here.RemoteEndPoint.Address);
    }

    [Fact]
    public async Task A_refusing_one_refuses_until_it_listens()
    {
        using var listener = ActiveListener.Refusing(IPAddress.Loopback);
        var refused = await Assert.ThrowsAsync<SocketException>(() => DataEnd.ConnectAsync(listener.EndPoint));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        listener.Listen();
        using var there = await DataEnd.ConnectAsync(listener.EndPoint);
        using var here = await listener.AcceptAsync();
    }

    [Fact]
    public async Task A_silent_one_does_not_answer()
    {
        using var listener = await ActiveListener.SilentAsync(IPAddress.Loopback);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var bound = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => socket.ConnectAsync(listener.EndPoint, bound.Token).AsTask());
    }
}
