using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Whoever waits on a channel that Ferry ends goes on, and without an exception where it reads: a session's usual end is no failure, whatever its peer does.</summary>
public sealed class ControlChannelShutdownTests : IDisposable
{
    private readonly TlsContexts _made = new();
    private readonly Socket _peer;
    private readonly ControlChannel _channel;
    private TlsConnection? _client;

    public ControlChannelShutdownTests()
    {
        (_peer, var socket) = TlsConnectionPair.Connect();
        _channel = new ControlChannel(socket.IntoConnection(), noDelay: true, keepAlive: false, urgent: true);
    }

    public static TheoryData<bool, bool> All => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    public void Dispose()
    {
        _channel.Dispose();
        _client?.Dispose();
        _peer.DisposeWithConnection();
        _made.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_waits_gets_the_end(bool isTls)
    {
        await BeginAsync(isTls);
        var reading = _channel.FillAsync().AsTask();
        Assert.False(reading.IsCompleted);

        _channel.Shutdown();

        Assert.False(await Wait.For(reading, "the reader to go on"));
        AssertCloses();
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_peer_that_still_sends_and_so_has_the_connection_reset_is_an_end(bool isTls, bool isReading)
    {
        await BeginAsync(isTls);
        var reading = isReading ? _channel.FillAsync().AsTask() : null;
        _channel.Shutdown();
        await UntilResetAsync();

        if (reading is not null)
            Assert.False(await Wait.For(reading, "the reader to go on"));
        Assert.False(await Wait.For(_channel.FillAsync().AsTask(), "the end"));
        AssertCloses();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_peer_that_has_closed_already_is_an_end(bool isTls)
    {
        await BeginAsync(isTls);
        _channel.ShutdownSend();
        _peer.DisposeWithConnection();
        await Wait.Until(_channel.Connection.IsGone, "the kernel to have done with the connection");

        _channel.Shutdown();

        Assert.False(await Wait.For(_channel.FillAsync().AsTask(), "the end"));
        AssertCloses();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_peer_that_resets_before_is_a_failure_once(bool isTls)
    {
        await BeginAsync(isTls);
        var reading = _channel.FillAsync().AsTask();
        _peer.LingerState = new LingerOption(true, 0);
        _peer.DisposeWithConnection();
        await Assert.ThrowsAsync<SocketException>(() => Wait.For(reading, "the reader to go on"));

        _channel.Shutdown();

        Assert.False(await Wait.For(_channel.FillAsync().AsTask(), "the end"));
        AssertCloses();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_writer_whose_peer_reads_nothing_fails_at_once(bool isTls)
    {
        await BeginAsync(isTls);
        Task writing;
        var line = new byte[64 * 1024];
        do
        {
            _channel.Write(line);
            writing = _channel.FlushAsync().AsTask();
        }
        while (writing.IsCompletedSuccessfully);
        var waiting = _channel.FlushAsync().AsTask();

        _channel.Shutdown();

        await Assert.ThrowsAsync<SocketException>(() => Wait.For(writing, "the writer to go on"));
        await Assert.ThrowsAsync<SocketException>(() => Wait.For(waiting, "who waits for the writer"));
        AssertCloses();
    }

    [Fact]
    public async Task A_handshake_under_way_fails_at_once()
    {
        var starting = _channel.StartTlsAsync(TlsConnection.AcceptControl(_made.Server(), _channel.Connection)).AsTask();
        Assert.False(starting.IsCompleted);

        _channel.Shutdown();

        Assert.False(await Wait.For(starting, "the handshake to end"));
        AssertCloses();
    }

    private async Task BeginAsync(bool isTls)
    {
        if (!isTls)
            return;
        _client = TlsConnection.Connect(_made.Client(), _peer.AsConnection(), isData: false, TlsPeerName.Any, resume: null);
        var starting = _channel.StartTlsAsync(TlsConnection.AcceptControl(_made.Server(), _channel.Connection)).AsTask();
        Assert.True(await Wait.For(_client.HandshakeAsync().AsTask(), "the handshake"));
        Assert.True(await Wait.For(starting, "TLS"));
    }

    // What comes behind a shutdown of both directions is answered with RST (RFC 1122 §4.2.2.13).
    private async Task UntilResetAsync()
    {
        _peer.Blocking = false;
        await Wait.Until(
            () =>
            {
                _ = _peer.Send("NOOP\r\n"u8, SocketFlags.None, out var error);
                return error is not (SocketError.Success or SocketError.WouldBlock);
            },
            "the peer to be reset");
    }

    private void AssertCloses()
    {
        _channel.Close();
        Assert.True(_channel.Connection.Handle.IsClosed);
    }
}
