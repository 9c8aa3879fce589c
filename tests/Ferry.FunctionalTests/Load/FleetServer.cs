using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.FunctionalTests.Load;

/// <summary>
/// A small quick FTP server that holds every download back until so many are under way at once, each with its data connection open.
/// Then it says so and waits for the gate.
/// </summary>
internal sealed class FleetServer(int port, int gatePort, int count, CancellationToken ct) : IDisposable
{
    private readonly Socket _listener = Listen(new IPEndPoint(IPAddress.Loopback, port));
    private readonly Socket _gate = Listen(new IPEndPoint(IPAddress.Loopback, gatePort));
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _underWay;

    /// <summary>What the file of that number holds, of a length of its own.</summary>
    public static byte[] Content(int number)
    {
        var bytes = new byte[20_000 + 7 * number];
        new Random(number).NextBytes(bytes);
        return bytes;
    }

    public async Task RunAsync()
    {
        for (var accepted = 0; accepted < count; accepted++)
            _ = ServeAsync(await _listener.AcceptAsync(ct));
    }

    public void Dispose()
    {
        _listener.Dispose();
        _gate.Dispose();
    }

    private static Socket Listen(IPEndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endPoint);
        socket.Listen(4096);
        return socket;
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await ConverseAsync(socket);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The client counts what it did not get; the reason is for who reads its output.
            await Console.Error.WriteLineAsync($"server: {e.Message}");
        }
    }

    private async Task ConverseAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reader = new StreamReader(stream, Encoding.Latin1, false, 256);
        Socket? passive = null;
        await SayAsync(stream, "220 fleet");
        try
        {
            while (await reader.ReadLineAsync(ct) is { } line)
            {
                switch (line.Split(' ')[0])
                {
                    case "USER":
                        await SayAsync(stream, "331 Password please.");
                        break;
                    case "PASS":
                        await SayAsync(stream, "230 Logged in.");
                        break;
                    case "PASV":
                        passive?.Dispose();
                        passive = Listen(new IPEndPoint(IPAddress.Loopback, 0));
                        var p = ((IPEndPoint)passive.LocalEndPoint!).Port;
                        await SayAsync(stream, string.Create(CultureInfo.InvariantCulture, $"227 Entering Passive Mode (127,0,0,1,{p >> 8},{p & 255})."));
                        break;
                    case "RETR" when passive is not null:
                        using (var data = await passive.AcceptAsync(ct))
                        {
                            passive.Dispose();
                            passive = null;
                            await SayAsync(stream, "150 Here it comes.");
                            await GatherAsync();
                            ReadOnlyMemory<byte> bytes = Content(int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture));
                            while (bytes.Length > 0)
                                bytes = bytes[await data.SendAsync(bytes, ct)..];
                            data.Shutdown(SocketShutdown.Send);
                        }
                        await SayAsync(stream, "226 Transfer complete.");
                        break;
                    case "QUIT":
                        await SayAsync(stream, "221 Goodbye.");
                        return;
                    default:
                        await SayAsync(stream, "502 Not here.");
                        break;
                }
            }
        }
        finally
        {
            passive?.Dispose();
        }
    }

    private async Task GatherAsync()
    {
        if (Interlocked.Increment(ref _underWay) == count)
        {
            Console.WriteLine($"gathered {count}");
            using var visitor = await _gate.AcceptAsync(ct);
            _opened.SetResult();
        }
        await _opened.Task.WaitAsync(ct);
    }

    private Task SayAsync(NetworkStream stream, string reply) => stream.WriteAsync(Encoding.Latin1.GetBytes(reply + "\r\n"), ct).AsTask();
}
