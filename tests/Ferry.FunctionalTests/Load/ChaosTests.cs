using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Hosting;

namespace Ferry.FunctionalTests.Load;

/// <summary>Clients and servers that do what they like, all at once, while the configuration is reloaded: nothing may be left behind.</summary>
[Collection("Load")]
public sealed class ChaosTests
{
    private const int Sessions = 600;
    private const int AtATime = 48;
    private const int ReloadEvery = 100;

    // A failure names its seed; put it here to see it again, as far as the scheduler lets it be seen again.
    private static readonly int Seed = Random.Shared.Next();

    // What Ferry itself calls a fault of its own.
    private static readonly int[] OwnFaults = [101, 153, 402, 500, 516, 521];

    /// <param name="toServer">What the server speaks; null: no TLS on either side.</param>
    [Theory]
    [InlineData(null)]
    [InlineData("proxy_starttls match;")]
    [InlineData("proxy_starttls on; proxy_ftp_prot private;")]
    [InlineData("proxy_starttls off;")]
    public async Task Whatever_clients_and_servers_do_nothing_is_left_behind_and_no_byte_is_another_sessions(string? toServer)
    {
        // What other tests have left to the finalizers must not go in between.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = OpenSockets.OfThis();
        var whole = await PlayAsync(toServer);
        // No collection here: it would close what was forgotten.
        await Wait.Until(() => OpenSockets.OfThis() <= before, () => $"the sockets to be closed: {OpenSockets.OfThis()} are open, {before} were before (seed {Seed})");
        Assert.True(whole > Sessions / 40, $"only {whole} downloads came whole: those who behave are to get what they ask for (seed {Seed})");
    }

    private static async Task<int> PlayAsync(string? toServer)
    {
        using var made = new TlsContexts();
        using var certificate = TestCertificate.SelfSigned(TestKey.Ecdsa);
        var files = certificate.WriteTo(made.Folder.Path, "ferry");
        var context = toServer is null ? null : made.Client();
        await using var server = new ChaosServer(Seed, toServer is null ? null : made.Server());
        var first = FreePorts.Range(8);
        var tls = toServer is null ? "" : $"starttls on; ssl_certificate {files.Chain}; ssl_certificate_key {files.Key}; ssl_handshake_timeout 2s; {toServer}";
        var configuration = TestProxy.Configuration(
            server.EndPoint, FreePorts.One(), first, first + 7,
            $"proxy_timeout 3s; proxy_connect_timeout 2s; ftp_login_timeout 3s; ftp_data_timeout 2s; ftp_data_connect_timeout 2s; {tls}");
        await using var proxy = await TestProxy.StartAsync(configuration);

        var whole = 0;
        var wrongs = new List<string>();
        await Parallel.ForAsync(0, Sessions, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (number, ct) =>
        {
            var client = new ChaosClient(number, proxy.EndPoint, new Random(Seed ^ (number * 7919)), context, ct);
            var wrong = await client.RunAsync();
            Interlocked.Add(ref whole, client.Whole);
            lock (wrongs)
            {
                if (wrong is not null)
                    wrongs.Add(wrong);
            }
            if (number % ReloadEvery == ReloadEvery - 1)
                Assert.Empty(await proxy.ReloadAsync(configuration));
        });

        Assert.True(wrongs.Count == 0, string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {string.Join('\n', wrongs)}"));
        await proxy.UntilAsync(
            s => s.Sessions == 0 && s.Transfers == 0 && s.Zones.All(z => z.Used == 0) && s.Upstreams.All(u => u.Servers.All(v => v.Sessions == 0)),
            $"everything to be given back (seed {Seed})");
        await Wait.Until(() => Parts(proxy.Proxy).Lingering.Count == 0, () => $"{Parts(proxy.Proxy).Lingering.Count} data connections to have lingered for long enough (seed {Seed})");
        var faults = proxy.Logs.Records.Where(r => OwnFaults.Contains(r.Event.Id) || r.Exception is not null).Take(3).ToArray();
        Assert.True(faults.Length == 0, string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {string.Join('\n', faults.Select(f => f.ToString()))}"));
        return whole;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_parts")]
    private static extern ref ProxyParts Parts(FerryProxy proxy);
}
