using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport;

/// <summary>A control channel that is about to leave TLS, with a client whose bytes pass through the hands of the test.</summary>
internal sealed class ControlChannelTlsLeaving : IDisposable
{
    private readonly TlsContext _server;
    private readonly byte[] _buffer = new byte[4096];

    public ControlChannelTlsLeaving(TlsContext server, TlsContext client)
    {
        _server = server;
        Tap = new TlsConnectionTap(client, server);
        (ClientSide, var socket) = TlsConnectionPair.Connect();
        Channel = new ControlChannel(socket.IntoConnection(), noDelay: true, keepAlive: false, urgent: true);
    }

    public TlsConnectionTap Tap { get; }

    public ControlChannel Channel { get; }

    /// <summary>The client's end of the channel's connection.</summary>
    public Socket ClientSide { get; }

    public async Task StartAsync()
    {
        var starting = Channel.StartTlsAsync(TlsConnection.AcceptControl(_server, Channel.Connection)).AsTask();
        var shaking = Tap.Client.HandshakeAsync().AsTask();
        await GiveAsync(await Tap.TakeAsync(Tap.BehindClient));
        await TlsConnectionTap.GiveAsync(Tap.BehindClient, await Tap.TakeAsync(ClientSide));
        Assert.True(await Wait.For(shaking, "the handshake"));
        await GiveAsync(await Tap.TakeAsync(Tap.BehindClient));
        Assert.True(await Wait.For(starting, "TLS"));
    }

    /// <summary>Sends bytes as the client, and waits until the channel has read them, or has seen enough.</summary>
    public async Task GiveAsync(ReadOnlyMemory<byte> bytes, Task? enough = null)
    {
        await TlsConnectionTap.GiveAsync(ClientSide, bytes);
        await Wait.Until(() => Channel.Connection.AsSocket().Available == 0 || enough is { IsCompleted: true }, "the channel to read");
    }

    /// <summary>What the client reads up to the end of TLS.</summary>
    public async Task<string> ReadToCloseNotifyAsync()
    {
        var reading = TlsConnectionPair.ReadToEndAsync(Tap.Client, Tap.ClientSocket);
        while (!reading.IsCompleted)
        {
            await TlsConnectionTap.GiveAsync(Tap.BehindClient, _buffer.AsMemory(0, ClientSide.Receive(_buffer, SocketFlags.None, out _)));
            await Task.Yield();
        }
        var (bytes, end) = await reading;
        Assert.Equal(TlsReadStatus.CloseNotify, end);
        return Encoding.Latin1.GetString(bytes);
    }

    /// <summary>The next <paramref name="count"/> bytes that the client reads in TLS, from whole records.</summary>
    public async Task<string> ReadAsync(int count)
    {
        await TlsConnectionTap.GiveAsync(Tap.BehindClient, await Tap.TakeAsync(ClientSide));
        var text = new byte[count];
        TlsReadStatus status;
        int read;
        while ((status = Tap.Client.Read(text, out read)) == TlsReadStatus.WouldBlock)
            await Wait.For(Tap.ClientSocket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).AsTask(), "records");
        Assert.Equal(TlsReadStatus.Data, status);
        return Encoding.Latin1.GetString(text, 0, read);
    }

    public async Task FillAsync(int count)
    {
        while (Channel.Buffered.Length < count)
            Assert.True(await Wait.For(Channel.FillAsync().AsTask(), "bytes"));
    }

    public async Task AssertReadsAsync(string text, int cut)
    {
        await FillAsync(text.Length);
        Assert.Equal((cut, text), (cut, Encoding.Latin1.GetString(Channel.Buffered)));
    }

    public void Dispose()
    {
        Channel.Dispose();
        ClientSide.Dispose();
        Tap.Dispose();
    }
}
