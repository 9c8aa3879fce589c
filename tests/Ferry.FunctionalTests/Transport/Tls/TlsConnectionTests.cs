using System.Net.Sockets;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;
using TlsWire = Ferry.Transport.Tls.TlsWire;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsConnectionTests : IDisposable
{
    private const TlsProtocols All = TlsProtocols.Tls10 | TlsProtocols.Tls11 | TlsProtocols.Tls12 | TlsProtocols.Tls13;

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData(TlsProtocols.Tls13, "TLSv1.3")]
    [InlineData(TlsProtocols.Tls12, "TLSv1.2")]
    [InlineData(TlsProtocols.Tls11, "TLSv1.1")]
    [InlineData(TlsProtocols.Tls10, "TLSv1")]
    public async Task Each_version_of_TLS_carries_bytes_both_ways(TlsProtocols protocol, string name)
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(c => c with { Protocols = All }), _made.Server(c => c with { Protocols = protocol }));

        Assert.Equal(name, pair.Client.Info!.Protocol);
        Assert.Equal(pair.Client.Info.Cipher, pair.Server.Info!.Cipher);
        Assert.False(pair.Server.Info.IsResumed);
        await TlsConnectionPair.SendAsync(pair.Client, "NOOP\r\n"u8.ToArray());
        Assert.Equal("NOOP\r\n", await TlsConnectionPair.ReadTextAsync(pair.Server, pair.ServerSocket, 6));
        await TlsConnectionPair.SendAsync(pair.Server, "200 OK\r\n"u8.ToArray());
        Assert.Equal("200 OK\r\n", await TlsConnectionPair.ReadTextAsync(pair.Client, pair.ClientSocket, 8));
    }

    [Theory]
    [InlineData(TlsProtocols.Tls13, true)]
    [InlineData(TlsProtocols.Tls13, false)]
    [InlineData(TlsProtocols.Tls12, true)]
    [InlineData(TlsProtocols.Tls12, false)]
    [InlineData(TlsProtocols.Tls10, true)]
    public async Task Every_size_around_the_bounds_of_records_and_batches_arrives_whole_both_ways_at_once(TlsProtocols protocol, bool isData)
    {
        var server = _made.Server(c => c with { Protocols = protocol });
        var client = _made.Client(c => c with { Protocols = All });
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        using var pair = await TlsConnectionPair.ShakenAsync(client, server, isData, origin: isData ? control.Server.Origin : null);
        int[] sizes = [0, 1, 2, 4095, 4096, 4097, 16383, 16384, 16385, (32 * 1024) - 1, 32 * 1024, (256 * 1024) - 1, 256 * 1024, (256 * 1024) + 1, 1 << 20];
        foreach (var size in sizes)
        {
            var up = Bytes(size, 1);
            var down = Bytes(size, 2);
            var gotUp = TlsConnectionPair.ReadAsync(pair.Server, pair.ServerSocket, size);
            var gotDown = TlsConnectionPair.ReadAsync(pair.Client, pair.ClientSocket, size);
            await Task.WhenAll(TlsConnectionPair.SendAsync(pair.Client, up), TlsConnectionPair.SendAsync(pair.Server, down));
            Assert.True((await gotUp).AsSpan().SequenceEqual(up), $"{size} bytes up");
            Assert.True((await gotDown).AsSpan().SequenceEqual(down), $"{size} bytes down");
        }
    }

    [Theory]
    [InlineData(TlsProtocols.Tls13)]
    [InlineData(TlsProtocols.Tls12)]
    public async Task A_connection_at_rest_holds_no_buffer(TlsProtocols protocol)
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(c => c with { Protocols = protocol }), _made.Server(c => c with { Protocols = protocol }));
        await pair.TakeTicketsAsync();
        await TlsConnectionPair.SendAsync(pair.Client, Bytes(100_000, 3));
        await TlsConnectionPair.ReadAsync(pair.Server, pair.ServerSocket, 100_000);
        foreach (var connection in (TlsConnection[])[pair.Client, pair.Server])
        {
            Assert.Equal(TlsReadStatus.WouldBlock, connection.Read(new byte[16], out _));
            AssertHoldsNothing(TlsConnectionPair.Wire(connection));
        }
    }

    [Fact]
    public async Task Nothing_reads_from_the_socket_between_two_calls()
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(), _made.Server());
        await TlsConnectionPair.SendAsync(pair.Client, "NOOP\r\n"u8.ToArray());

        var wire = TlsConnectionPair.Wire(pair.Server);
        Assert.Equal(-1, wire.Socket);
        Assert.Equal(0, wire.Budget);
    }

    [Fact]
    public async Task An_error_that_others_have_left_on_the_thread_is_not_taken_for_the_connections()
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(), _made.Server());
        // .NET's own calls leave such things behind as well.
        using var trial = new SafeSslContextHandle(OpenSsl.SSL_CTX_new(OpenSsl.TLS_client_method()));
        Assert.Equal(0, OpenSsl.SSL_CTX_set_cipher_list(trial, "no such cipher"));

        Assert.Equal(TlsReadStatus.WouldBlock, pair.Server.Read(new byte[16], out _));
        Assert.Null(pair.Server.Failure);
    }

    [Fact]
    public async Task Nothing_can_be_sent_before_the_handshake()
    {
        using var pair = TlsConnectionPair.Create(_made.Client(), _made.Server());

        await Assert.ThrowsAsync<SocketException>(async () => await pair.Client.SendAsync("x"u8.ToArray()));
        Assert.Equal(0, pair.Client.TrySendLast("421 Bye.\r\n"u8));
        Assert.Equal(0, pair.ServerSocket.Available);
    }

    [Fact]
    public async Task Two_writers_and_a_reader_lose_nothing()
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(), _made.Server());
        const int Lines = 5_000;
        var reading = TlsConnectionPair.ReadToEndAsync(pair.Server, pair.ServerSocket);
        await Wait.For(Task.WhenAll(WriteAsync((byte)'a'), WriteAsync((byte)'b')), "two writers");
        Assert.True(await pair.Client.EndSendAsync(notify: true));

        var (bytes, end) = await reading;
        Assert.Equal(TlsReadStatus.CloseNotify, end);
        Assert.Equal(2 * Lines * 10, bytes.Length);
        for (var i = 0; i < bytes.Length; i += 10)
            Assert.True(bytes.AsSpan(i, 10).IndexOfAnyExcept(bytes[i]) < 0, "lines are whole");

        async Task WriteAsync(byte letter)
        {
            await Task.Yield();
            var line = new byte[10];
            line.AsSpan().Fill(letter);
            for (var i = 0; i < Lines; i++)
                await pair.Client.SendAsync(line);
        }
    }

    internal static unsafe void AssertHoldsNothing(TlsWire wire)
    {
        Assert.True(wire.In == null);
        Assert.True(wire.Out == null);
    }

    internal static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
