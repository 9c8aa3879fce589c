using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>An orderly FTP server in a few lines, for tests in which the server is not the one that misbehaves. <c>RETR n</c> yields n bytes.</summary>
internal sealed class SmallServer : IAsyncDisposable
{
    private readonly ScriptedServer _server;

    public SmallServer(System.Net.IPAddress? address = null) => _server = ScriptedServer.Start(PlayAsync, address);

    public System.Net.IPEndPoint EndPoint => _server.EndPoint;

    public ScriptedServer Script => _server;

    /// <summary>What was stored whole, by name.</summary>
    public ConcurrentDictionary<string, byte[]> Stored { get; } = new();

    /// <summary>Uploads that ended with RST, by name.</summary>
    public ConcurrentDictionary<string, byte[]> Broken { get; } = new();

    /// <summary>So many bytes, not the same at any two neighbouring places; different for different seeds.</summary>
    public static byte[] Payload(int count, int seed = 0)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task PlayAsync(ScriptedConnection c)
    {
        try
        {
            await c.SendAsync("220 small");
            DataPort? port = null;
            while (await c.ReadLineAsync() is { } line)
            {
                var word = line.Split(' ')[0].ToUpperInvariant();
                var argument = line.Length > word.Length ? line[(word.Length + 1)..] : "";
                switch (word)
                {
                    case "USER":
                        await c.SendAsync("331 Password please.");
                        break;
                    case "PASS":
                        await c.SendAsync("230 Logged in.");
                        break;
                    case "PASV":
                        port = c.OpenDataPort();
                        await c.SendAsync(port.PasvReply);
                        break;
                    case "EPSV":
                        port = c.OpenDataPort();
                        await c.SendAsync(port.EpsvReply);
                        break;
                    case "RETR" or "STOR" or "LIST" when port is null:
                        await c.SendAsync("425 Use PASV first.");
                        break;
                    case "RETR" or "STOR" or "LIST":
                        await TransferAsync(c, word, argument, port);
                        port = null;
                        break;
                    case "QUIT":
                        await c.SendAsync("221 Goodbye.");
                        return;
                    default:
                        await c.SendAsync("200 OK.");
                        break;
                }
            }
        }
        catch (SocketException)
        {
            // The proxy may reset; what that means is for the test to say.
        }
    }

    private async Task TransferAsync(ScriptedConnection c, string word, string argument, DataPort port)
    {
        using var data = await c.AcceptAsync(port);
        await c.SendAsync("150 Here we go.");
        if (word == "STOR")
        {
            var received = await data.ReceiveToEndAsync();
            (received.Ending == DataEnding.Closed ? Stored : Broken)[argument] = received.Bytes;
            await c.SendAsync(received.Ending == DataEnding.Closed ? "226 Stored." : "426 Transfer aborted.");
            return;
        }
        var bytes = word == "LIST" ? "-rw-r--r-- 1 a b 1 Jan 1 00:00 x\r\n"u8.ToArray() : Payload(int.Parse(argument, CultureInfo.InvariantCulture));
        try
        {
            await data.SendAsync(bytes);
            data.Dispose();
            await c.SendAsync("226 Sent.");
        }
        catch (SocketException)
        {
            await c.SendAsync("426 Transfer aborted.");
        }
    }
}
