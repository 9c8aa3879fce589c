using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>An FTP client that says and does exactly what a test tells it.</summary>
internal sealed class ScriptedClient : IDisposable
{
    private ScriptedClient(LineWire wire, IPAddress? from)
    {
        Wire = wire;
        From = from;
        ControlEndPoint = wire.RemoteEndPoint;
    }

    public LineWire Wire { get; }

    /// <summary>The address of the control server.</summary>
    public IPEndPoint ControlEndPoint { get; }

    /// <summary>The local address that was asked for; data connections come from it too.</summary>
    public IPAddress? From { get; }

    /// <summary>How downloads and uploads speak TLS on their data connections; null is not at all.</summary>
    public TlsEnd? DataTls { get; set; }

    /// <summary>Connects, from a certain local address where one is given, and reads nothing.</summary>
    public static async Task<ScriptedClient> ConnectAsync(IPEndPoint to, IPAddress? from = null)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (from is not null)
                socket.Bind(new IPEndPoint(from, 0));
            await Wait.For(socket.ConnectAsync(to), $"a control connection to {to}");
            return new ScriptedClient(new LineWire(socket), from);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects, takes the greeting and logs in.</summary>
    public static async Task<ScriptedClient> LogInAsync(IPEndPoint to, IPAddress? from = null, string user = "ferry", string password = "secret")
    {
        var client = await ConnectAsync(to, from);
        try
        {
            await client.ExpectAsync(220);
            await client.CommandAsync($"USER {user}", 331);
            await client.CommandAsync($"PASS {password}", 230);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Connects, speaks TLS as explicit or implicit clients do, logs in, and protects data (PBSZ, PROT P).</summary>
    public static async Task<ScriptedClient> LogInTlsAsync(
        IPEndPoint to, TlsEnd? end = null, bool isImplicit = false, IPAddress? from = null, string user = "ferry", string password = "secret")
    {
        var client = await ConnectAsync(to, from);
        try
        {
            if (isImplicit)
                await client.StartTlsAsync(end);
            await client.ExpectAsync(220);
            if (!isImplicit)
                await client.AuthAsync(end);
            await client.CommandAsync($"USER {user}", 331);
            await client.CommandAsync($"PASS {password}", 230);
            await client.CommandAsync("PBSZ 0", 200);
            await client.CommandAsync("PROT P", 200);
            client.DataTls = end ?? TlsEnd.Client;
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Speaks TLS on the control connection from here on.</summary>
    public Task StartTlsAsync(TlsEnd? end = null) => Wire.StartTlsAsync(s => TestTls.ConnectAsync(s, end ?? TlsEnd.Client));

    /// <summary>AUTH, 234, TLS.</summary>
    public async Task AuthAsync(TlsEnd? end = null, string command = "AUTH TLS")
    {
        await CommandAsync(command, 234);
        await StartTlsAsync(end);
    }

    /// <summary>Sends the lines, each with its CRLF, in one segment.</summary>
    public Task SendAsync(params string[] lines) => Wire.SendAsync(lines);

    /// <summary>The next reply; null when the other end has closed in order.</summary>
    public async Task<Reply?> TryReadReplyAsync()
    {
        if (await Wire.ReadLineAsync() is not { } first)
            return null;
        Assert.True(first.Length >= 3 && int.TryParse(first.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out _), $"This is no reply: {first}");
        List<string> lines = [first];
        // RFC 959 §4.2: a text of several lines ends with the code and a space.
        for (var line = first; first.Length > 3 && first[3] == '-' && !(line.StartsWith(first[..3], StringComparison.Ordinal) && line is [_, _, _, ' ', ..]);)
        {
            line = await Wire.ReadLineAsync() ?? throw new ScriptException($"the connection ended within a reply: {string.Join('\n', lines)}");
            lines.Add(line);
        }
        return new Reply(int.Parse(first.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture), lines);
    }

    /// <summary>The next reply; the end of the connection is a failure.</summary>
    public async Task<Reply> ReadReplyAsync() =>
        await TryReadReplyAsync() ?? throw new ScriptException("a reply was expected, and the connection ended");

    /// <summary>The next reply, which must have this code.</summary>
    public async Task<Reply> ExpectAsync(int code)
    {
        var reply = await ReadReplyAsync();
        Assert.True(reply.Code == code, $"Expected {code}, and got {reply}");
        return reply;
    }

    /// <summary>Fails unless the connection ends now, be it by FIN or by RST.</summary>
    public async Task ExpectEndAsync()
    {
        try
        {
            var line = await Wire.ReadLineAsync();
            Assert.True(line is null, $"Expected the end, and got {line}");
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
    }

    /// <summary>Sends a command and reads its one reply.</summary>
    public async Task<Reply> CommandAsync(string command)
    {
        await SendAsync(command);
        return await ReadReplyAsync();
    }

    /// <summary>Sends a command and reads its one reply, which must have this code.</summary>
    public async Task<Reply> CommandAsync(string command, int code)
    {
        var reply = await CommandAsync(command);
        Assert.True(reply.Code == code, $"Expected {code} to {command.Split(' ')[0]}, and got {reply}");
        return reply;
    }

    /// <summary>Asks for a passive port and tells its address.</summary>
    public async Task<IPEndPoint> PasvAsync() => (await CommandAsync("PASV", 227)).PasvEndPoint;

    /// <summary>Asks for an extended passive port and tells its address, which is the control server's.</summary>
    public async Task<IPEndPoint> EpsvAsync() => new(ControlEndPoint.Address, (await CommandAsync("EPSV", 229)).EpsvPort);

    /// <summary>Opens a data connection from the control connection's local address, or another.</summary>
    public Task<DataEnd> ConnectDataAsync(IPEndPoint to, IPAddress? from = null) =>
        DataEnd.ConnectAsync(to, from ?? From ?? Wire.LocalEndPoint.Address);

    /// <summary>A usual passive download: PASV, connect, RETR, 1xx, TLS if it is spoken, all bytes, 226.</summary>
    public async Task<byte[]> DownloadAsync(string name, bool extended = false)
    {
        using var data = await ConnectDataAsync(extended ? await EpsvAsync() : await PasvAsync());
        await SendAsync($"RETR {name}");
        await ExpectPreliminaryAsync();
        if (DataTls is not null)
            await data.StartTlsAsync(DataTls);
        var received = await data.ReceiveToEndAsync();
        if (DataTls is not null)
            await data.EndSendAsync();
        Assert.Equal(DataEnding.Closed, received.Ending);
        await ExpectAsync(226);
        return received.Bytes;
    }

    /// <summary>A usual passive upload: PASV, connect, STOR, 1xx, TLS if it is spoken, all bytes, FIN, 226.</summary>
    public async Task UploadAsync(string name, ReadOnlyMemory<byte> bytes, bool extended = false)
    {
        using var data = await ConnectDataAsync(extended ? await EpsvAsync() : await PasvAsync());
        await SendAsync($"STOR {name}");
        await ExpectPreliminaryAsync();
        if (DataTls is not null)
            await data.StartTlsAsync(DataTls);
        await data.SendAsync(bytes);
        await data.EndSendAsync();
        await ExpectAsync(226);
    }

    /// <summary>Sends QUIT and reads 221 and the end.</summary>
    public async Task QuitAsync()
    {
        await CommandAsync("QUIT", 221);
        await ExpectEndAsync();
    }

    /// <summary>Closes with RST.</summary>
    public void Reset() => Wire.Reset();

    public void Dispose() => Wire.Dispose();

    private async Task ExpectPreliminaryAsync()
    {
        var reply = await ReadReplyAsync();
        Assert.True(reply.Code is 150 or 125, $"Expected 150 or 125, and got {reply}");
    }
}
