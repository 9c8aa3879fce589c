using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.FunctionalTests.Load;

/// <summary>One client of the fleet: logs in, downloads its file by PASV, compares it, quits.</summary>
internal sealed class FleetClient(int number, IPAddress from, IPEndPoint proxy, CancellationToken ct)
{
    /// <summary>Null when all went well; else what did not.</summary>
    /// <param name="started">Released as soon as the data connection is open, so that not all connect in the same moment.</param>
    public async Task<string?> RunAsync(SemaphoreSlim started)
    {
        var holds = true;
        try
        {
            await using var stream = new NetworkStream(await ConnectAsync(proxy), ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.Latin1, false, 256);
            await ExpectAsync(reader, "220");
            await AskAsync(stream, reader, "USER ferry", "331");
            await AskAsync(stream, reader, "PASS secret", "230");
            var numbers = (await AskAsync(stream, reader, "PASV", "227")).Split('(', ')')[1].Split(',');
            var port = int.Parse(numbers[4], CultureInfo.InvariantCulture) * 256 + int.Parse(numbers[5], CultureInfo.InvariantCulture);
            using var data = await ConnectAsync(new IPEndPoint(proxy.Address, port));
            await AskAsync(stream, reader, string.Create(CultureInfo.InvariantCulture, $"RETR {number}"), "150");
            started.Release();
            holds = false;

            var content = FleetServer.Content(number);
            // One byte more than the file has, to see that nothing follows.
            var received = new byte[content.Length + 1];
            var have = 0;
            while (await data.ReceiveAsync(received.AsMemory(have), ct) is > 0 and var got)
                have += got;
            if (!content.AsSpan().SequenceEqual(received.AsSpan(0, have)))
                return $"{number}: got {have} bytes that are not the {content.Length} of the file";
            await ExpectAsync(reader, "226");
            await AskAsync(stream, reader, "QUIT", "221");
            return await reader.ReadLineAsync(ct) is { } more ? $"{number}: got {more} after the end" : null;
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            return $"{number}: {e.Message}";
        }
        finally
        {
            if (holds)
                started.Release();
        }
    }

    private async Task<Socket> ConnectAsync(IPEndPoint to)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(to, ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<string> AskAsync(NetworkStream stream, StreamReader reader, string command, string code)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(command + "\r\n"), ct);
        return await ExpectAsync(reader, code);
    }

    private async Task<string> ExpectAsync(StreamReader reader, string code)
    {
        var line = await reader.ReadLineAsync(ct) ?? "the end";
        return line.StartsWith(code + " ", StringComparison.Ordinal) ? line : throw new InvalidOperationException($"expected {code}, and got {line}");
    }
}
