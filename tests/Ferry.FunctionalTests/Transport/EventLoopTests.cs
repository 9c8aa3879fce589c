using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

public sealed class EventLoopTests : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<IDisposable> _open = [];

    public EventLoopTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
    }

    public void Dispose()
    {
        _open.ForEach(static o => o.Dispose());
        _listener.Dispose();
    }

    [Fact]
    public async Task Whoever_waits_goes_on_on_the_connections_loop()
    {
        var (connection, peer) = await ConnectAsync();
        var wait = ReadAsync();
        await peer.SendAsync("x"u8.ToArray());
        Assert.Same(connection.Loop, await Wait.For(wait, "the byte"));

        async Task<EventLoop?> ReadAsync()
        {
            await connection.WaitReadableAsync();
            return EventLoop.Current;
        }
    }

    [Fact]
    public async Task A_wait_finds_what_came_before_it()
    {
        var (connection, peer) = await ConnectAsync();
        await peer.SendAsync("xyz"u8.ToArray());
        for (var i = 0; i < 3; i++)
        {
            await Wait.For(connection.WaitReadableAsync().AsTask(), "what is there");
            Assert.Equal(1, connection.Receive(new byte[1], out var error));
            Assert.Equal(SocketError.Success, error);
        }
        Assert.Equal(0, connection.Receive(new byte[1], out var none));
        Assert.Equal(SocketError.WouldBlock, none);
    }

    [Fact]
    public async Task Reader_and_writer_wait_apart()
    {
        var (connection, peer) = await ConnectAsync();
        var flood = connection.SendAsync(new byte[32 << 20]).AsTask();
        var reading = connection.WaitReadableAsync().AsTask();
        await Wait.Until(() => !connection.HasRoom(), "no room");
        Assert.False(flood.IsCompleted);
        await peer.SendAsync("x"u8.ToArray());
        await Wait.For(reading, "the byte, while there is no room");
        Assert.False(flood.IsCompleted);
        var taken = 0L;
        var buffer = new byte[1 << 20];
        while (taken < 32 << 20)
            taken += await Wait.For(peer.ReceiveAsync(buffer), "the flood");
        await Wait.For(flood, "the end of the flood");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Closing_ends_both_waits_and_those_to_come(bool aborts)
    {
        var (connection, _) = await ConnectAsync();
        var flood = connection.SendAsync(new byte[32 << 20]).AsTask();
        var reading = connection.WaitReadableAsync().AsTask();
        if (aborts)
            connection.Abort();
        else
            connection.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Wait.For(flood, "the writer"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Wait.For(reading, "the reader"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await connection.WaitReadableAsync());
        Assert.Throws<ObjectDisposedException>(() => connection.Receive(new byte[1], out var _));
        Assert.False(connection.TryShutdown(SocketShutdown.Both));
        Assert.True(connection.IsGone());
        connection.Abort();
        connection.Dispose();
    }

    [Fact]
    public async Task Closing_does_not_run_who_waits_under_the_closers_locks()
    {
        var (connection, _) = await ConnectAsync();
        var closer = 0;
        var end = ReadAsync();
        closer = Environment.CurrentManagedThreadId;
        connection.Dispose();
        closer = 0;
        Assert.False(await Wait.For(end, "the reader"));

        async Task<bool> ReadAsync()
        {
            try
            {
                await connection.WaitReadableAsync();
            }
            catch (ObjectDisposedException)
            {
            }
            return closer == Environment.CurrentManagedThreadId;
        }
    }

    [Fact]
    public async Task A_cancelled_wait_ends_as_if_there_were_something_and_the_next_one_waits()
    {
        var (connection, peer) = await ConnectAsync();
        connection.CancelReading(); // nobody waits: without effect
        var first = connection.WaitReadableAsync().AsTask();
        Assert.False(first.IsCompleted);
        connection.CancelReading();
        await Wait.For(first, "the cancelled wait");
        var second = connection.WaitReadableAsync().AsTask();
        Assert.False(second.IsCompleted);
        await peer.SendAsync("x"u8.ToArray());
        await Wait.For(second, "the byte");
    }

    [Fact]
    public async Task Two_waits_for_the_same_are_a_fault_and_harm_the_first_not()
    {
        var (connection, peer) = await ConnectAsync();
        var first = connection.WaitReadableAsync().AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await connection.WaitReadableAsync());
        await peer.SendAsync("x"u8.ToArray());
        await Wait.For(first, "the byte");
    }

    [Fact]
    public async Task The_kernels_errors_have_the_names_that_they_have_in_NET()
    {
        var (connection, peer) = await ConnectAsync();
        var reading = connection.WaitReadableAsync().AsTask();
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        await Wait.For(reading, "the reset");
        Assert.Equal(0, connection.Receive(new byte[1], out var read));
        Assert.Equal(SocketError.ConnectionReset, read);
        var failure = await Assert.ThrowsAsync<SocketException>(() => connection.SendAsync(new byte[1]).AsTask());
        Assert.Equal(SocketError.Shutdown, failure.SocketErrorCode);
        Assert.True(connection.IsGone());
    }

    [Fact]
    public async Task What_is_posted_runs_in_order_on_the_loop_whoever_posts_it()
    {
        var loop = EventLoop.Next();
        var seen = new List<int>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < 10_000; i++)
        {
            loop.Post(state =>
            {
                Assert.Same(loop, EventLoop.Current);
                seen.Add((int)state!);
                if (seen.Count == 10_000)
                    done.SetResult();
            }, i);
        }
        await Wait.For(done.Task, "all");
        Assert.Equal(Enumerable.Range(0, 10_000), seen);
    }

    [Fact]
    public async Task Who_always_has_something_to_do_lets_others_go_first()
    {
        var loop = EventLoop.Next();
        var (connection, peer) = await ConnectAsync();
        connection.Loop = loop;
        var isDone = false;
        var busy = SpinAsync();
        await peer.SendAsync("x"u8.ToArray());
        await Wait.For(connection.WaitReadableAsync().AsTask(), "the byte, beside the busy one");
        Volatile.Write(ref isDone, true);
        await Wait.For(busy, "the busy one");

        async Task SpinAsync()
        {
            while (!Volatile.Read(ref isDone))
                await loop.NextTurn();
        }
    }

    [Fact]
    public async Task Places_and_descriptors_that_are_used_again_confuse_nobody()
    {
        var random = new Random(7);
        for (var round = 0; round < 40; round++)
        {
            var pairs = new List<(Connection Connection, Socket Peer)>();
            for (var i = 0; i < 50; i++)
                pairs.Add(await ConnectAsync(keep: false));
            var reads = pairs.Select(static p => TryReadAsync(p.Connection)).ToArray();
            await Task.WhenAll(pairs.Select((p, i) => Task.Run(async () =>
            {
                Thread.SpinWait(random.Next(2_000));
                if (i % 2 == 0)
                    p.Connection.Dispose();
                await p.Peer.SendAsync(BitConverter.GetBytes(i));
            })));
            for (var i = 0; i < 50; i++)
            {
                if (await Wait.For(reads[i], $"read {i} of round {round}") is { } got)
                    Assert.Equal(i, got);
                else
                    Assert.Equal(0, i % 2);
                pairs[i].Connection.Dispose();
                pairs[i].Peer.Dispose();
            }
        }

        static async Task<int?> TryReadAsync(Connection connection)
        {
            try
            {
                await connection.WaitReadableAsync();
                var buffer = new byte[4];
                return connection.Receive(buffer, out var error) == 4 && error == SocketError.Success ? BitConverter.ToInt32(buffer) : null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
        }
    }

    [Fact]
    public async Task A_connection_that_is_refused_or_given_up_says_so()
    {
        using var refused = Connection.Open(new IPEndPoint(IPAddress.Loopback, FreePorts.One()), loop: null);
        Assert.Equal(SocketError.ConnectionRefused, await Wait.For(refused.ConnectAsync(default).AsTask(), "the refusal"));
        using var never = Connection.Open(new IPEndPoint(IPAddress.Loopback, 1), loop: null);
        Assert.Equal(SocketError.TimedOut, await never.ConnectAsync(new CancellationToken(canceled: true)));
    }

    private async Task<(Connection Connection, Socket Peer)> ConnectAsync(bool keep = true)
    {
        var connection = Connection.Open((IPEndPoint)_listener.LocalEndPoint!, loop: null);
        var accepted = _listener.AcceptAsync();
        Assert.Equal(SocketError.Success, await Wait.For(connection.ConnectAsync(default).AsTask(), "the connection"));
        var peer = await Wait.For(accepted, "the peer");
        if (keep)
            _open.AddRange([connection, peer]);
        return (connection, peer);
    }
}
