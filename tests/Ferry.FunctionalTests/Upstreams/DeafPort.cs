using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>A port of 127.0.0.1 that seems to be filtered: its queue is full and nobody accepts, so the kernel drops every SYN.</summary>
internal sealed class DeafPort : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public DeafPort()
    {
        var listener = Add();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        while (TryFill())
            Assert.InRange(_sockets.Count, 0, 100);
    }

    public IPEndPoint EndPoint { get; }

    public void Dispose() => _sockets.ForEach(static s => s.Dispose());

    private bool TryFill()
    {
        var socket = Add();
        socket.Blocking = false;
        try
        {
            socket.Connect(EndPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.InProgress or SocketError.WouldBlock)
        {
        }
        // On loopback a connection that is made at all is made within the call.
        return socket.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectWrite);
    }

    private Socket Add()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        return socket;
    }
}
