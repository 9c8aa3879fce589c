using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport;

/// <summary>A control channel that is a server of TLS; the test is its client.</summary>
public sealed class ControlChannelTlsTests : IDisposable
{
    private readonly TlsContexts _made = new();
    private readonly TlsContext _clients;
    private readonly TlsContext _servers;
    private readonly Socket _socket;
    private readonly ControlChannel _channel;
    private readonly TlsConnection _client;

    public ControlChannelTlsTests()
    {
        _clients = _made.Server();
        _servers = _made.Client();
        (_socket, var socket) = TlsConnectionPair.Connect();
        _channel = new ControlChannel(socket.IntoConnection(), noDelay: true, keepAlive: false, urgent: true);
        _client = TlsConnection.Connect(_servers, _socket.AsConnection(), isData: false, TlsPeerName.Any, resume: null);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _client.Dispose();
        _socket.DisposeWithConnection();
        _made.Dispose();
    }

    [Fact]
    public async Task What_is_written_while_TLS_begins_goes_out_behind_the_handshake()
    {
        _channel.Write("234 Go ahead.\r\n"u8);
        var starting = StartAsync();
        _channel.Write("220 Not in clear!\r\n"u8);
        var flushing = _channel.FlushAsync().AsTask();
        Assert.False(flushing.IsCompleted);
        Assert.Equal("234 Go ahead.\r\n", await TakeClearAsync());

        Assert.True(await Wait.For(_client.HandshakeAsync().AsTask(), "the handshake"));
        Assert.True(await Wait.For(starting, "TLS"));
        await Wait.For(flushing, "the line that waited");
        Assert.Equal("220 Not in clear!\r\n", await TlsConnectionPair.ReadTextAsync(_client, _socket, 19));
        Assert.Equal("TLSv1.3", _channel.TlsInfo!.Protocol);
    }

