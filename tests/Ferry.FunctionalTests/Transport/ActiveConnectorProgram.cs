using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

/// <summary>
/// This assembly run as a program by <see cref="ActiveConnectorKernelTests"/>, in a network namespace or without a capability: connects to
/// a listener of its own again and again, and writes a line for each, with the end point that the listener saw or the error.
/// </summary>
internal static class ActiveConnectorProgram
{
    public const string Name = "active-connector";

    /// <param name="arguments">address to listen on, address as the client names it, address to connect from, source port, how often.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var (own, named, local) = (IPAddress.Parse(arguments[0]), IPAddress.Parse(arguments[1]), IPAddress.Parse(arguments[2]));
        var sourcePort = int.Parse(arguments[3], CultureInfo.InvariantCulture);
        using var listener = ActiveListener.Open(own);
        for (var i = int.Parse(arguments[4], CultureInfo.InvariantCulture); i > 0; i--)
            Console.WriteLine(await ConnectAsync(listener, new IPEndPoint(named, listener.EndPoint.Port), local, sourcePort));
        return 0;
    }

    private static async Task<string> ConnectAsync(ActiveListener listener, IPEndPoint client, IPAddress local, int sourcePort)
    {
        using var bound = new CancellationTokenSource(Wait.Bound);
        var result = await ActiveConnector.ConnectAsync(client, local, sourcePort, TimeProvider.System, bound.Token);
        if (result.Connection is null)
            return result.Error.ToString();
        using var seen = await listener.AcceptAsync();
        // We close first, as after a RETR, and so the TIME_WAIT is ours.
        result.Connection.TryShutdown(SocketShutdown.Send);
        await seen.ReceiveToEndAsync();
        seen.ShutdownSend();
        await result.Connection.WaitReadableAsync();
        result.Connection.Dispose();
        return seen.RemoteEndPoint.ToString();
    }
}
