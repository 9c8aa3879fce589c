using System.Linq;
using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>Gives out ports below those that the kernel takes for outgoing connections, so that nothing slips in between choosing and listening.</summary>
internal static class FreePorts
{
    private const int First = 12000;
    private const int Last = 31999;

    private static readonly Lock Gate = new();

    // Two test runs on one machine begin at different places.
    private static int _next = First + Environment.ProcessId % 100 * 190;

    public static int One() => Range(1);

    /// <summary>The first of so many neighbouring ports that nobody listens on, on any loopback address.</summary>
    public static int Range(int count)
    {
        lock (Gate)
        {
            for (var tried = 0; tried < Last - First; tried += count)
            {
                if (_next + count > Last)
                    _next = First;
                var first = _next;
                _next += count;
                if (Enumerable.Range(first, count).All(IsFree))
                    return first;
            }
        }
        throw new InvalidOperationException($"This machine has no {count} neighbouring ports free.");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
