using System.Collections.Concurrent;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Sessions;
using Ferry.FunctionalTests.Transport.Tls;
using Xunit.Abstractions;

namespace Ferry.FunctionalTests.Load;

/// <summary>Explicit FTPS sessions one after the other, fifty at a time, through a <c>ferryd</c> of their own, so that its memory and its sockets can be looked at.</summary>
[Collection("Load")]
public sealed class FtpsSessionsTests(ITestOutputHelper output) : IDisposable
{
    private const int AtATime = 50;
    private const int Ports = 8;

    /// <summary>So many sessions until everything is compiled, and every pool as large as it gets.</summary>
    private const int WarmUp = 300;

    /// <summary>For the collector's moods, and 4 KiB a session: less than one forgotten TLS connection, which holds above 10.</summary>
    private const int SlackKiB = 24 * 1024;

    private const int LeakPerSessionKiB = 4;

    private readonly TlsContexts _made = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _made.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Of_thousands_of_explicit_sessions_none_fails_and_none_leaves_anything()
    {
        var sessions = int.Parse(Environment.GetEnvironmentVariable("FERRY_LOAD_SESSIONS") ?? "2000", CultureInfo.InvariantCulture);
        await using var server = new SmallServer();
        using var certificate = TestCertificate.SelfSigned(TestKey.Ecdsa);
        var files = certificate.WriteTo(_folder.Path);
        var (port, first) = (FreePorts.One(), FreePorts.Range(Ports));
        var configuration = _folder.NewFile("ferry.conf", "error_log stderr warn;\n" + TestProxy.Configuration(
            server.EndPoint, port, first, first + Ports - 1, $"starttls only; ssl_certificate {files.Chain}; ssl_certificate_key {files.Key}; ftp_tls_session_reuse required;"));
        await using var ferryd = await FerrydProcess.StartAsync(configuration, _folder.Path, port);

        // Passive ports stay open for a while after their last lease.
        var sockets = OpenSockets.Of(ferryd.Pid) + Ports;

        await RunAsync(WarmUp, port, ferryd);
        await UntilClosedAsync(ferryd, sockets);
        var residentBefore = ResidentKiB(ferryd.Pid);
        var start = TimeProvider.System.GetTimestamp();
        await RunAsync(sessions, port, ferryd);
        var took = TimeProvider.System.GetElapsedTime(start);
        await UntilClosedAsync(ferryd, sockets);
        var resident = ResidentKiB(ferryd.Pid);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sessions} sessions in {took.TotalSeconds:F1} s, 0 failed; resident {residentBefore} KiB before, {resident} KiB after; {OpenSockets.Of(ferryd.Pid)} sockets are open"));
        Assert.InRange(resident - residentBefore, long.MinValue, SlackKiB + (long)sessions * LeakPerSessionKiB);
        Assert.Equal("", ferryd.Output);
    }

    private async Task RunAsync(int sessions, int port, FerrydProcess ferryd)
    {
        var proxy = new IPEndPoint(IPAddress.Loopback, port);
        var context = _made.Client();
        var failures = new ConcurrentQueue<string>();
        // No two that run at once have one address.
        var addresses = new ConcurrentBag<IPAddress>(Enumerable.Range(0, AtATime).Select(FtpsFleetClient.AddressOf));
        await Parallel.ForAsync(0, sessions, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (number, ct) =>
        {
            Assert.True(addresses.TryTake(out var from));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(Wait.Bound);
            try
            {
                using var client = await FtpsFleetClient.LogInAsync(context, from, proxy, "ferry", "secret", patience.Token);
                var length = number % 4000;
                var received = await client.DownloadAsync(string.Create(CultureInfo.InvariantCulture, $"RETR {length}"), extended: number % 2 == 0);
                if (!SmallServer.Payload(length).AsSpan().SequenceEqual(received))
                    failures.Enqueue($"{number}: got {received.Length} bytes that are not the {length} of the file");
                await client.QuitAsync();
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException or OperationCanceledException)
            {
                failures.Enqueue($"{number}: {e.Message}");
            }
            finally
            {
                addresses.Add(from);
            }
        });
        Assert.True(failures.IsEmpty, $"{failures.Count} of {sessions} failed:\n{string.Join('\n', failures.Take(10))}\n{ferryd.Output}");
    }

    private static long ResidentKiB(int pid)
    {
        // VmRSS:     71234 kB
        var line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static Task UntilClosedAsync(FerrydProcess ferryd, int most) => Wait.Until(
        () => OpenSockets.Of(ferryd.Pid) <= most, () => $"the sockets to be closed: {OpenSockets.Of(ferryd.Pid)} are open, and no more than {most} should be");
}
