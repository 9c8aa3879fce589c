using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Ferry.Transport;
using Ferry.Transport.Linux;

namespace Ferry.FunctionalTests.Harness;

/// <summary>Sockets of the tests as Ferry's connections, and the other way round.</summary>
internal static class SocketConnections
{
    private const int SO_SNDBUF = 7;
    private const int F_DUPFD_CLOEXEC = 1030;

    // Both ways, as a socket's finalizer would close it, and a descriptor has one place in a loop.
    private static readonly ConditionalWeakTable<Connection, Socket> Sockets = [];
    private static readonly ConditionalWeakTable<Socket, Connection> Connections = [];

    /// <summary>A connection over the socket, which stays the socket's to close, with <see cref="DisposeWithConnection"/>.</summary>
    public static Connection AsConnection(this Socket socket)
    {
        var connection = Connections.GetValue(socket, static s => s.AddressFamily == AddressFamily.Unix ? new Connection(s.SafeHandle, new IPEndPoint(0, 0)) : Connection.Of(s.SafeHandle));
        Sockets.AddOrUpdate(connection, socket);
        return connection;
    }

    /// <summary>Closes it, and ends what waits on a connection over it.</summary>
    public static void DisposeWithConnection(this Socket socket)
    {
        socket.Dispose();
        if (Connections.TryGetValue(socket, out var connection))
            connection.Dispose();
    }

    /// <summary>A connection in the place of the socket, which is of no use any more. (.NET's handle, closed by anybody but its socket, resets the connection.)</summary>
    public static Connection IntoConnection(this Socket socket)
    {
        var descriptor = Libc.fcntl(socket.SafeHandle, F_DUPFD_CLOEXEC, 0);
        socket.Dispose();
        return Connection.Of(new SafeSocket(descriptor));
    }

    /// <summary>For what only .NET's sockets can do.</summary>
    public static Socket AsSocket(this Connection connection)
    {
        if (Sockets.TryGetValue(connection, out var own))
            return own;
        var socket = new Socket(new SafeSocketHandle(connection.Handle.DangerousGetHandle(), ownsHandle: false));
        Sockets.Add(connection, socket);
        return socket;
    }

    public static void SetSendBuffer(this Connection connection, int size) => Assert.True(connection.TrySet(1, SO_SNDBUF, size));
}
