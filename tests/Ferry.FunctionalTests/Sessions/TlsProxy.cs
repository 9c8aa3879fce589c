using System.Globalization;
using System.Linq;
using System.Net;
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
    /// <param name="next">More servers, which are tried after the first.</param>
    public static async Task<TlsProxy> BeforeAsync(TlsContexts made, IPEndPoint server, string directives, TimeProvider? time = null, params IPEndPoint[] next)
    {
        var (plain, implicitly, first) = (FreePorts.One(), FreePorts.One(), FreePorts.Range(11));
        if (!directives.Contains("ssl_certificate ", StringComparison.Ordinal))
        {
            var files = TestCertificate.Shared.WriteTo(made.Folder.Path, "ferry");
            directives += $" ssl_certificate {files.Chain}; ssl_certificate_key {files.Key};";
        }
        var configuration = string.Create(CultureInfo.InvariantCulture, $$"""
            stream {
                upstream behind { server {{server}} max_fails=0; {{string.Concat(next.Select(n => $"server {n} backup; "))}}}
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

    /// <summary>What was said with this event id so far.</summary>
    public LogRecord[] Said(int id) => [.. Logs.Records.Where(r => r.Event.Id == id)];

    public ValueTask DisposeAsync() => Ferry.DisposeAsync();
}
