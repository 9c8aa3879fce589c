using System.Globalization;
using System.IO;
using System.Net;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Load;

/// <summary>An orderly client with explicit TLS, whose data connections resume the session of its control connection.</summary>
internal sealed class FtpsFleetClient(TlsContext context, FtpsWire control, IPAddress from, IPEndPoint proxy, CancellationToken ct) : IDisposable
{
    private readonly ChaosLines _lines = new(control);

    /// <summary>127.0.1.1, 127.0.1.2, …: to Ferry each number is a client of its own.</summary>
    public static IPAddress AddressOf(int number) => new([127, 0, (byte)(1 + number / 250), (byte)(1 + number % 250)]);

    /// <summary>Connects, turns TLS on for commands and data, and logs in.</summary>
    public static async Task<FtpsFleetClient> LogInAsync(TlsContext context, IPAddress from, IPEndPoint proxy, string user, string password, CancellationToken ct)
    {
        var client = new FtpsFleetClient(context, await FtpsWire.ConnectAsync(from, proxy, ct), from, proxy, ct);
        try
        {
            await client.LogInAsync(user, password);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async Task<byte[]> DownloadAsync(string command, bool extended)
    {
        using var data = await StartAsync(command, extended);
        using var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await data.ReceiveAsync(buffer, ct) is > 0 and var count)
            all.Write(buffer, 0, count);
        if (!data.IsWhole)
            throw new InvalidOperationException($"{command}: cut off after {all.Length} bytes");
        await data.EndAsync(ct);
        await ExpectAsync("226");
        return all.ToArray();
    }

    public async Task UploadAsync(string command, ReadOnlyMemory<byte> bytes, bool extended)
    {
        using var data = await StartAsync(command, extended);
        await data.SendAsync(bytes, ct);
        await data.EndAsync(ct);
        await ExpectAsync("226");
    }

    /// <summary>Says goodbye, and looks for the end behind the answer.</summary>
    public async Task QuitAsync()
    {
        await AskAsync("QUIT", "221");
        if (await _lines.ReadAsync(ct) is { } more)
            throw new InvalidOperationException($"got {more} after the end");
    }

    public void Dispose() => control.Dispose();

    private async Task LogInAsync(string user, string password)
    {
        await ExpectAsync("220");
        await AskAsync("AUTH TLS", "234");
        var tls = TlsConnection.Connect(context, control.Socket.AsConnection(), isData: false, TlsPeerName.Any, resume: null);
        if (!await control.SecureAsync(tls, ct))
            throw new InvalidOperationException($"TLS on the control connection: {tls.Failure}");
        await AskAsync("PBSZ 0", "200");
        await AskAsync("PROT P", "200");
        await AskAsync($"USER {user}", "331");
        await AskAsync($"PASS {password}", "230");
        await AskAsync("TYPE I", "200");
    }

    /// <summary>A transfer that is under way.</summary>
    private async Task<FtpsWire> StartAsync(string command, bool extended)
    {
        var reply = extended ? await AskAsync("EPSV", "229") : await AskAsync("PASV", "227");
        var numbers = reply.Split('(', ')')[1].Split(',', '|');
        var port = extended ? Number(numbers[3]) : Number(numbers[4]) * 256 + Number(numbers[5]);
        var data = await FtpsWire.ConnectAsync(from, new IPEndPoint(proxy.Address, port), ct);
        try
        {
            await AskAsync(command, "150");
            using var session = control.Tls!.GetSession();
            var tls = TlsConnection.Connect(context, data.Socket.AsConnection(), isData: true, TlsPeerName.Any, session);
            if (!await data.SecureAsync(tls, ct))
                throw new InvalidOperationException($"{command}: TLS on the data connection: {tls.Failure}");
            return data;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private async Task<string> AskAsync(string command, string code)
    {
        await control.SendAsync(Encoding.Latin1.GetBytes(command + "\r\n"), ct);
        return await ExpectAsync(code);
    }

    /// <summary>The last line of the reply, which must have this code.</summary>
    private async Task<string> ExpectAsync(string code)
    {
        while (true)
        {
            var line = await _lines.ReadAsync(ct) ?? throw new InvalidOperationException($"expected {code}, and got the end");
            if (line.StartsWith(code + " ", StringComparison.Ordinal))
                return line;
            if (!line.StartsWith(code + "-", StringComparison.Ordinal))
                throw new InvalidOperationException($"expected {code}, and got {line}");
        }
    }
}
