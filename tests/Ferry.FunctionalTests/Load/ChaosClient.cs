using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Load;

/// <summary>A client that does a few things at random, most of them wrong, and goes without a word or with one.</summary>
/// <remarks>
/// Every second client has an address to itself. The others share a few, and may reach each other's ports where a session ends between
/// its 227 and the connection to it: FTP has nothing but the address to tell clients apart by. So those do not look at what they get.
/// </remarks>
internal sealed partial class ChaosClient(int number, IPEndPoint proxy, Random random, TlsContext? context, CancellationToken ct)
{
    /// <summary>How long those who behave wait for anything, and servers.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(400);

    private readonly bool _isAlone = number % 2 == 0;

    /// <summary>Every fourth does nothing but download in order, and only the server may be in its way.</summary>
    private readonly bool _isDecent = number % 4 == 0;

    private readonly IPAddress _from = new(number % 2 == 0
        ? [127, 0, (byte)(4 + number / 250), (byte)(1 + number % 250)]
        : [127, 0, 3, (byte)(1 + random.Next(20))]);
    private FtpsWire _control = null!;
    private ChaosLines _lines = null!;

    /// <summary>The client has asked for more than it has read the answers to, so that a reply or a port may be another command's.</summary>
    private bool _isConfused;

    /// <summary>Downloads that came whole, with their 226; where clients speak TLS, those in TLS.</summary>
    public int Whole { get; private set; }

    public static bool IsEnd(Exception e) => e is SocketException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Null, or what Ferry must never do.</summary>
    public async Task<string?> RunAsync()
    {
        string? wrong = null;
        try
        {
            _control = await FtpsWire.ConnectAsync(_from, proxy, ct);
            _lines = new ChaosLines(_control);
            if (context is not null && !Happens(8))
                await StartTlsAsync(context);
            if (!Happens(4))
            {
                await SendAsync("USER chaos\r\n");
                await SendAsync("PASS secret\r\n");
                await ReadUntilAsync("230", "530");
            }
            for (var acts = random.Next(1, 7); acts > 0 && wrong is null; acts--)
                wrong = await ActAsync();
            await LeaveAsync();
        }
        catch (Exception e) when (IsEnd(e) && !ct.IsCancellationRequested)
        {
            // Ended by Ferry, or out of patience: both are as they should be.
        }
        finally
        {
            _control?.Dispose();
        }
        return wrong;
    }

    /// <summary>Whether what happens once in so many times does now; never with a decent client.</summary>
    private bool Happens(int once) => !_isDecent && random.Next(once) == 0;

    private async Task<string?> ActAsync()
    {
        var act = _isDecent ? 8 : random.Next(_control.Tls is null ? 14 : 17);
        // These read no answer, so that the next one read may be theirs.
        _isConfused |= act < 6;
        switch (act)
        {
            case 0:
                await SendAsync(string.Concat(System.Linq.Enumerable.Repeat("NOOP\r\nPORT 1,2,3,4,5,6\r\nAUTH TLS\r\n", random.Next(1, 60))));
                break;
            case 1:
                await SendAsync(new string('y', random.Next(8_000, 30_000)) + (random.Next(2) == 0 ? "\r\n" : ""));
                break;
            case 2:
                foreach (var letter in "NOOP\r\nPASV\r\n"u8.ToArray())
                    await _control.SendAsync(new[] { letter }, ct);
                break;
            case 3:
                await _control.Socket.SendAsync(new byte[] { 255, 244, 255 }, SocketFlags.OutOfBand, ct);
                await SendAsync("\xF2" + "ABOR\r\n");
                break;
            case 4:
                await SendAsync("PASV\r\nPASV\r\nEPSV\r\nRETR 1\r\nABOR\r\nQUIT\r\nRETR 2\r\n");
                break;
            case 5:
                await SendAsync("\r\n\r\n\xFF\xF1\r\nSTAT\r\nFEAT\r\nREIN\r\nUSER x\r\nPASS y\r\n");
                break;
            case 6 or 7:
                await UploadAsync();
                break;
            case 14 or 15 or 16:
                await ActInTlsAsync(_control.Tls!, act - 14);
                break;
            default:
                return await DownloadAsync();
        }
        return null;
    }

