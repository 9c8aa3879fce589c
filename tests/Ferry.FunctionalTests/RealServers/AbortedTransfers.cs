using System.IO;
using System.Net.Sockets;
using System.Security.Authentication;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>A session of transfers that the client gives up, each at another moment and in another way of saying so.</summary>
/// <param name="client">Logged in.</param>
/// <param name="kind">Whose wont it is.</param>
internal sealed class AbortedTransfers(ModeClient client, ServerKind kind)
{
    /// <summary>More than all sockets on the way take; nothing of it is on the disk.</summary>
    public const long Endless = 1L << 30;

    // RFC 959 §4.1.3: IAC IP, then IAC DM, whose IAC is urgent as every BSD client and lftp send it.
    private const string Interrupt = "\u00ff\u00f4\u00ff";
    private const string DataMark = "\u00f2ABOR\r\n";
    private const int Some = 100_000;

    private enum Moment
    {
        /// <summary>Right behind the transfer command.</summary>
        AtOnce,

        /// <summary>With the 1xx there, and no byte yet.</summary>
        Begun,

        /// <summary>With the file on its way.</summary>
        Flowing,

        /// <summary>With the whole file there, so that ABOR and 226 meet (lftp).</summary>
        Whole,
    }

    /// <summary>What was answered, a line for each transfer.</summary>
    public List<string> Answers { get; } = [];

    /// <summary>Gives up so many transfers, and ends the session.</summary>
    public async Task RunAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            // 24 of them meet all of moment, direction and way.
            var (moment, upload, way) = ((Moment)(i % 4), i / 4 % 2 == 1, i % 3);
            var command = upload ? "STOR pub/up" : moment == Moment.Whole ? "RETR pub/small" : "RETR pub/endless";
            await client.SetUpAsync();
            var codes = moment == Moment.AtOnce ? await AtOnceAsync(command, way) : await LaterAsync(command, moment, upload, way);
            Answers.Add($"{command} {moment} {way}: {string.Join(' ', codes)}");
            Assert.True(IsRight(codes), string.Join('\n', Answers));
        }
        await client.Control.CommandAsync("NOOP", 200);
        await client.QuitAsync();
    }

    /// <summary>
    /// One reply to the transfer, after its 1xx if it began, and one to ABOR. pyftpdlib has only one for both where no byte has come, and in TLS
    /// three (226, of which Ferry makes 426, then 426 and 226) where it is just waiting for the other end's close_notify.
    /// </summary>
    private bool IsRight(List<int> codes) =>
        codes is [150 or 125, >= 200, >= 200] or [>= 400, >= 200]
        || (kind == ServerKind.Pyftpdlib && codes is [150 or 125, 225 or 226] or [150 or 125, 226 or 426, 426, 226] && (codes.Count < 4 || client.Control.DataTls is not null));

    /// <summary>Puts there what is fetched.</summary>
    public static async Task PrepareAsync(RealServer server)
    {
        await server.PutAsync("small", new byte[Some]);
        await server.PutAsync("endless", []);
        await using var file = File.OpenWrite(server.PathOf("endless"));
        file.SetLength(Endless);
    }

    private async Task<List<int>> AtOnceAsync(string command, int way)
    {
        var connecting = OpenAsync();
        if (!client.IsActive)
            await connecting;
        await client.Control.SendAsync(command);
        await AbortAsync(way);
        await client.Control.SendAsync("NOOP");
        List<int> codes = [];
        Task? leaving = null;
        for (var code = await CodeAsync(); code != 200; code = await CodeAsync())
        {
            codes.Add(code);
            // Until then nobody may come at all.
            if (code is 150 or 125)
                leaving = LeaveAsync(connecting);
        }
        client.Forget();
        await (leaving ?? LeaveAsync(connecting));
        return codes;
    }

    /// <summary>Closes a data connection, in TLS after its handshake: vsftpd ends the session where that fails.</summary>
    private async Task LeaveAsync(Task<DataEnd> connecting)
    {
        try
        {
            using var data = await connecting;
            if (client.Control.DataTls is { } tls)
                await data.StartTlsAsync(tls);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException or AuthenticationException)
        {
            // The server has heard the ABOR first.
        }
    }

    private async Task<List<int>> LaterAsync(string command, Moment moment, bool upload, int way)
    {
        var connecting = OpenAsync();
        if (!client.IsActive)
            await connecting;
        var begun = await client.Control.CommandAsync(command);
        using var data = await connecting;
        var codes = new List<int> { begun.Code };
        if (client.Control.DataTls is { } tls)
            await data.StartTlsAsync(tls);
        if (moment != Moment.Begun && upload)
            await data.SendAsync(new byte[Some]);
        else if (moment != Moment.Begun)
            Assert.Equal(Some, (await data.ReceiveAsync(Some)).Length);
        if (moment == Moment.Whole && upload)
            await data.EndSendAsync();
        await AbortAsync(way);
        data.Dispose();
        codes.AddRange(await CodesAsync());
        return codes;
    }

    private Task<DataEnd> OpenAsync() => client.IsActive ? client.AcceptAsync() : client.ConnectAsync();

    /// <summary>The codes up to the answer to a NOOP, which is not among them.</summary>
    private async Task<List<int>> CodesAsync()
    {
        await client.Control.SendAsync("NOOP");
        List<int> codes = [];
        for (var code = await CodeAsync(); code != 200; code = await CodeAsync())
            codes.Add(code);
        return codes;
    }

    private async Task<int> CodeAsync() => (await client.Control.ReadReplyAsync()).Code;

    private async Task AbortAsync(int way)
    {
        var wire = client.Control.Wire;
        switch (way)
        {
            case 0:
                await wire.SendAsync("ABOR");
                break;
            // TLS has no urgent data: clients send the same within it.
            case 1 when wire.Tls is not null:
                await wire.SendRawAsync(Interrupt + DataMark);
                break;
            case 1:
                await wire.SendUrgentAsync(Interrupt);
                await wire.SendRawAsync(DataMark);
                break;
            // Python's ftplib. ProFTPD never answers it, since its LF is the urgent byte.
            case 2 when wire.Tls is null && kind != ServerKind.ProFtpd:
                await wire.SendUrgentAsync("ABOR\r\n");
                break;
            default:
                await wire.SendAsync("ABOR");
                break;
        }
    }
}
