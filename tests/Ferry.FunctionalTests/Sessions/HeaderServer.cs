using System.Collections.Concurrent;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>An orderly FTP server that takes uploads and expects a PROXY header on its control connections, and on its data ports where it is told so.</summary>
internal sealed class HeaderServer : IAsyncDisposable
{
    private readonly ScriptedServer _server;
    private readonly bool _isImplicit;
    private readonly bool _expectsForData;

    public HeaderServer(bool isImplicit = false, bool expectsForData = false)
    {
        _isImplicit = isImplicit;
        _expectsForData = expectsForData;
        _server = ScriptedServer.Start(PlayAsync);
    }

    public IPEndPoint EndPoint => _server.EndPoint;

    public ConcurrentQueue<ProxyHeader> Headers { get; } = new();

    public ConcurrentQueue<ProxyHeader> DataHeaders { get; } = new();

    /// <summary>All that came over data connections behind their headers, in the clear.</summary>
    public ConcurrentQueue<byte[]> Stored { get; } = new();

    public IReadOnlyList<string> Lines => _server.Connections[0].Lines;

    public Task DoneAsync() => _server.DoneAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task PlayAsync(ScriptedConnection c)
    {
        Headers.Enqueue(await ProxyHeader.ReadAsync(c.Wire.Socket));
        if (_isImplicit)
            await c.StartTlsAsync();
        await c.SendAsync("220 header");
        DataPort? port = null;
        IPEndPoint? client = null;
        while (await c.ReadLineAsync() is { } line)
        {
            switch (line.Split(' ')[0])
            {
                case "AUTH":
                    await c.SendAsync("234 Go on.");
                    await c.StartTlsAsync();
                    break;
                case "USER":
                    await c.SendAsync("331 Password please.");
                    break;
                case "PASS":
                    await c.SendAsync("230 Logged in.");
                    break;
                case "PROT":
                    c.DataTls = line == "PROT P" ? TlsEnd.Server : null;
                    await c.SendAsync("200 Agreed.");
                    break;
                case "PASV":
                    port = c.OpenDataPort();
                    await c.SendAsync(port.PasvReply);
                    break;
                case "PORT":
                    client = new Reply(227, [$"227 There ({line[5..]})"]).PasvEndPoint;
                    await c.SendAsync("200 There.");
                    break;
                case "STOR":
                    await StoreAsync(c, port is null ? await DataEnd.ConnectAsync(client!) : await c.AcceptAsync(port), port is not null);
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

    private async Task StoreAsync(ScriptedConnection c, DataEnd data, bool isPassive)
    {
        using (data)
        {
            if (_expectsForData && isPassive)
                DataHeaders.Enqueue(await ProxyHeader.ReadAsync(data.Socket));
            await c.SendAsync("150 Give it to me.");
            if (c.DataTls is not null)
                await data.AcceptTlsAsync(c.DataTls);
            var received = await data.ReceiveToEndAsync();
            if (c.DataTls is not null)
                await data.EndSendAsync();
            Stored.Enqueue(received.Bytes);
            await c.SendAsync(received.Ending == DataEnding.Closed ? "226 Stored." : "426 Broken.");
        }
    }
}
