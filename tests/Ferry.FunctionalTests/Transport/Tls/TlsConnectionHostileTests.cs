using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;
using Xunit.Abstractions;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsConnectionHostileTests(ITestOutputHelper output) : IDisposable
{
    private const int Flood = 200_000;

    /// <summary>Bytes of answers that one turn may cause: each is of 27, and stands for a message that was worked on.</summary>
    private const int MostAnswersInTurn = 4096;

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    /// <summary>Each is a message of 27 bytes that makes both ends derive new keys, and asks for one in return, which the peer never reads.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flood_of_KeyUpdates_keeps_neither_the_thread_nor_memory(bool isData)
    {
        var client = _made.Client();
        var server = _made.Server();
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        using var pair = await TlsConnectionPair.ShakenAsync(client, server, isData, origin: isData ? control.Server.Origin : null);
        var flooding = Task.Run(async () =>
        {
            for (var i = 0; i < Flood / 1000; i++)
                await TlsConnectionPair.SendKeyUpdatesAsync(pair.Client, 1000);
        });
        try
        {
            var before = 0;
            var slowest = TimeSpan.Zero;
            var turns = 0;
            var status = TlsReadStatus.WouldBlock;
            while (status == TlsReadStatus.WouldBlock)
            {
                if (!pair.Server.HasBuffered)
                    await Wait.For(pair.ServerSocket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).AsTask(), "the flood");
                var start = TimeProvider.System.GetTimestamp();
                status = pair.Server.Read(new byte[256], out _);
                var took = TimeProvider.System.GetElapsedTime(start);
                slowest = took > slowest ? took : slowest;
                turns++;
                var answers = TlsConnectionPair.Wire(pair.Server).OutLength;
                Assert.InRange(answers - before, 0, MostAnswersInTurn);
                before = answers;
            }
            Assert.Equal(TlsReadStatus.Failed, status);
            Assert.Equal("the peer sends messages of TLS itself without end", pair.Server.Failure);
            output.WriteLine($"{turns} turns; the longest took {slowest.TotalMilliseconds:F1} ms");
        }
        finally
        {
            pair.ServerSocket.DisposeWithConnection(); // the SSL of the flood only when nobody uses it any more
            await Wait.For(Task.WhenAny(flooding), "the end of the flood");
        }
    }

    /// <summary>A byte now and then makes no flood an honest stream, but each turn ends early, and answers that nobody reads end the connection.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flood_of_KeyUpdates_with_a_byte_between_them_is_taken_in_small_turns(bool isData)
    {
        var client = _made.Client();
        var server = _made.Server();
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        using var pair = await TlsConnectionPair.ShakenAsync(client, server, isData, origin: isData ? control.Server.Origin : null);
        var flooding = Task.Run(async () =>
        {
            for (var i = 0; i < Flood / 10; i++)
            {
                await TlsConnectionPair.SendKeyUpdatesAsync(pair.Client, 10);
                await pair.Client.SendAsync("x"u8.ToArray());
            }
        });
        try
        {
            var turns = 0;
            var before = 0;
            var slowest = TimeSpan.Zero;
            var status = TlsReadStatus.Data;
            while (status is TlsReadStatus.Data or TlsReadStatus.WouldBlock)
            {
                if (!pair.Server.HasBuffered)
                    await Wait.For(pair.ServerSocket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).AsTask(), "the flood");
                var start = TimeProvider.System.GetTimestamp();
                status = pair.Server.Read(new byte[64 * 1024], out _);
                var took = TimeProvider.System.GetElapsedTime(start);
                slowest = took > slowest ? took : slowest;
                turns++;
                var answers = TlsConnectionPair.Wire(pair.Server).OutLength;
                Assert.InRange(answers - before, 0, MostAnswersInTurn);
                before = answers;
            }
            output.WriteLine($"{turns} turns; the longest took {slowest.TotalMilliseconds:F1} ms");
            Assert.Equal("the peer reads nothing", pair.Server.Failure);
        }
        finally
        {
            pair.ServerSocket.DisposeWithConnection();
            await Wait.For(Task.WhenAny(flooding), "the end of the flood");
        }
    }

    /// <summary>Each HelloRequest of TLS 1.2 is answered with a warning, which the peer never reads.</summary>
    [Fact]
    public async Task A_flood_of_wishes_to_renegotiate_ends_the_connection()
    {
        using var pair = await TlsConnectionPair.ShakenAsync(
            _made.Client(c => c with { Protocols = TlsProtocols.Tls12 }), _made.Server(c => c with { Protocols = TlsProtocols.Tls12 }));
        TlsConnectionPair.AllowRenegotiation(pair.Server);
        var flooding = Task.Run(async () =>
        {
            try
            {
                for (var i = 0; i < 1_000_000; i++)
                {
                    TlsConnectionPair.AskForRenegotiation(pair.Server);
                    if (i % 100 == 0)
                        await pair.Server.SendUnaskedAsync();
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        });
        var status = TlsReadStatus.WouldBlock;
        var most = 0;
        while (status == TlsReadStatus.WouldBlock)
        {
            if (!pair.Client.HasBuffered)
                await Wait.For(pair.ClientSocket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).AsTask(), "the flood");
            status = pair.Client.Read(new byte[256], out _);
            most = Math.Max(most, TlsConnectionPair.Wire(pair.Client).OutLength);
        }
        Assert.Equal(TlsReadStatus.Failed, status);
        Assert.Equal("the peer sends messages of TLS itself without end", pair.Client.Failure);
        Assert.InRange(most, 0, 1 << 20);
        pair.ClientSocket.DisposeWithConnection();
        await Wait.For(flooding, "the end of the flood");
    }

    [Fact]
    public async Task A_client_that_wants_to_renegotiate_is_refused()
    {
        using var pair = await TlsConnectionPair.ShakenAsync(
            _made.Client(c => c with { Protocols = TlsProtocols.Tls12 }), _made.Server(c => c with { Protocols = TlsProtocols.Tls12 }));
        TlsConnectionPair.AllowRenegotiation(pair.Client);
        TlsConnectionPair.AskForRenegotiation(pair.Client);
        await pair.Client.SendUnaskedAsync();
        await pair.ServerSocket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);

        Assert.Equal(TlsReadStatus.WouldBlock, pair.Server.Read(new byte[16], out _));
        await pair.Server.SendUnaskedAsync();
        Assert.Equal(TlsReadStatus.Failed, (await TlsConnectionPair.NextAsync(pair.Client, pair.ClientSocket, new byte[16])).Status);
        Assert.Equal("no renegotiation", pair.Client.Failure);
    }

    [Fact]
    public async Task A_flood_of_records_of_one_byte_keeps_nobody_for_long()
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(), _made.Server());
        var flooding = Task.Run(async () =>
        {
            for (var i = 0; i < 50_000; i++)
                await pair.Client.SendAsync("x"u8.ToArray());
            await pair.Client.EndSendAsync(notify: true);
        });
        var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket);
        Assert.Equal(50_000, bytes.Length);
        Assert.Equal(TlsReadStatus.CloseNotify, end);
        await flooding;
    }

    [Fact]
    public async Task Disposing_at_any_moment_while_bytes_flow_both_ways_is_safe()
    {
        var random = new Random(5);
        var client = _made.Client();
        var server = _made.Server();
        for (var i = 0; i < 300; i++)
        {
            var pair = await TlsConnectionPair.ShakenAsync(client, server);
            Task[] all =
            [
                WriteAsync(pair.Client), WriteAsync(pair.Server),
                TlsConnectionPair.ReadToEndAsync(pair.Client, pair.ClientSocket), TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket),
            ];
            var how = random.Next(4);
            await Task.Run(() =>
            {
                Thread.SpinWait(random.Next(200_000));
                if (how < 2)
                    pair.Client.Dispose(); // the SSL first, under everybody's hands
                if (how == 1)
                    pair.Server.Dispose();
                pair.ClientSocket.DisposeWithConnection();
                if (how == 3)
                    _ = pair.Server.TrySendLast("421 Bye.\r\n"u8);
                pair.ServerSocket.DisposeWithConnection();
                pair.Dispose();
            });
            foreach (var one in all)
                await Wait.For(Task.WhenAny(one), $"everybody in round {i}");
        }

        static async Task WriteAsync(TlsConnection connection)
        {
            await Task.Yield();
            try
            {
                while (true)
                    await connection.SendAsync(new byte[100_000]);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        }
    }
}
