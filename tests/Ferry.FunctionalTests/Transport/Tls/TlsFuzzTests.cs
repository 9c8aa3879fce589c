using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;
using Xunit.Abstractions;

namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>Bytes that somebody has changed on the way. Whatever they are, the end comes and has a reason, and no byte is read that was not sent.</summary>
public sealed class TlsFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int Hellos = 14_000;
    private const int Flights = 2_000;
    private const int Records = 4_000;

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Fact]
    public async Task A_server_stands_any_ClientHello()
    {
        var random = Seeded(out var seed);
        var server = _made.Server();
        var hellos = new List<byte[]>();
        foreach (var protocols in (TlsProtocols[])[TlsProtocols.Tls13, TlsProtocols.Tls12, TlsProtocols.Tls12 | TlsProtocols.Tls13])
        {
            using var tap = new TlsConnectionTap(_made.Client(c => c with { Protocols = protocols }), server);
            _ = tap.Client.HandshakeAsync().AsTask();
            hellos.Add(await tap.TakeAsync(tap.BehindClient));
        }
        for (var i = 0; i < Hellos; i++)
        {
            var (socket, behind) = TlsConnectionTap.SocketPair();
            using (socket)
            using (behind)
            using (var accepting = TlsConnection.AcceptControl(server, socket.AsConnection()))
            {
                await TlsConnectionTap.GiveLastAsync(behind, Mutate(hellos[random.Next(hellos.Count)], random));
                Assert.False(await Wait.For(accepting.HandshakeAsync().AsTask(), $"mutation {i} of seed {seed}"));
                Assert.False(string.IsNullOrEmpty(accepting.Failure), $"mutation {i} of seed {seed} has no reason");
            }
        }
    }

    [Theory]
    [InlineData(TlsProtocols.Tls13)]
    [InlineData(TlsProtocols.Tls12)]
    public async Task Whoever_waits_for_a_flight_stands_any(TlsProtocols protocol)
    {
        var random = Seeded(out var seed);
        var client = _made.Client(c => c with { Protocols = protocol });
        var server = _made.Server(c => c with { Protocols = protocol });
        for (var i = 0; i < Flights / 2; i++)
        {
            using var tap = new TlsConnectionTap(client, server);
            var connecting = tap.Client.HandshakeAsync().AsTask();
            var accepting = tap.Server.HandshakeAsync().AsTask();
            await TlsConnectionTap.GiveAsync(tap.BehindServer, await tap.TakeAsync(tap.BehindClient));
            var flight = await tap.TakeAsync(tap.BehindServer);
            var (to, waiting, connection) = (tap.BehindClient, connecting, tap.Client);
            if (i % 2 == 1)
            {
                await TlsConnectionTap.GiveAsync(tap.BehindClient, flight);
                flight = await tap.TakeAsync(tap.BehindClient);
                (to, waiting, connection) = (tap.BehindServer, accepting, tap.Server);
            }
            var mutated = Mutate(flight, random);
            await TlsConnectionTap.GiveLastAsync(to, mutated);
            var done = await Wait.For(waiting, $"mutation {i} of seed {seed}");
            // A version in a record's header may be any, and what is added behind belongs to what follows.
            Assert.True(done || !string.IsNullOrEmpty(connection.Failure), $"mutation {i} of seed {seed} has no reason");
            if (done)
            {
                var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(connection, connection == tap.Client ? tap.ClientSocket : tap.ServerSocket);
                Assert.Empty(bytes);
                Assert.True(end is TlsReadStatus.Failed or TlsReadStatus.Truncated, $"mutation {i} of seed {seed} ended as {end}");
            }
        }
    }

    [Theory]
    [InlineData(TlsProtocols.Tls13)]
    [InlineData(TlsProtocols.Tls12)]
    public async Task A_reader_stands_any_record(TlsProtocols protocol)
    {
        var random = Seeded(out var seed);
        var client = _made.Client(c => c with { Protocols = protocol });
        var server = _made.Server(c => c with { Protocols = protocol });
        using var first = new TlsConnectionTap(client, server);
        await first.ShakeHandsAsync();
        await first.Server.SendAsync("x"u8.ToArray());
        await TlsConnectionTap.GiveAsync(first.BehindClient, await first.TakeAsync(first.BehindServer));
        await TlsConnectionPair.ReadAsync(first.Client, first.ClientSocket, 1);
        using var session = first.Client.GetSession();
        for (var i = 0; i < Records / 2; i++)
        {
            using var tap = new TlsConnectionTap(client, server, session);
            await tap.ShakeHandsAsync();
            var sent = TlsConnectionTests.Bytes(random.Next(1, 400), i);
            for (var at = 0; at < sent.Length;)
            {
                var part = random.Next(1, sent.Length - at + 1);
                await tap.Client.SendAsync(sent.AsMemory(at, part));
                at += part;
            }
            await tap.Client.SendCloseNotifyAsync();
            await TlsConnectionTap.GiveLastAsync(tap.BehindServer, Mutate(await tap.TakeAsync(tap.BehindClient), random));

            var (bytes, end) = await TlsConnectionPair.ReadToEndAsync(tap.Server, tap.ServerSocket);
            Assert.True(sent.AsSpan().StartsWith(bytes), $"mutation {i} of seed {seed} yielded bytes that nobody sent");
            // What stands behind close_notify does not matter any more.
            Assert.True(end != TlsReadStatus.CloseNotify || bytes.Length == sent.Length, $"mutation {i} of seed {seed} cut the stream off in silence");
            Assert.True(end != TlsReadStatus.Failed || tap.Server.Failure is { Length: > 0 });
        }
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = (byte[])original.Clone();
        while (bytes.AsSpan().SequenceEqual(original))
        {
            for (var changes = random.Next(1, 4); changes > 0 && bytes.Length > 0; changes--)
            {
                var at = random.Next(bytes.Length);
                switch (random.Next(6))
                {
                    case 0:
                        bytes[at] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 2: // cut off
                        bytes = bytes[..at];
                        break;
                    case 3: // left out
                        bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 20))..]];
                        break;
                    case 4: // put in
                        bytes = [.. bytes[..at], .. TlsConnectionTests.Bytes(random.Next(1, 20), random.Next()), .. bytes[at..]];
                        break;
                    default: // said twice
                        bytes = [.. bytes[..at], .. bytes[(at / 2)..]];
                        break;
                }
            }
        }
        return bytes;
    }

    private Random Seeded(out int seed)
    {
        seed = int.TryParse(Environment.GetEnvironmentVariable("FERRY_FUZZ_SEED"), out var told) ? told : Random.Shared.Next();
        output.WriteLine($"FERRY_FUZZ_SEED={seed}");
        return new Random(seed);
    }
}
