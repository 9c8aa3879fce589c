using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport;

/// <summary>Control channels that leave TLS (CCC, RFC 4217 §6), or are ended while they change.</summary>
public sealed class ControlChannelTlsLeavingTests : IDisposable
{
    private readonly TlsContexts _made = new();
    private readonly TlsContext _clients;
    private readonly TlsContext _servers;

    public ControlChannelTlsLeavingTests()
    {
        _clients = _made.Server();
        _servers = _made.Client();
    }

    public void Dispose() => _made.Dispose();

    /// <summary>The client's close_notify and what follows in clear, cut at every byte.</summary>
    [Fact]
    public async Task What_stands_in_clear_behind_close_notify_is_read_however_it_is_cut()
    {
        for (var cut = 1; cut < 60; cut++)
        {
            using var clear = new ControlChannelTlsLeaving(_clients, _servers);
            await clear.StartAsync();
            var stopping = clear.Channel.StopTlsAsync().AsTask();
            await clear.Tap.Client.SendCloseNotifyAsync();
            byte[] bytes = [.. await clear.Tap.TakeAsync(clear.Tap.BehindClient), .. "PASV\r\nLIST\r\nQUIT\r\n"u8];
            cut = Math.Min(cut, bytes.Length);
            await clear.GiveAsync(bytes.AsMemory(0, cut), stopping);
            await clear.GiveAsync(bytes.AsMemory(cut), stopping);

            Assert.True(await Wait.For(stopping, $"the end of TLS, cut at {cut}"));
            Assert.Equal("", await clear.ReadToCloseNotifyAsync()); // the server's comes second
            Assert.Null(clear.Channel.Tls);
            Assert.NotNull(clear.Channel.TlsInfo);
            await clear.AssertReadsAsync("PASV\r\nLIST\r\nQUIT\r\n", cut);
            if (cut == bytes.Length)
                return;
        }
        Assert.Fail("there were more bytes than were cut");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_leaves_TLS_without_close_notify_is_understood(bool waitsForOurs)
    {
        for (var cut = 0; cut < 6; cut++)
        {
            using var clear = new ControlChannelTlsLeaving(_clients, _servers);
            await clear.StartAsync();
            clear.Channel.Write("200 In clear.\r\n"u8);
            var stopping = clear.Channel.StopTlsAsync().AsTask();
            if (waitsForOurs)
            {
                await clear.Channel.Tls!.LeaveFirst();
                Assert.Equal("200 In clear.\r\n", await clear.ReadToCloseNotifyAsync());
            }
            else
            {
                Assert.Equal("200 In clear.\r\n", await clear.ReadAsync(64));
            }
            clear.Channel.Write("150 behind it\r\n"u8);
            var flushing = clear.Channel.FlushAsync().AsTask();
            Assert.False(flushing.IsCompleted);

            await clear.GiveAsync("PASV\r\n"u8.ToArray().AsMemory(0, cut), stopping);
            await clear.GiveAsync("PASV\r\n"u8.ToArray().AsMemory(cut), stopping);
            Assert.True(await Wait.For(stopping, "the end of TLS"));
            await Wait.For(flushing, "the line that waited");
            Assert.Equal("150 behind it\r\n", Encoding.ASCII.GetString(await clear.Tap.TakeAsync(clear.ClientSide)));
            await clear.AssertReadsAsync("PASV\r\n", cut);
        }
    }

    [Fact]
    public async Task Commands_that_a_client_has_sent_in_TLS_before_the_end_of_it_are_kept_in_front()
    {
        using var clear = new ControlChannelTlsLeaving(_clients, _servers);
        await clear.StartAsync();
        await clear.Tap.Client.SendAsync("CCC\r\nPWD\r\n"u8.ToArray());
        await TlsConnectionTap.GiveAsync(clear.ClientSide, await clear.Tap.TakeAsync(clear.Tap.BehindClient));
        await clear.FillAsync(10);
        clear.Channel.Consume(5);
        var stopping = clear.Channel.StopTlsAsync().AsTask();
        await clear.GiveAsync("PASV\r\n"u8.ToArray(), stopping);
        Assert.True(await Wait.For(stopping, "the end of TLS"));
        await clear.AssertReadsAsync("PWD\r\nPASV\r\n", 0);
    }

    [Fact]
    public async Task Ends_of_every_kind_at_any_moment_free_everybody()
    {
        var random = new Random(11);
        for (var i = 0; i < 200; i++)
        {
            var (socket, other) = TlsConnectionPair.Connect();
            using var client = TlsConnection.Connect(_servers, socket.AsConnection(), isData: false, TlsPeerName.Any, resume: null);
            using var channel = new ControlChannel(other.IntoConnection(), noDelay: true, keepAlive: false, urgent: false);
            var peer = Task.Run(async () =>
            {
                if (!await client.HandshakeAsync())
                    return;
                await client.SendAsync("NOOP\r\n"u8.ToArray());
                await TlsConnectionPair.ReadToEndAsync(client, socket);
            });
            var starting = channel.StartTlsAsync(TlsConnection.AcceptControl(_clients, channel.Connection)).AsTask();
            var pump = Task.Run(async () =>
            {
                if (!await starting)
                    return;
                while (await channel.FillAsync())
                {
                    channel.Consume(channel.Buffered.Length);
                    if (random.Next(2) == 0 && !await channel.StopTlsAsync())
                        return;
                }
            });
            var writer = Task.Run(async () =>
            {
                while (true)
                {
                    channel.Write("200 line\r\n"u8);
                    await channel.FlushAsync();
                }
            });
            var ender = Task.Run(() =>
            {
                Thread.SpinWait(random.Next(300_000));
                switch (random.Next(4))
                {
                    case 0:
                        channel.EndWith("421 Bye.\r\n"u8);
                        break;
                    case 1:
                        channel.Shutdown();
                        break;
                    case 2:
                        channel.Close();
                        break;
                    default:
                        channel.Dispose();
                        break;
                }
            });
            await Wait.For(ender, "the end");
            foreach (var (task, name) in ((Task, string)[])[(pump, "pump"), (writer, "writer")])
            {
                try
                {
                    await Wait.For(task, $"the {name} in round {i}");
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // That is how a connection ends for those who use it.
                }
            }
            socket.DisposeWithConnection();
            try
            {
                await Wait.For(peer, "the peer");
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        }
    }
}
