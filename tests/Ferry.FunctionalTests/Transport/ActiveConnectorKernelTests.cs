using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

/// <summary>
/// What the kernel refuses, in a network of the test's own. A network namespace and capabilities belong to a thread; each test runs on one
/// that ends with it, and waits for nothing on another as long as sockets are made.
/// </summary>
public sealed partial class ActiveConnectorKernelTests
{
    private static readonly IPAddress Local = IPAddress.Parse("127.0.0.7");

    private readonly ManualTimeProvider _clock = new();

    [RootFact("ip")]
    public void Without_the_right_to_bind_port_20_any_other_port_is_taken() => InNetworkOfItsOwn(() =>
    {
        using var listener = ActiveListener.Open(IPAddress.Loopback);
        using (var socket = Connect(listener.EndPoint, Local))
            Assert.Equal(new IPEndPoint(Local, 20), socket.LocalEndPoint);
        using (var seen = Accept(listener))
            Assert.Equal(20, seen.RemoteEndPoint.Port);
        GiveUpLowPorts();
        using (Connect(listener.EndPoint, Local))
        using (var seen = Accept(listener))
        {
            Assert.Equal(Local, seen.RemoteEndPoint.Address);
            Assert.True(seen.RemoteEndPoint.Port >= 1024, $"{seen.RemoteEndPoint}");
        }
    });

    // With timestamps the kernel can tell the old connection's late segments from the new one's, and lets the new one have the port.
    [RootTheory("ip")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_that_names_the_same_port_again_is_reached_while_the_last_connection_is_in_TIME_WAIT(bool timestamps) => InNetworkOfItsOwn(() =>
    {
        File.WriteAllText("/proc/sys/net/ipv4/tcp_timestamps", timestamps ? "1" : "0");
        using var listener = ActiveListener.Open(IPAddress.Loopback);
        Connect(listener.EndPoint, Local).Dispose();
        using (var seen = Accept(listener))
            Assert.Equal(new IPEndPoint(Local, 20), seen.RemoteEndPoint);
        using (Connect(listener.EndPoint, Local))
        using (var seen = Accept(listener))
        {
            Assert.Equal(Local, seen.RemoteEndPoint.Address);
            Assert.Equal(timestamps, seen.RemoteEndPoint.Port == 20);
        }
        // And to another port of the client 20 is still free.
        using var other = ActiveListener.Open(IPAddress.Loopback);
        using (Connect(other.EndPoint, Local))
        using (var seen = Accept(other))
            Assert.Equal(new IPEndPoint(Local, 20), seen.RemoteEndPoint);
    });

    [RootFact("ip")]
    public void A_link_local_client_is_reached_on_the_link_that_it_logged_on_over() => InNetworkOfItsOwn(() =>
    {
        Run("ip", "address", "add", "fe80::7/64", "dev", "lo", "nodad");
        Run("ip", "address", "add", "fe80::8/64", "dev", "lo", "nodad");
        var loopback = new IPAddress(IPAddress.Parse("fe80::7").GetAddressBytes(), 1);
        using var listener = ActiveListener.Open(new IPAddress(IPAddress.Parse("fe80::8").GetAddressBytes(), 1));
        var named = new IPEndPoint(IPAddress.Parse("fe80::8"), listener.EndPoint.Port);
        Assert.Equal(0, named.Address.ScopeId);
        using (Connect(named, loopback))
        using (var seen = Accept(listener))
            Assert.Equal(new IPEndPoint(loopback, 20), seen.RemoteEndPoint);
    });

    [RootFact("ip")]
    public void A_client_that_there_is_no_way_to_is_tried_once() => InNetworkOfItsOwn(() =>
    {
        Run("ip", "address", "add", "192.0.2.1/32", "dev", "lo");
        var result = ActiveConnector.ConnectAsync(new IPEndPoint(IPAddress.Parse("198.51.100.1"), 2000), IPAddress.Parse("192.0.2.1"), 20, _clock, default);
        Assert.True(result.IsCompleted);
        Assert.Equal(new ConnectResult(null, SocketError.NetworkUnreachable), Of(result.AsTask()));
    });

    private Socket Connect(IPEndPoint client, IPAddress local)
    {
        var result = Of(ActiveConnector.ConnectAsync(client, local, 20, _clock, default).AsTask());
        Assert.Equal(SocketError.Success, result.Error);
        return result.Socket!;
    }

    private static DataEnd Accept(ActiveListener listener) => Of(listener.AcceptAsync());

    // The thread must be the same one after every wait.
    private static T Of<T>(Task<T> task)
    {
        Assert.True(task.Wait(Wait.Bound), "Waited in vain.");
        return task.Result;
    }

    private static void Run(string program, params string[] arguments) => Of(Command.RunAsync(program, arguments)).Succeeded();

    private static void InNetworkOfItsOwn(Action test)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, unshare(CLONE_NEWNET));
                Run("ip", "link", "set", "lo", "up");
                test();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <summary>Takes CAP_NET_BIND_SERVICE from this thread.</summary>
    private static unsafe void GiveUpLowPorts()
    {
        var header = stackalloc uint[] { LINUX_CAPABILITY_VERSION_3, 0 };
        var data = stackalloc uint[6];
        Assert.Equal(0, capget(header, data));
        data[0] &= ~(1u << CAP_NET_BIND_SERVICE);
        Assert.Equal(0, capset(header, data));
    }

    private const int CLONE_NEWNET = 0x40000000;
    private const uint LINUX_CAPABILITY_VERSION_3 = 0x20080522;
    private const int CAP_NET_BIND_SERVICE = 10;

    [LibraryImport("libc")]
    private static partial int unshare(int flags);

    [LibraryImport("libc")]
    private static unsafe partial int capget(uint* header, uint* data);

    [LibraryImport("libc")]
    private static unsafe partial int capset(uint* header, uint* data);
}