    private async Task<string?> DownloadAsync()
    {
        if (await OpenDataAsync() is not { } data)
            return null;
        using (data)
        {
            var name = random.Next(1, 1_000_000);
            await SendAsync(string.Create(CultureInfo.InvariantCulture, $"RETR {name}\r\n"));
            var content = ChaosServer.Content(name);
            var isChecked = _isAlone && !_isConfused;
            var received = new byte[content.Length + 1];
            var have = 0;
            var leaveAt = Happens(3) ? random.Next(received.Length) : int.MaxValue;
            using var patience = OutOfPatience();
            if (!await SecureDataAsync(data, patience.Token))
                return null;
            while (await data.ReceiveAsync(received.AsMemory(have), patience.Token) is > 0 and var got)
            {
                have += got;
                if (have > content.Length && !isChecked)
                    return null;
                if (isChecked && (have > content.Length || !content.AsSpan(0, have).SequenceEqual(received.AsSpan(0, have))))
                    return $"of the {have} bytes that came, those from {content.AsSpan().CommonPrefixLength(received.AsSpan(0, have))} on are not those of file {name}, which has {content.Length}";
                if (have < leaveAt)
                    continue;
                _isConfused = true;
                await LeaveDataAsync(data);
                return null;
            }
            var reply = await ReadUntilAsync("226", "4", "5");
            if (reply is null || !isChecked || !data.IsWhole || !reply.StartsWith("226", StringComparison.Ordinal))
                return null;
            if (context is null || data.Tls is not null)
                Whole++;
            return have == content.Length ? null : $"226 was said of file {name}, of which {have} of {content.Length} bytes came";
        }
    }

    private async Task LeaveDataAsync(FtpsWire data)
    {
        switch (random.Next(4))
        {
            case 0:
                data.Reset();
                break;
            case 1:
                data.Socket.Shutdown(SocketShutdown.Both);
                break;
            case 2:
                await SendAsync("ABOR\r\n");
                await ReadUntilAsync("226", "225", "200");
                break;
            default:
                _control.Reset();
                break;
        }
    }

    private async Task UploadAsync()
    {
        if (await OpenDataAsync() is not { } data)
            return;
        using (data)
        {
            await SendAsync("STOR x\r\n");
            using var patience = OutOfPatience();
            if (!await SecureDataAsync(data, patience.Token))
                return;
            await data.SendAsync(ChaosServer.Content(random.Next()), patience.Token);
            switch (random.Next(6))
            {
                case < 2:
                    data.Reset();
                    break;
                case 2:
                    data.CutOff();
                    break;
                default:
                    await data.EndAsync(patience.Token);
                    break;
            }
            _isConfused |= await ReadUntilAsync("226", "4", "5") is null;
        }
    }

    private async Task<FtpsWire?> OpenDataAsync()
    {
        var extended = random.Next(2) == 0;
        await SendAsync(extended ? "EPSV\r\n" : "PASV\r\n");
        if (await ReadUntilAsync("227 ", "229 ", "4", "5") is not { } reply || reply[0] != '2')
            return null;
        var numbers = reply.Split('(', ')')[1].Split(',', '|');
        var port = numbers.Length == 6
            ? int.Parse(numbers[4], CultureInfo.InvariantCulture) * 256 + int.Parse(numbers[5], CultureInfo.InvariantCulture)
            : int.Parse(numbers[3], CultureInfo.InvariantCulture);
        if (!Happens(12))
            return await FtpsWire.ConnectAsync(_from, new IPEndPoint(proxy.Address, port), ct);
        // Asks for a file and never comes for it.
        _isConfused = true;
        await SendAsync("RETR 3\r\n");
        return null;
    }

    private async Task LeaveAsync()
    {
        switch (random.Next(4))
        {
            case 0:
                _control.Reset();
                break;
            case 1:
                _control.CutOff();
                await ReadUntilAsync("the end");
                break;
            case 2:
                await SendAsync("QUIT\r\n");
                await ReadUntilAsync("221");
                break;
        }
    }

    /// <summary>The first line that begins with one of these; null when the stream ends before.</summary>
    private async Task<string?> ReadUntilAsync(params string[] beginnings)
    {
        using var patience = OutOfPatience();
        while (await _lines.ReadAsync(patience.Token) is { } line)
        {
            if (Array.Exists(beginnings, b => line.StartsWith(b, StringComparison.Ordinal)))
                return line;
        }
        return null;
    }

    private CancellationTokenSource OutOfPatience()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(ct);
        source.CancelAfter(_isDecent ? Patience : Impatience);
        return source;
    }

    private async Task SendAsync(string text)
    {
        using var patience = OutOfPatience();
        await _control.SendAsync(Encoding.Latin1.GetBytes(text), patience.Token);
    }
}
