using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Text.Json;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A Ferry whose one server block has a listener in clear and one of implicit TLS, both on 127.0.0.1.</summary>
internal sealed class TlsProxy : IAsyncDisposable
{
    private TlsProxy(TestProxy ferry, IPEndPoint plain, IPEndPoint implicitly, string configuration)
    {
        Ferry = ferry;
        Plain = plain;
        Implicit = implicitly;
        Configuration = configuration;
    }

    public TestProxy Ferry { get; }

    public IPEndPoint Plain { get; }

    public IPEndPoint Implicit { get; }

    public string Configuration { get; }

    public CapturedLogs Logs => Ferry.Logs;

    /// <summary>Starts Ferry.</summary>
    /// <param name="made">Its folder holds the certificate, as <c>ferry.crt</c> and <c>ferry.key</c> unless the directives name others.</param>
    /// <param name="server">The server.</param>
    /// <param name="directives">More directives for the server block.</param>
    /// <param name="time">The clock; null is the system's.</param>
    /// <param name="next">Another server, which is tried after the first.</param>
    /// <param name="log">Directives for <c>stream</c>.</param>
    public static async Task<TlsProxy> BeforeAsync(
        TlsContexts made, IPEndPoint server, string directives, TimeProvider? time = null, IPEndPoint? next = null, string log = "")
    {
        var (plain, implicitly, first) = (FreePorts.One(), FreePorts.One(), FreePorts.Range(11));
        if (!directives.Contains(" ssl_certificate ", StringComparison.Ordinal))
        {
            var files = TestCertificate.Shared.WriteTo(made.Folder.Path, "ferry");
            directives += $" ssl_certificate {files.Chain}; ssl_certificate_key {files.Key};";
        }
        var configuration = string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                {{log}}
                upstream behind { server {{server}} max_fails=0; {{(next is null ? "" : $"server {next} backup;")}}}
                server {
                    listen 127.0.0.1:{{plain}};
                    listen 127.0.0.1:{{implicitly}} ssl;
                    ftp_ctrl zone=ports:1M proxy_ip=127.0.0.1 min_port={{first}} max_port={{first + 10}};
                    proxy_pass behind;
                    {{directives}}
                }
            }
            """);
        var ferry = await TestProxy.StartAsync(configuration, time);
        return new TlsProxy(ferry, new IPEndPoint(IPAddress.Loopback, plain), new IPEndPoint(IPAddress.Loopback, implicitly), configuration);
    }

    /// <summary>Ends when a session has ended, and tells why it has.</summary>
    public async Task<string> EndReasonAsync() => (string)(await Logs.EventAsync(401)).Values["Reason"]!;

    /// <summary>The only message of an event. It may come after the reply that tells the client of the same thing.</summary>
    public async Task<LogRecord> SaidOnceAsync(int id)
    {
        await Logs.EventAsync(id);
        return Assert.Single(Said(id));
    }

    /// <summary>What was said with this event id so far.</summary>
    public LogRecord[] Said(int id) => [.. Logs.Records.Where(r => r.Event.Id == id)];

    /// <summary>Stops Ferry when its last session has ended, so that its logs are complete.</summary>
    public async Task StopAsync()
    {
        await Ferry.UntilIdleAsync();
        await Wait.For(Ferry.Proxy.StopAsync(), "Ferry to stop");
    }

    /// <summary>Stops Ferry and reads a log of JSON.</summary>
    public async Task<JsonElement[]> StopAndReadAsync(string file)
    {
        await StopAsync();
        return [.. File.ReadAllLines(Path.Combine(Ferry.Prefix, file)).Select(static l => JsonDocument.Parse(l).RootElement.Clone())];
    }

    public ValueTask DisposeAsync() => Ferry.DisposeAsync();
}
