using System.Net;

namespace Ferry.FunctionalTests.Harness;

/// <summary>A control connection to a <see cref="ScriptedServer"/>, which a script plays.</summary>
internal sealed class ScriptedConnection : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    public ScriptedConnection(LineWire wire, int number)
    {
        Wire = wire;
        Number = number;
        RemoteEndPoint = wire.RemoteEndPoint;
        LocalEndPoint = wire.LocalEndPoint;
    }

    /// <summary>How many connections came before this one.</summary>
    public int Number { get; }

    public LineWire Wire { get; }

    public IPEndPoint RemoteEndPoint { get; }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>How served downloads and uploads speak TLS on their data connections; null is not at all.</summary>
    public TlsEnd? DataTls { get; set; }

    /// <summary>Every line that came, byte for byte.</summary>
    public IReadOnlyList<string> Lines => Wire.Lines;

    /// <summary>Reads the next line and fails the script unless it is this one, or begins with it and a space.</summary>
    public async Task<string> ExpectAsync(string expected)
    {
        var line = await Wire.ReadLineAsync() ?? throw new ScriptException($"expected {expected}, and the connection ended");
        if (line == expected || line.StartsWith(expected + " ", StringComparison.Ordinal))
            return line;
        throw new ScriptException($"expected {expected}, and got {line}");
    }

    /// <summary>Reads the next line; null when the connection ended.</summary>
    public Task<string?> ReadLineAsync() => Wire.ReadLineAsync();

    /// <summary>Fails the script unless the connection ends now, be it by FIN or by RST.</summary>
    public async Task ExpectEndAsync()
    {
        try
        {
            if (await Wire.ReadLineAsync() is { } line)
                throw new ScriptException($"expected the end, and got {line}");
        }
        catch (System.Net.Sockets.SocketException)
        {
            // A reset is an end too.
        }
    }

    /// <summary>Sends the lines, each with its CRLF, in one segment.</summary>
    public Task SendAsync(params string[] lines) => Wire.SendAsync(lines);

    /// <summary>Answers a command: expects it, then sends the lines in one segment.</summary>
    public async Task<string> AnswerAsync(string expected, params string[] replies)
    {
        var line = await ExpectAsync(expected);
        await SendAsync(replies);
        return line;
    }

    /// <summary>Greets and lets any user in.</summary>
    public async Task LogInAsync()
    {
        await SendAsync("220 scripted");
        await AnswerAsync("USER", "331 Password please.");
        await AnswerAsync("PASS", "230 Logged in.");
    }

    /// <summary>Speaks TLS on the control connection from here on.</summary>
    public Task StartTlsAsync(TlsEnd? end = null) => Wire.StartTlsAsync(s => TestTls.AcceptAsync(s, end ?? TlsEnd.Server));

    /// <summary>Expects AUTH TLS, agrees and speaks TLS.</summary>
    public async Task AnswerAuthAsync(TlsEnd? end = null)
    {
        await AnswerAsync("AUTH TLS", "234 Proceed with negotiation.");
        await StartTlsAsync(end);
    }

    /// <summary>Expects PBSZ 0 and PROT with this letter, and does so with the data connections that it serves from now on.</summary>
    public async Task AnswerProtAsync(char level = 'P', TlsEnd? end = null)
    {
        await AnswerAsync("PBSZ 0", "200 PBSZ set to 0.");
        await AnswerAsync($"PROT {level}", "200 Agreed.");
        DataTls = level == 'P' ? end ?? TlsEnd.Server : null;
    }

    /// <summary>Opens a data port that closes with the connection.</summary>
    public DataPort OpenDataPort(IPAddress? address = null) => Own(new DataPort(address ?? LocalEndPoint.Address));

    /// <summary>Expects PASV and answers with the usual 227 for a new data port.</summary>
    public async Task<DataPort> AnswerPasvAsync()
    {
        await ExpectAsync("PASV");
        var port = OpenDataPort();
        await SendAsync(port.PasvReply);
        return port;
    }

    /// <summary>Accepts a data connection, which closes with the control connection at the latest.</summary>
    public async Task<DataEnd> AcceptAsync(DataPort port) => Own(await port.AcceptAsync());

    /// <summary>Plays a usual download: 150, the bytes, FIN, 226.</summary>
    public async Task ServeRetrAsync(DataPort port, ReadOnlyMemory<byte> bytes)
    {
        await ExpectAsync("RETR");
        using var data = await AcceptAsync(port);
        await SendAsync("150 Here it comes.");
        if (DataTls is not null)
            await data.AcceptTlsAsync(DataTls);
        await data.SendAsync(bytes);
        await data.EndSendAsync();
        if (DataTls is not null)
            // Closed at once, what the client still says (its own close_notify) would turn the end into RST.
            await data.ReceiveToEndAsync();
        data.Dispose();
        await SendAsync("226 Transfer complete.");
    }

    /// <summary>Plays a usual upload: 150, everything to the end, 226.</summary>
    public async Task<DataReceived> ServeStorAsync(DataPort port)
    {
        await ExpectAsync("STOR");
        using var data = await AcceptAsync(port);
        await SendAsync("150 Give it to me.");
        if (DataTls is not null)
            await data.AcceptTlsAsync(DataTls);
        var received = await data.ReceiveToEndAsync();
        if (DataTls is not null && received.Ending == DataEnding.Closed)
            await data.EndSendAsync();
        await SendAsync(received.Ending == DataEnding.Closed ? "226 Transfer complete." : "426 Transfer aborted.");
        return received;
    }

    /// <summary>Expects QUIT, answers it and closes.</summary>
    public async Task AnswerQuitAsync()
    {
        await AnswerAsync("QUIT", "221 Goodbye.");
        Dispose();
    }

    public void Reset() => Wire.Reset();

    public void Dispose()
    {
        lock (_owned)
        {
            foreach (var one in _owned)
                one.Dispose();
            _owned.Clear();
        }
        Wire.Dispose();
    }

    private T Own<T>(T one) where T : IDisposable
    {
        lock (_owned)
            _owned.Add(one);
        return one;
    }
}

/// <summary>What came over a control connection was not what the script says.</summary>
internal sealed class ScriptException(string message) : Exception(message);
