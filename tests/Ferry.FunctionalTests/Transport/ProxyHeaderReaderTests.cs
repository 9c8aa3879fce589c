using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Sessions;
using Ferry.Transport;
using ProxyHeader = Ferry.Transport.ProxyHeader;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Headers as they come over a socket: nothing of what follows is taken with them, and nothing is left of them.</summary>
public sealed class ProxyHeaderReaderTests : IDisposable
{
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Socket _receiver;
    private readonly Connection _connection;

    public ProxyHeaderReaderTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _sender.Connect(listener.LocalEndPoint!);
        _receiver = listener.Accept();
        _connection = _receiver.AsConnection();
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.DisposeWithConnection();
    }

    [Theory]
    [InlineData("on")]
    [InlineData("v2")]
    public async Task A_header_that_comes_byte_by_byte_is_taken_as_it_comes(string version)
    {
        var header = Header(version);
        var reading = ProxyHeaderReader.ReadAsync(_connection).AsTask();
        foreach (var one in header[..^1])
        {
            await _sender.SendAsync(new[] { one });
            await Wait.Until(() => _receiver.Available == 0, "the byte to be taken");
        }
        Assert.False(reading.IsCompleted);
        await AssertReadAsync(reading, [.. header[^1..], .. "USER anna\r\n"u8], "USER anna\r\n");
    }

    [Theory]
    [InlineData("on")]
    [InlineData("v2")]
    public async Task What_follows_stays_wherever_the_header_is_cut(string version)
    {
        var header = Header(version);
        const string Behind = "\x16\x03\x01 PROXY TCP4 ";
        for (var cut = 0; cut < header.Length; cut++)
        {
            var reading = ProxyHeaderReader.ReadAsync(_connection).AsTask();
            await _sender.SendAsync(header.AsMemory(0, cut));
            await AssertReadAsync(reading, [.. header[cut..], .. Encoding.Latin1.GetBytes(Behind)], Behind);
        }
    }

    [Fact]
    public async Task The_longest_header_is_read_and_not_a_longer_one()
    {
        byte[] longest = [.. Header("v2")[..28], 4, 0x0F, 0xE1, .. new byte[4096 - 31]];
        (longest[14], longest[15]) = (0x0F, 0xF0);
        var reading = ProxyHeaderReader.ReadAsync(_connection).AsTask();
        await _sender.SendAsync(longest.AsMemory(0, 4000));
        await AssertReadAsync(reading, [.. longest[4000..], .. "x"u8], "x");

        longest[15]++;
        await _sender.SendAsync(longest.AsMemory(0, 16));
        var result = await Wait.For(ProxyHeaderReader.ReadAsync(_connection).AsTask(), "the refusal");
        Assert.Null(result.Header);
        Assert.StartsWith("it begins with \"\\x0D\\x0A", result.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_byte_that_is_sent_as_urgent_is_one_of_the_header()
    {
        var header = Header("on");
        var reading = ProxyHeaderReader.ReadAsync(_connection).AsTask();
        await _sender.SendAsync(header.AsMemory(0, 12), SocketFlags.OutOfBand);
        await AssertReadAsync(reading, [.. header[12..], .. "x"u8], "x");
    }

    [Theory]
    [InlineData("", true, "the peer closed the connection and had sent nothing")]
    [InlineData("PROXY TCP4 1", false, "the peer closed the connection within it, after \"PROXY TCP4 1\"")]
    public async Task An_end_before_the_header_is_whole_is_told_as_such(string bytes, bool isSilent, string fault)
    {
        await _sender.SendAsync(Encoding.Latin1.GetBytes(bytes));
        _sender.Shutdown(SocketShutdown.Send);
        Assert.Equal(new ProxyHeaderResult(null, fault, isSilent), await Wait.For(ProxyHeaderReader.ReadAsync(_connection).AsTask(), "the end"));
    }

    [Fact]
    public async Task A_reset_is_a_result_and_a_connection_that_we_close_is_not()
    {
        var reading = ProxyHeaderReader.ReadAsync(_connection).AsTask();
        await _sender.SendAsync("PROXY"u8.ToArray());
        await Wait.Until(() => _receiver.Available == 0, "the bytes to be taken");
        _sender.LingerState = new LingerOption(true, 0);
        _sender.Dispose();
        Assert.Equal(new ProxyHeaderResult(null, "the connection failed (ConnectionReset)"), await Wait.For(reading, "the reset"));

        using var silent = new ProxyHeaderReaderTests();
        reading = ProxyHeaderReader.ReadAsync(silent._connection).AsTask();
        silent._sender.LingerState = new LingerOption(true, 0);
        silent._sender.Dispose();
        Assert.True((await Wait.For(reading, "the other reset")).IsSilent);

        using var other = new ProxyHeaderReaderTests();
        reading = ProxyHeaderReader.ReadAsync(other._connection).AsTask();
        other._connection.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Wait.For(reading, "the end of the wait"));
    }

    private static byte[] Header(string version) => Encoding.Latin1.GetBytes(ForwardingProxy.Header(version, ForwardingProxy.Client));

    /// <summary>Sends the rest, and sees that the header is read and what is behind it is not.</summary>
    private async Task AssertReadAsync(Task<ProxyHeaderResult> reading, byte[] rest, string behind)
    {
        await _sender.SendAsync(rest);
        Assert.Equal(new ProxyHeader(ForwardingProxy.Client, ForwardingProxy.Dialled), (await Wait.For(reading, "the header")).Header);
        await Wait.Until(() => _receiver.Available >= behind.Length, "what is behind the header");
        var bytes = new byte[200];
        Assert.Equal(behind, Encoding.Latin1.GetString(bytes, 0, _connection.Receive(bytes, out _)));
    }
}
