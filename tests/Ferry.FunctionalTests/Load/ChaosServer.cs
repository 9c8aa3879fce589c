using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Load;

/// <summary>
/// An FTP server that misbehaves in about every tenth thing that it does. Only one lie is never told: a file that is cut short never ends
/// with FIN (in TLS, with close_notify), so what a client has got whole must be whole.
/// </summary>
internal sealed partial class ChaosServer : IAsyncDisposable
{
    private readonly Socket _listener = Listen();
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _serving = [];
    private readonly int _seed;
    private readonly TlsContext? _context;
    private readonly Task _accepting;

    /// <param name="seed">Of all that it does.</param>
    /// <param name="context">Null where it speaks no TLS.</param>
    public ChaosServer(int seed, TlsContext? context = null)
    {
        _seed = seed;
        _context = context;
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
        using var control = new FtpsWire(socket);
        try
        {
            if (!await GreetAsync(control, random))
                return;
            var lines = new ChaosLines(control);
            var isPrivate = false;
            while (await lines.ReadAsync(_end.Token) is { } line)
            {
                var word = line.Split(' ')[0].ToUpperInvariant();
                if (word != "AUTH" && await GoWrongAsync(control, random) is { } wrong)
                {
                    if (wrong == Wrong.Left)
                        return;
                    if (wrong == Wrong.Silent)
                        continue;
                }
                switch (word)
                {
                    case "AUTH":
                        if (!await AgreeToTlsAsync(control, random))
                            return;
                        break;
                    case "PROT" when _context is not null:
                        isPrivate = line.EndsWith('P');
                        await SayAsync(control, "200 As you like.");
                        break;
                    case "PASV" or "EPSV":
                        passive?.Dispose();
                        passive = Listen();
                        var port = random.Next(20) == 0 ? 1 : ((IPEndPoint)passive.LocalEndPoint!).Port;
                        await SayAsync(control, random.Next(20) == 0 ? "227 Nowhere (1,2,3)." : word == "EPSV"
                            ? string.Create(CultureInfo.InvariantCulture, $"229 Here (|||{port}|)")
                            : string.Create(CultureInfo.InvariantCulture, $"227 Here (127,0,0,1,{port >> 8},{port & 255})."));
                        break;
                    case "RETR" or "STOR" when passive is not null:
                        using (var once = passive)
                        {
                            passive = null;
                            await TransferAsync(control, once, isPrivate ? control.Tls?.Origin : null, line, random);
                        }
                        break;
                    case "USER":
                        await SayAsync(control, "331 Password please.");
                        break;
                    case "PASS":
                        await SayAsync(control, random.Next(10) == 0 ? "530 No." : "230-Welcome\r\n line\r\n230 In.");
                        break;
                    case "QUIT":
                        await SayAsync(control, "221 Goodbye.");
                        return;
                    default:
                        await SayAsync(control, "200 OK.");
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
        }
    }

    /// <summary>In one of twelve commands.</summary>
    private async Task<Wrong?> GoWrongAsync(FtpsWire control, Random random)
    {
        switch (random.Next(60))
        {
            case 0:
                control.Reset();
                return Wrong.Left;
            case 1:
                return Wrong.Left;
            case 2:
                return Wrong.Silent;
            case 3:
                await SayAsync(control, new string('x', 10_000));
                return Wrong.Noisy;
            case 4:
                await SayAsync(control, "299-More\r\n299 than was asked for");
                return Wrong.Noisy;
            default:
                return null;
        }
    }

    private async Task<bool> GreetAsync(FtpsWire control, Random random)
    {
        switch (random.Next(40))
        {
            case 0:
                control.Reset();
                return false;
            case 1:
                return false;
            case 2:
                await SayAsync(control, "421 Not now.");
                return false;
            case 3:
                await SayAsync(control, "SSH-2.0-Other");
                return true;
            case 4:
                foreach (var letter in "220 slow\r\n"u8.ToArray())
                    await control.SendAsync(new[] { letter }, _end.Token);
                return true;
            case 5:
                await SayAsync(control, "120 Soon.\r\n220 Now.");
                return true;
            default:
                await SayAsync(control, "220-chaos\r\n220 reigns");
                return true;
        }
    }

    private async Task TransferAsync(FtpsWire control, Socket passive, TlsOrigin? origin, string line, Random random)
    {
        if (random.Next(15) == 0)
        {
            await SayAsync(control, "550 No such file.");
            return;
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        patience.CancelAfter(ChaosClient.Patience);
        using var data = new FtpsWire(await passive.AcceptAsync(patience.Token));
        var says = random.Next(15);
        if (says != 0)
            await SayAsync(control, "150 Here it comes.");
        try
        {
            if (origin is not null)
                await SecureDataAsync(data, origin, random, patience.Token);
            if (line.StartsWith("STOR", StringComparison.OrdinalIgnoreCase))
                await StoreAsync(data, random);
            else
                await SendAsync(data, int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture), random, patience.Token);
        }
        catch (Exception e) when (ChaosClient.IsEnd(e))
        {
            data.Reset();
            if (says > 2)
                await SayAsync(control, "426 Aborted.");
            return;
        }
        if (says != 1)
            await SayAsync(control, "226 Done.");
    }

    private static async Task SendAsync(FtpsWire data, int name, Random random, CancellationToken patience)
    {
        ReadOnlyMemory<byte> content = Content(name);
        var upTo = random.Next(8) == 0 ? random.Next(content.Length + 1) : -1;
        await data.SendAsync(upTo < 0 ? content : content[..upTo], patience);
        if (upTo < 0)
            await data.EndAsync(patience);
        else if (data.Tls is not null && random.Next(2) == 0)
            data.CutOff();
        else
            data.Reset();
    }

    private async Task StoreAsync(FtpsWire data, Random random)
    {
        var buffer = new byte[16384];
        while (await data.ReceiveAsync(buffer, _end.Token) > 0)
        {
            if (random.Next(40) == 0)
            {
                data.Reset();
                return;
            }
        }
    }

    private ValueTask SayAsync(FtpsWire control, string text) => control.SendAsync(Encoding.Latin1.GetBytes(text + "\r\n"), _end.Token);

    /// <summary>What went wrong in a command.</summary>
    private enum Wrong
    {
        /// <summary>More is said than the answer.</summary>
        Noisy,

        /// <summary>Nothing is said.</summary>
        Silent,

        /// <summary>The connection is over.</summary>
        Left,
    }
}
