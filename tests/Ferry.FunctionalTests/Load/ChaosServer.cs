using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.FunctionalTests.Load;

/// <summary>
/// An FTP server that misbehaves in about every tenth thing that it does. Only one lie is never told: a file that is cut short never ends
/// with FIN, so what a client has got whole must be whole.
/// </summary>
internal sealed class ChaosServer : IAsyncDisposable
{
    private readonly Socket _listener = Listen();
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _serving = [];
    private readonly int _seed;
    private readonly Task _accepting;

    public ChaosServer(int seed)
    {
        _seed = seed;
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>What the file of that name holds: any two differ, and every one at every two places.</summary>
    public static byte[] Content(int name)
    {
        var random = new Random(name);
        var bytes = new byte[random.Next(300_000)];
        random.NextBytes(bytes);
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_serving);
        _end.Dispose();
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(1024);
        return socket;
    }

    private async Task AcceptAsync()
    {
        for (var number = 0; ; number++)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_end.Token);
                _serving.Add(Task.Run(() => ServeAsync(socket, new Random(_seed + number))));
            }
            catch (Exception e) when (ChaosClient.IsEnd(e))
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket, Random random)
    {
        Socket? passive = null;
        try
        {
            socket.NoDelay = true;
            if (!await GreetAsync(socket, random))
                return;
            var lines = new ChaosLines(socket);
            while (await lines.ReadAsync(_end.Token) is { } line)
            {
                var word = line.Split(' ')[0].ToUpperInvariant();
                switch (random.Next(60))
                {
                    case 0:
                        socket.Close(0);
                        return;
                    case 1:
                        return;
                    case 2:
                        continue; // says nothing
                    case 3:
                        await SayAsync(socket, new string('x', 10_000));
                        break;
                    case 4:
                        await SayAsync(socket, "299-More\r\n299 than was asked for");
                        break;
                }
                switch (word)
                {
                    case "PASV" or "EPSV":
                        passive?.Dispose();
                        passive = Listen();
                        var port = random.Next(20) == 0 ? 1 : ((IPEndPoint)passive.LocalEndPoint!).Port;
                        await SayAsync(socket, random.Next(20) == 0 ? "227 Nowhere (1,2,3)." : word == "EPSV"
                            ? string.Create(CultureInfo.InvariantCulture, $"229 Here (|||{port}|)")
                            : string.Create(CultureInfo.InvariantCulture, $"227 Here (127,0,0,1,{port >> 8},{port & 255})."));
                        break;
                    case "RETR" or "STOR" when passive is not null:
                        using (var once = passive)
                        {
                            passive = null;
                            await TransferAsync(socket, once, line, random);
                        }
                        break;
                    case "USER":
                        await SayAsync(socket, "331 Password please.");
                        break;
                    case "PASS":
                        await SayAsync(socket, random.Next(10) == 0 ? "530 No." : "230-Welcome\r\n line\r\n230 In.");
                        break;
                    case "QUIT":
                        await SayAsync(socket, "221 Goodbye.");
                        return;
                    default:
                        await SayAsync(socket, "200 OK.");
                        break;
                }
            }
        }
        catch (Exception e) when (ChaosClient.IsEnd(e))
        {
            // Everybody here resets everybody.
        }
        finally
        {
            passive?.Dispose();
            socket.Dispose();
        }
    }

    private async Task<bool> GreetAsync(Socket socket, Random random)
    {
        switch (random.Next(40))
        {
            case 0:
                socket.Close(0);
                return false;
            case 1:
                return false;
            case 2:
                await SayAsync(socket, "421 Not now.");
                return false;
            case 3:
                await SayAsync(socket, "SSH-2.0-Other");
                return true;
            case 4:
                foreach (var letter in "220 slow\r\n"u8.ToArray())
                    await socket.SendAsync(new[] { letter }, _end.Token);
                return true;
            case 5:
                await SayAsync(socket, "120 Soon.\r\n220 Now.");
                return true;
            default:
                await SayAsync(socket, "220-chaos\r\n220 reigns");
                return true;
        }
    }

    private async Task TransferAsync(Socket socket, Socket passive, string line, Random random)
    {
        if (random.Next(15) == 0)
        {
            await SayAsync(socket, "550 No such file.");
            return;
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        patience.CancelAfter(ChaosClient.Patience);
        using var data = await passive.AcceptAsync(patience.Token);
        var says = random.Next(15);
        if (says != 0)
            await SayAsync(socket, "150 Here it comes.");
        try
        {
            if (line.StartsWith("STOR", StringComparison.OrdinalIgnoreCase))
                await StoreAsync(data, random);
            else
                await SendAsync(data, int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture), random, patience.Token);
        }
        catch (Exception e) when (ChaosClient.IsEnd(e))
        {
            data.Close(0);
            if (says > 2)
                await SayAsync(socket, "426 Aborted.");
            return;
        }
        if (says != 1)
            await SayAsync(socket, "226 Done.");
    }

    private static async Task SendAsync(Socket data, int name, Random random, CancellationToken patience)
    {
        ReadOnlyMemory<byte> content = Content(name);
        var upTo = random.Next(8) == 0 ? random.Next(content.Length + 1) : -1;
        for (var rest = upTo < 0 ? content : content[..upTo]; rest.Length > 0;)
            rest = rest[await data.SendAsync(rest, patience)..];
        if (upTo >= 0)
            data.Close(0);
        else
            data.Shutdown(SocketShutdown.Send);
    }

    private async Task StoreAsync(Socket data, Random random)
    {
        var buffer = new byte[16384];
        while (await data.ReceiveAsync(buffer, _end.Token) > 0)
        {
            if (random.Next(40) == 0)
            {
                data.Close(0);
                return;
            }
        }
    }

    private async Task SayAsync(Socket socket, string text)
    {
        for (ReadOnlyMemory<byte> rest = Encoding.Latin1.GetBytes(text + "\r\n"); rest.Length > 0;)
            rest = rest[await socket.SendAsync(rest, _end.Token)..];
    }
}
