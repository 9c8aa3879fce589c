using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>What the kernel tells of TCP sockets in /proc/PID/net/tcp and tcp6, which is that process's network namespace.</summary>
internal static class KernelSockets
{
    private const int Listen = 0x0A;

    /// <summary>Whether anything listens on the port in the network namespace of the process.</summary>
    public static bool IsListening(int pid, int port) => Read($"/proc/{pid}").Any(s => s.State == Listen && s.LocalPort == port);

    /// <summary>Whether the other end (on this machine) of the connection has read everything that was sent to it.</summary>
    public static bool PeerHasReadAll(Socket socket)
    {
        var local = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var remote = ((IPEndPoint)socket.RemoteEndPoint!).Port;
        // What is on its way is counted at our end, what has come and is not read at the other.
        return Read("/proc/self").All(s =>
            (s.LocalPort != remote || s.RemotePort != local || s.Unread == 0) && (s.LocalPort != local || s.RemotePort != remote || s.Unsent == 0));
    }

    private static IEnumerable<Row> Read(string process)
    {
        foreach (var table in (string[])["tcp", "tcp6"])
        {
            string[] lines;
            try
            {
                lines = File.ReadAllLines($"{process}/net/{table}");
            }
            catch (IOException)
            {
                // The process has ended, or the kernel has no IPv6.
                continue;
            }
            foreach (var line in lines[1..])
            {
                // sl local_address:port rem_address:port st tx_queue:rx_queue …, all in hex
                var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var queues = fields[4].Split(':');
                yield return new Row(PortOf(fields[1]), PortOf(fields[2]), (int)Hex(fields[3]), Hex(queues[0]), Hex(queues[1]));
            }
        }
    }

    private static int PortOf(string address) => (int)Hex(address[(address.LastIndexOf(':') + 1)..]);

    private static long Hex(string digits) => long.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private readonly record struct Row(int LocalPort, int RemotePort, int State, long Unsent, long Unread);
}