    [Fact]
    public async Task Nothing_goes_out_in_clear_behind_a_handshake_that_failed()
    {
        _channel.Write("234 Go ahead.\r\n"u8);
        var starting = StartAsync();
        _channel.Write("331 early\r\n"u8);
        var flushing = _channel.FlushAsync().AsTask();
        Assert.Equal("234 Go ahead.\r\n", await TakeClearAsync());
        await TlsConnectionTap.GiveAsync(_socket, "USER anonymous\r\n"u8.ToArray());

        Assert.False(await Wait.For(starting, "the end of the handshake"));
        await Assert.ThrowsAsync<SocketException>(() => Wait.For(flushing, "the end of the line that waited"));
        _channel.Write("331 late\r\n"u8);
        await Assert.ThrowsAsync<SocketException>(async () => await _channel.FlushAsync());
        await Assert.ThrowsAsync<SocketException>(async () => await _channel.SendUrgentAsync("x"u8.ToArray()));
        await Assert.ThrowsAsync<SocketException>(async () => await _channel.FillAsync());
        _channel.EndWith("421 Bye.\r\n"u8);
        _channel.Close();
        Assert.DoesNotContain("331", await TakeClearToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_handshake_frees_who_waits_to_write()
    {
        var starting = StartAsync();
        _channel.Write("220 Hello.\r\n"u8);
        var flushing = _channel.FlushAsync().AsTask();
        _socket.Shutdown(SocketShutdown.Send);

        Assert.False(await Wait.For(starting, "the end of the handshake"));
        await Assert.ThrowsAsync<SocketException>(() => Wait.For(flushing, "the end of the line that waited"));
    }

    [Fact]
    public async Task An_end_during_the_handshake_ends_it()
    {
        var starting = StartAsync();
        _channel.EndWith("421 Bye.\r\n"u8);
        Assert.False(await Wait.For(starting, "the end of the handshake"));
        Assert.DoesNotContain("421", await TakeClearToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_pass_both_ways_and_are_counted_as_they_read()
    {
        await StartedAsync();
        for (var i = 0; i < 100; i++)
        {
            var line = Encoding.ASCII.GetBytes(new string('x', i * 40) + "\r\n");
            await _client.SendAsync(line);
            Assert.Equal(line, await FillAsync(line.Length));
            _channel.Consume(line.Length);
            _channel.Write(line);
            await _channel.FlushAsync();
            Assert.Equal(line, await TlsConnectionPair.ReadAsync(_client, _socket, line.Length));
        }
        Assert.Equal(_channel.BytesReceived, _channel.BytesSent);
        Assert.Equal((40 * 99 * 100 / 2) + 200, _channel.BytesSent);
    }

    [Fact]
    public async Task A_last_line_arrives_with_close_notify_behind_what_was_written()
    {
        await StartedAsync();
        _channel.Write("226 Done.\r\n"u8);
        _channel.EndWith("421 Bye.\r\n"u8);
        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(_client, _socket);
        Assert.Equal("226 Done.\r\n421 Bye.\r\n", Encoding.ASCII.GetString(bytes));
        Assert.Equal(TlsReadStatus.CloseNotify, end);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_end_of_a_client_is_the_end_whether_it_makes_ceremony_or_not(bool notify)
    {
        await StartedAsync();
        await _client.SendAsync("QUIT\r\n"u8.ToArray());
        Assert.True(await _client.EndSendAsync(notify));
        Assert.Equal("QUIT\r\n"u8.ToArray(), await FillAsync(6));
        Assert.False(await Wait.For(_channel.FillAsync().AsTask(), "the end"));

        // It still gets its answer.
        _channel.Write("221 Bye.\r\n"u8);
        await _channel.FlushAsync();
        _channel.Close();
        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(_client, _socket);
        Assert.Equal("221 Bye.\r\n", Encoding.ASCII.GetString(bytes));
        Assert.Equal(TlsReadStatus.CloseNotify, end);
    }

    [Theory]
    [InlineData("fin")]
    [InlineData("rubbish")]
    [InlineData("end")]
    [InlineData("dispose")]
    public async Task A_client_that_does_not_leave_TLS_in_order_frees_who_waits_to_write(string how)
    {
        await StartedAsync();
        var stopping = _channel.StopTlsAsync().AsTask();
        _channel.Write("150 waits\r\n"u8);
        var flushing = _channel.FlushAsync().AsTask();
        switch (how)
        {
            case "fin":
                _socket.Shutdown(SocketShutdown.Send);
                break;
            case "rubbish":
                await TlsConnectionTap.GiveAsync(_socket, new byte[] { 23, 3, 3, 0, 32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32 });
                break;
            case "end":
                _channel.EndWith("421 Bye.\r\n"u8);
                break;
            default:
                _channel.Dispose();
                break;
        }
        Assert.False(await Wait.For(stopping, "the end of TLS"));
        await Assert.ThrowsAsync<SocketException>(() => Wait.For(flushing, "the end of the line that waited"));
        await Assert.ThrowsAsync<SocketException>(async () => await _channel.FillAsync());
    }

    [Fact]
    public async Task A_channel_that_waits_holds_no_buffer()
    {
        await StartedAsync();
        await _client.SendAsync("NOOP\r\n"u8.ToArray());
        Assert.Equal("NOOP\r\n"u8.ToArray(), await FillAsync(6));
        _channel.Consume(6);
        _channel.Write("200 OK.\r\n"u8); // with which the handshake's tickets go out
        await _channel.FlushAsync();
        var filling = _channel.FillAsync().AsTask();
        await Wait.Until(() => _channel.Tls!.HasBuffered == false, "the channel to wait");
        TlsConnectionTests.AssertHoldsNothing(TlsConnectionPair.Wire(_channel.Tls!));
        Assert.False(filling.IsCompleted);
    }

    [Fact]
    public async Task A_reader_that_is_flooded_lets_others_have_its_thread()
    {
        await StartedAsync();
        var flooding = _client.SendAsync(new byte[8 << 20]).AsTask();
        await Wait.Until(() => !_socket.Poll(0, SelectMode.SelectWrite), "the channel's peer to have no room");
        int inOneGo = 0, most = 0, waited = 0;
        for (var i = 0; i < 400 && waited == 0; i++)
        {
            // On the loop's own thread: from another, what waits for the loop's next turn may be over before it is looked at.
            await _channel.Connection.Loop.NextTurn();
            var filled = _channel.FillAsync();
            inOneGo = filled.IsCompleted ? inOneGo + 1 : 0;
            most = Math.Max(most, inOneGo);
            if (!filled.IsCompleted)
                waited++;
            Assert.True(await Wait.For(filled.AsTask(), "bytes that are there"));
            _channel.Consume(_channel.Buffered.Length);
        }
        Assert.Equal(1, waited);
        Assert.InRange(most, 0, 32);
        _channel.Dispose();
        _socket.DisposeWithConnection();
        await Assert.ThrowsAnyAsync<Exception>(() => Wait.For(flooding, "the end of the flood"));
    }

    private Task<bool> StartAsync() => _channel.StartTlsAsync(TlsConnection.AcceptControl(_clients, _channel.Connection)).AsTask();

    private async Task StartedAsync()
    {
        var started = await Wait.For(Task.WhenAll(StartAsync(), _client.HandshakeAsync().AsTask()), "the handshake");
        Assert.True(started[0] && started[1]);
    }

    private async Task<byte[]> FillAsync(int count)
    {
        while (_channel.Buffered.Length < count)
            Assert.True(await Wait.For(_channel.FillAsync().AsTask(), "bytes"));
        return _channel.Buffered.ToArray();
    }

    private async Task<string> TakeClearAsync()
    {
        var buffer = new byte[4096];
        return Encoding.Latin1.GetString(buffer, 0, await Wait.For(_socket.ReceiveAsync(buffer, SocketFlags.None), "a line in clear"));
    }

    private async Task<string> TakeClearToEndAsync()
    {
        var all = new StringBuilder();
        try
        {
            while (await TakeClearAsync() is { Length: > 0 } text)
                all.Append(text);
        }
        catch (SocketException)
        {
        }
        return all.ToString();
    }
}
