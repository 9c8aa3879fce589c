using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsConnectionEndTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    public static TheoryData<TlsProtocols> Protocols => [TlsProtocols.Tls13, TlsProtocols.Tls12];

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Close_notify_is_the_end_behind_everything(TlsProtocols protocol)
    {
        using var pair = await ShakenAsync(protocol);
        var sent = TlsConnectionTests.Bytes(700_000, 1);
        var reading = TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket);
        await TlsConnectionPair.SendAsync(pair.Client, sent);
        Assert.True(await pair.Client.EndSendAsync(notify: true));

        var (bytes, end) = await reading;
        Assert.Equal(TlsReadStatus.CloseNotify, end);
        Assert.True(bytes.AsSpan().SequenceEqual(sent));
        Assert.Null(pair.Server.Failure);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_FIN_without_close_notify_is_a_stream_that_was_cut_off(TlsProtocols protocol)
    {
        using var pair = await ShakenAsync(protocol);
        await TlsConnectionPair.SendAsync(pair.Client, "half a fi"u8.ToArray());
        Assert.True(await pair.Client.EndSendAsync(notify: false));

        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket);
        Assert.Equal(TlsReadStatus.Truncated, end);
        Assert.Equal(9, bytes.Length);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Both_directions_end_apart(TlsProtocols protocol)
    {
        foreach (var notify in (bool[])[true, false])
        {
            using var pair = await ShakenAsync(protocol);
            Assert.True(await pair.Client.EndSendAsync(notify));
            Assert.Equal(notify ? TlsReadStatus.CloseNotify : TlsReadStatus.Truncated, (await TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket)).End);

            await TlsConnectionPair.SendAsync(pair.Server, "226 Done.\r\n"u8.ToArray());
            Assert.True(await pair.Server.EndSendAsync(notify: true));
            var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(pair.Client, pair.ClientSocket);
            Assert.Equal("226 Done.\r\n"u8.ToArray(), bytes);
            Assert.Equal(TlsReadStatus.CloseNotify, end);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_reset_is_a_failure(TlsProtocols protocol)
    {
        using var pair = await ShakenAsync(protocol);
        await TlsConnectionPair.SendAsync(pair.Client, "half a fi"u8.ToArray());
        pair.ClientSocket.LingerState = new LingerOption(true, 0);
        pair.ClientSocket.Close();

        Assert.Equal(TlsReadStatus.Failed, (await TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket)).End);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_reset_that_sending_has_found_out_is_not_taken_for_a_FIN_by_reading(TlsProtocols protocol)
    {
        using var pair = await ShakenAsync(protocol);
        pair.ClientSocket.LingerState = new LingerOption(true, 0);
        pair.ClientSocket.Close();
        // The first send takes the socket's error, after which the kernel reports an end like any other.
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
                await TlsConnectionPair.SendAsync(pair.Server, "150 Here it comes.\r\n"u8.ToArray());
        });

        Assert.Equal(TlsReadStatus.Failed, pair.Server.Read(new byte[16], out _));
        Assert.NotNull(pair.Server.Failure);
        Assert.False(await pair.Server.EndSendAsync(notify: true));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task An_end_at_any_byte_of_a_record_is_a_stream_that_was_cut_off(TlsProtocols protocol)
    {
        var records = 0;
        for (var cut = 1; records == 0 || cut < records; cut++)
        {
            using var tap = await TappedAsync(protocol);
            await tap.Client.SendAsync("first"u8.ToArray());
            await TlsConnectionTap.GiveAsync(tap.BehindServer, await tap.TakeAsync(tap.BehindClient));
            await tap.Client.SendAsync("second"u8.ToArray());
            var record = await tap.TakeAsync(tap.BehindClient);
            records = record.Length;
            await TlsConnectionTap.GiveLastAsync(tap.BehindServer, record.AsMemory(0, cut));

            var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(tap.Server, tap.ServerSocket);
            Assert.Equal(TlsReadStatus.Truncated, end);
            Assert.Equal("first"u8.ToArray(), bytes);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_bit_that_is_flipped_on_the_way_yields_no_byte(TlsProtocols protocol)
    {
        var random = new Random(4);
        var records = 0;
        for (var at = 0; records == 0 || at < records; at++)
        {
            using var tap = await TappedAsync(protocol);
            await tap.Client.SendAsync("pay 100 to Alice"u8.ToArray());
            var record = await tap.TakeAsync(tap.BehindClient);
            records = record.Length;
            record[at] ^= (byte)(1 << random.Next(8));
            await TlsConnectionTap.GiveLastAsync(tap.BehindServer, record);

            var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(tap.Server, tap.ServerSocket);
            Assert.Empty(bytes);
            // A length that has grown waits for the rest, and none comes.
            Assert.True(end == TlsReadStatus.Failed || (end == TlsReadStatus.Truncated && at is 3 or 4), $"byte {at}: {end}");
            Assert.True(end == TlsReadStatus.Truncated || tap.Server.Failure is { Length: > 0 });
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_record_that_is_no_TLS_is_answered_with_an_alert_that_the_peer_can_read(TlsProtocols protocol)
    {
        using var tap = await TappedAsync(protocol);
        await TlsConnectionTap.GiveAsync(tap.BehindServer, "USER anonymous\r\n"u8.ToArray());
        Assert.Equal(TlsReadStatus.Failed, (await TlsConnectionPair.ReadToEndAsync(tap.Server, tap.ServerSocket)).End);
        Assert.Equal("wrong version number", tap.Server.Failure);

        await TlsConnectionTap.GiveAsync(tap.BehindClient, await tap.TakeAsync(tap.BehindServer));
        Assert.Equal(TlsReadStatus.Failed, (await TlsConnectionPair.ReadToEndAsync(tap.Client, tap.ClientSocket)).End);
        Assert.Contains("alert", tap.Client.Failure, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SocketException>(async () => await tap.Server.SendAsync("x"u8.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Close_notify_is_sent_once_however_often_it_is_asked_for(TlsProtocols protocol)
    {
        using var tap = await TappedAsync(protocol);
        await tap.Client.SendAsync("NOOP\r\n"u8.ToArray());
        await TlsConnectionTap.GiveAsync(tap.BehindServer, await tap.TakeAsync(tap.BehindClient));

        await tap.Server.SendCloseNotifyAsync();
        var first = await tap.TakeAsync(tap.BehindServer);
        await tap.Server.SendCloseNotifyAsync();
        Assert.Equal(0, tap.Server.TrySendLast([]));
        Assert.True(tap.ServerSocket.Available > 0, "nothing has been read meanwhile");
        Assert.Equal(0, tap.BehindServer.Available);
        Assert.NotEmpty(first);
        Assert.Equal("NOOP\r\n", await TlsConnectionPair.ReadTextAsync(tap.Server, tap.ServerSocket, 6));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_last_line_is_the_last(TlsProtocols protocol)
    {
        using var pair = await ShakenAsync(protocol);
        Assert.Equal(10, pair.Server.TrySendLast("421 Bye.\r\n"u8));
        await Assert.ThrowsAsync<SocketException>(async () => await pair.Server.SendAsync("x"u8.ToArray()));
        pair.ServerSocket.Shutdown(SocketShutdown.Send);

        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(pair.Client, pair.ClientSocket);
        Assert.Equal("421 Bye.\r\n"u8.ToArray(), bytes);
        Assert.Equal(TlsReadStatus.CloseNotify, end);
    }

    [Fact]
    public async Task A_last_line_that_does_not_go_out_whole_says_so_and_blocks_nobody()
    {
        using var pair = await ShakenAsync(TlsProtocols.Tls13);
        var filling = pair.Server.SendAsync(new byte[16 << 20]).AsTask(); // the peer reads nothing
        await Wait.Until(() => !pair.ServerSocket.Poll(0, SelectMode.SelectWrite), "the connection to be full");
        Assert.Equal(0, pair.Server.TrySendLast("421 Bye.\r\n"u8));
        pair.ServerSocket.DisposeWithConnection();
        await Assert.ThrowsAnyAsync<Exception>(() => Wait.For(filling, "the end of what was being sent"));
    }

    private async Task<TlsConnectionPair> ShakenAsync(TlsProtocols protocol) =>
        await TlsConnectionPair.ShakenAsync(_made.Client(c => c with { Protocols = protocol }), _made.Server(c => c with { Protocols = protocol }));

    private TlsContext? _client;
    private TlsContext? _server;

    private async Task<TlsConnectionTap> TappedAsync(TlsProtocols protocol)
    {
        _client ??= _made.Client(c => c with { Protocols = protocol });
        _server ??= _made.Server(c => c with { Protocols = protocol });
        var tap = new TlsConnectionTap(_client, _server);
        await tap.ShakeHandsAsync();
        return tap;
    }
}
