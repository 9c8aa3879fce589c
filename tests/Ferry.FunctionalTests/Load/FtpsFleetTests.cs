using System.Collections.Concurrent;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Xunit.Abstractions;

namespace Ferry.FunctionalTests.Load;

/// <summary>Hundreds of sessions at the same time on one server that takes no data connection but one that resumes its control connection's session.</summary>
[Collection("Load")]
public sealed class FtpsFleetTests(ITestOutputHelper output) : IDisposable
{
    private const int Sessions = 600;
    private const int Transfers = 3;

    /// <summary>Of those who log in; a server that forks for each of them has a short queue before its door.</summary>
    private const int LogInAtATime = 24;

    /// <summary>Of those who transfer, while all others stay logged in.</summary>
    private const int TransferAtATime = 100;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    private readonly TlsContexts _made = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _made.Dispose();
        _folder.Dispose();
    }

    [RootTheory("vsftpd", "proftpd", "proftpd-mod-crypto")]
    [InlineData(ServerKind.Vsftpd)]
    [InlineData(ServerKind.ProFtpd)]
    public async Task Six_hundred_sessions_on_one_server_that_requires_reuse_all_transfer(ServerKind kind)
    {
        await using var server = await RealServer.StartAsync(kind, tls: new RealServerTls { LoginRequired = true, DataRequired = true, Version = TlsVersion.Tls13 });
        var common = Content(-1);
        await server.PutAsync("common", common);
        using var handshakes = new HandshakeCounts();
        var files = TestCertificate.Shared.WriteTo(_folder.Path);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, ports: 64, directives: $"""
            starttls only; ssl_protocols TLSv1.3; ssl_certificate {files.Chain}; ssl_certificate_key {files.Key}; ftp_tls_session_reuse required;
            proxy_starttls on; proxy_ssl_protocols TLSv1.3; proxy_ftp_prot private;
            """);
        var context = _made.Client();
        using var bound = new CancellationTokenSource(Bound);
        var start = TimeProvider.System.GetTimestamp();
        var clients = new FtpsFleetClient?[Sessions];
        try
        {
            var failures = await EachAsync(
                LogInAtATime,
                async number => clients[number] = await FtpsFleetClient.LogInAsync(context, FtpsFleetClient.AddressOf(number), proxy.EndPoint, server.User, server.Password, bound.Token),
                bound.Token);
            Assert.True(failures.IsEmpty, Describe("log in", failures, proxy, server));
            var status = proxy.Proxy.GetStatus();
            Assert.Equal(Sessions, status.Sessions);
            Assert.Equal(Sessions, Assert.Single(Assert.Single(status.Upstreams).Servers).Sessions);
            var loggedIn = TimeProvider.System.GetElapsedTime(start);

            failures = await EachAsync(TransferAtATime, number => TransferAsync(clients[number]!, number, common), bound.Token);
            Assert.True(failures.IsEmpty, Describe("transfer", failures, proxy, server));
            Assert.Equal(Sessions, proxy.Proxy.GetStatus().Sessions);
            var transferred = TimeProvider.System.GetElapsedTime(start);

            failures = await EachAsync(TransferAtATime, number => clients[number]!.QuitAsync(), bound.Token);
            Assert.True(failures.IsEmpty, Describe("quit", failures, proxy, server));
            output.WriteLine($"logged in after {loggedIn.TotalSeconds:F1} s, transferred after {transferred.TotalSeconds:F1} s, gone after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F1} s");
        }
        finally
        {
            foreach (var client in clients)
                client?.Dispose();
        }
        await proxy.UntilIdleAsync();
        for (var number = 0; number < Sessions; number++)
        {
            var stored = await File.ReadAllBytesAsync(server.PathOf($"up{number}"));
            Assert.True(Content(number).AsSpan().SequenceEqual(stored), $"what {number} has stored is not what it sent");
        }
        string[] expected =
        [
            $"client control full {Sessions}", $"client data resumed {Sessions * Transfers}",
            $"upstream control full {Sessions}", $"upstream data resumed {Sessions * Transfers}",
        ];
        Assert.Equal(expected, handshakes.Counts);
    }

    /// <summary>A download, an upload and a listing, with the first of them another one from client to client.</summary>
    private static async Task TransferAsync(FtpsFleetClient client, int number, byte[] common)
    {
        for (var turn = number; turn < number + Transfers; turn++)
        {
            var extended = (number + turn) % 2 == 0;
            switch (turn % Transfers)
            {
                case 0:
                    var received = await client.DownloadAsync("RETR pub/common", extended);
                    if (!common.AsSpan().SequenceEqual(received))
                        throw new InvalidOperationException($"got {received.Length} bytes that are not the {common.Length} of the file");
                    break;
                case 1:
                    await client.UploadAsync($"STOR pub/up{number}", Content(number), extended);
                    break;
                default:
                    var listing = Encoding.Latin1.GetString(await client.DownloadAsync("LIST pub", extended));
                    if (!listing.Contains(" common\r\n", StringComparison.Ordinal))
                        throw new InvalidOperationException($"got a listing without the file: {listing}");
                    break;
            }
        }
    }

    private static byte[] Content(int number)
    {
        var bytes = new byte[5_000 + 37 * (number + 1)];
        new Random(number).NextBytes(bytes);
        return bytes;
    }

    private static async Task<ConcurrentQueue<string>> EachAsync(int atATime, Func<int, Task> act, CancellationToken ct)
    {
        var failures = new ConcurrentQueue<string>();
        await Parallel.ForAsync(0, Sessions, new ParallelOptions { MaxDegreeOfParallelism = atATime }, async (number, _) =>
        {
            try
            {
                await act(number);
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException or OperationCanceledException)
            {
                failures.Enqueue($"{number}: {(ct.IsCancellationRequested ? "not done in time" : e.Message)}");
            }
        });
        return failures;
    }

    private static string Describe(string what, ConcurrentQueue<string> failures, TestProxy proxy, RealServer server) =>
        $"{failures.Count} of {Sessions} could not {what}:\n{string.Join('\n', failures.Take(10))}\n"
        + string.Join('\n', proxy.Logs.Records.Where(r => r.Level >= Microsoft.Extensions.Logging.LogLevel.Warning).Take(20)) + "\n" + server.Output;
}
