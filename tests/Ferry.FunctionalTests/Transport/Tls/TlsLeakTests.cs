using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;
using Xunit.Abstractions;

namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>Nothing else may allocate meanwhile.</summary>
[CollectionDefinition(nameof(TlsLeakTests), DisableParallelization = true)]
[System.Diagnostics.CodeAnalysis.SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "xunit's word")]
public sealed class TlsLeakCollection;

[Collection(nameof(TlsLeakTests))]
public sealed partial class TlsLeakTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 5;
    private const int LeakPerHandshake = 50;

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    /// <summary>Of several rounds the one in the middle counts: what the runtime takes or gives back once is in one of them, what leaks is in each.</summary>
    [Fact]
    public async Task Handshakes_of_every_kind_and_end_leave_nothing_behind()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("FERRY_LEAK_HANDSHAKES") ?? "3000", CultureInfo.InvariantCulture);
        var perRound = count / Rounds;
        var contexts = ((TlsProtocols[])[TlsProtocols.Tls13, TlsProtocols.Tls12])
            .Select(p => (Client: _made.Client(c => c with { Protocols = p }), Server: _made.Server(c => c with { Protocols = p })))
            .ToArray();
        await RunAsync(contexts, 500);

        var growth = new long[Rounds];
        var before = ResidentKiB();
        for (var round = 0; round < Rounds; round++)
        {
            var live = Live();
            await RunAsync(contexts, perRound);
            growth[round] = Live() - live;
        }
        output.WriteLine($"{perRound * Rounds} handshakes: bytes more alive after each of {Rounds} rounds {string.Join(", ", growth)}; resident {before} KiB before, {ResidentKiB()} KiB after");
        Assert.InRange(growth.Order().ElementAt(Rounds / 2), long.MinValue, (long)perRound * LeakPerHandshake);
    }

    private static async Task RunAsync((TlsContext Client, TlsContext Server)[] contexts, int count)
    {
        TlsSession? session = null;
        for (var i = 0; i < count; i++)
        {
            var kind = i % 10;
            var (client, server) = contexts[i / 10 % 2];
            if (kind == 0)
            {
                session?.Dispose();
                session = null;
            }
            // One in ten has a peer of another version, and fails.
            using var tap = new TlsConnectionTap(kind == 9 ? contexts[(i / 10 + 1) % 2].Client : client, server, session);
            if (kind is 8 or 9)
            {
                var shaking = tap.Server.HandshakeAsync().AsTask();
                if (kind == 8)
                {
                    await TlsConnectionTap.GiveLastAsync(tap.BehindServer, "USER anonymous\r\n"u8.ToArray());
                }
                else
                {
                    _ = tap.Client.HandshakeAsync().AsTask();
                    await TlsConnectionTap.GiveLastAsync(tap.BehindServer, await tap.TakeAsync(tap.BehindClient));
                }
                Assert.False(await Wait.For(shaking, "the end of the handshake"));
                continue;
            }
            await tap.ShakeHandsAsync();
            await tap.Server.SendAsync("220 Hello.\r\n"u8.ToArray());
            await TlsConnectionTap.GiveAsync(tap.BehindClient, await tap.TakeAsync(tap.BehindServer));
            Assert.Equal("220 Hello.\r\n", await TlsConnectionPair.ReadTextAsync(tap.Client, tap.ClientSocket, 12));
            session ??= tap.Client.GetSession();
            switch (kind)
            {
                case 5:
                    Assert.True(await tap.Client.EndSendAsync(notify: true));
                    break;
                case 6:
                    await tap.Client.SendAsync(new byte[100_000]); // and leaves it all behind
                    break;
                case 7:
                    await TlsConnectionTap.GiveLastAsync(tap.BehindServer, new byte[] { 23, 3, 3, 0, 0, 1 });
                    _ = await TlsConnectionPair.ReadToEndAsync(tap.Server, tap.ServerSocket);
                    break;
            }
        }
        session?.Dispose();
    }

    /// <summary>Bytes that the C library has given out, to OpenSSL, to us and to the runtime.</summary>
    private static long Live()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var info = mallinfo2();
        return (long)(info.uordblks + info.hblkhd);
    }

    private static long ResidentKiB() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize / 1024;

    [LibraryImport("libc")]
    private static partial MallInfo mallinfo2();

    // mallinfo(3)
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallInfo
    {
        public readonly nuint arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
    }
}
