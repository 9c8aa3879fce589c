using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

public sealed class ControlChannelTests : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ControlChannelTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_silent_connection_is_probed_before_firewalls_forget_it(bool keepAlive)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(_listener.LocalEndPoint!);
        using var peer = _listener.Accept();
        using var channel = new ControlChannel(socket.IntoConnection(), noDelay: true, keepAlive, urgent: false);
        var shown = channel.Connection.AsSocket();

        Assert.Equal(keepAlive, (int)shown.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)! != 0);
        Assert.Equal(keepAlive, (int)shown.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)! <= 240);
    }

    [Fact]
    public async Task A_flush_ends_only_when_what_was_written_before_it_has_been_sent_whoever_sends_it()
    {
        var (channel, wire) = await ConnectAsync();
        const int rounds = 3_000;
        var missing = 0;
        var reading = Task.Run(async () =>
        {
            var buffer = new byte[65536];
            while (await wire.Socket.ReceiveAsync(buffer, SocketFlags.None) > 0)
            {
            }
        });
        // Every round begins with one phase and ends with another, when both flushes have ended.
        using var barrier = new Barrier(2, b =>
        {
            if (b.CurrentPhaseNumber % 2 == 1 && channel.BytesSent != b.CurrentPhaseNumber + 1)
                missing++;
        });
        await Wait.For(Task.WhenAll(Task.Run(() => WriteInTurn(channel, barrier, rounds, (byte)'a')), Task.Run(() => WriteInTurn(channel, barrier, rounds, (byte)'b'))), "two writers");
        channel.Close();
        await Wait.For(reading, "the end");
        Assert.Equal(0, missing);
        wire.Dispose();
    }

    [Theory]
    [InlineData("", "x", "yz\r\n")]
    [InlineData("", "\u00ff", "\u00f2ABOR\r\n")]
    [InlineData("\u00ff\u00f4", "\u00ff", "\u00f2ABOR\r\n")]
    [InlineData("ABOR\r", "\n", "")]
    public async Task An_urgent_byte_is_known_though_each_part_comes_alone(string before, string urgent, string after)
    {
        var (channel, wire) = await ConnectAsync();
        var all = before + urgent + after;
        var offset = -1;
        var reading = Task.Run(async () =>
        {
            while (channel.Buffered.Length < all.Length)
                Assert.True(await channel.FillAsync());
            offset = channel.UrgentOffset;
        });
        if (before.Length > 0)
            await wire.SendRawAsync(before);
        await wire.ReadByPeerAsync();
        await wire.SendUrgentAsync(urgent);
        await wire.ReadByPeerAsync();
        if (after.Length > 0)
            await wire.SendRawAsync(after);
        await Wait.For(reading, "the bytes");
        Assert.Equal(before.Length, offset);
        Assert.Equal(System.Text.Encoding.Latin1.GetBytes(all), channel.Buffered.ToArray());
        channel.Dispose();
        wire.Dispose();
    }

    [Fact]
    public async Task A_close_delivers_what_was_sent_though_the_peer_has_sent_more()
    {
        var (channel, wire) = await ConnectAsync();
        await wire.SendAsync([.. Enumerable.Repeat("NOOP", 1000)]);
        channel.EndWith("421 Bye.\r\n"u8);
        channel.Close();
        Assert.Equal("421 Bye.", await wire.ReadLineAsync());
        wire.Dispose();
    }

    [Fact]
    public async Task A_reader_that_is_flooded_lets_others_have_its_thread()
    {
        var (channel, wire) = await ConnectAsync();
        wire.Socket.Blocking = false;
        var flood = new byte[65536];
        await Wait.Until(() => wire.Socket.Send(flood, SocketFlags.None, out var error) == 0 && error == SocketError.WouldBlock, "the channel's peer to have no room");

        int waited = 0, inOneGo = 0, most = 0;
        for (var i = 0; i < 200 && waited == 0; i++)
        {
            var filled = channel.FillAsync();
            inOneGo = filled.IsCompleted ? inOneGo + 1 : 0;
            most = Math.Max(most, inOneGo);
            // What waits here has bytes to read, and so waited for nothing but its turn.
            if (!filled.IsCompleted)
                waited++;
            Assert.True(await Wait.For(filled.AsTask(), "bytes that are there"));
            channel.Consume(channel.Buffered.Length);
        }
        Assert.Equal(1, waited);
        Assert.InRange(most, 0, 32);
        channel.Dispose();
        wire.Dispose();
    }

    private static void WriteInTurn(ControlChannel channel, Barrier barrier, int rounds, byte letter)
    {
        var random = new Random(letter);
        for (var round = 0; round < rounds; round++)
        {
            barrier.SignalAndWait(Wait.Bound);
            Thread.SpinWait(random.Next(100));
            channel.Write([letter]);
            channel.FlushAsync().AsTask().Wait(Wait.Bound);
            barrier.SignalAndWait(Wait.Bound);
        }
    }

    private async Task<(ControlChannel Channel, LineWire Wire)> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_listener.LocalEndPoint!);
        return (new ControlChannel((await _listener.AcceptAsync()).IntoConnection(), noDelay: true, keepAlive: true, urgent: true), new LineWire(socket));
    }
}
