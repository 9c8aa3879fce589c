using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ferry.Config;
using Ferry.Telemetry;
using Ferry.Upstreams;

namespace Ferry.Sessions;

/// <summary>Asks a service over HTTP/1.1: a POST with JSON, a connection kept for the next question.</summary>
internal sealed class RouteService : IDisposable
{
    /// <summary>The most of an answer that is read.</summary>
    private const int MostBytes = 64 * 1024;

    /// <summary>Questions beyond that wait for one of these.</summary>
    private const int MostConnections = 32;

    private readonly RouteLookupConfig _config;
    private readonly AuthenticationHeaderValue? _token;
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;

    private RouteService(RouteLookupConfig config, AuthenticationHeaderValue? token, X509ChainPolicy? trusted, TimeProvider time)
    {
        (_config, _token, _time) = (config, token, time);
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            // Where the answer comes from is what the file says: no proxy of the environment, no other place.
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = MostConnections,
            MaxResponseHeadersLength = 16, // KiB
            MaxResponseDrainSize = MostBytes,
            // A connection that is being made outlives the question that it is made for; it must not hold one of so many places for ever.
            ConnectTimeout = config.Timeout,
            // The addresses of its name are asked for anew.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trusted },
        });
    }

    /// <summary>Reads the files that a line names.</summary>
    /// <param name="config">The line.</param>
    /// <param name="time">The clock of its time-outs.</param>
    /// <param name="findings">Gets what is wrong.</param>
    /// <returns>Null where it cannot be used.</returns>
    public static RouteService? TryCreate(RouteLookupConfig config, TimeProvider time, List<ConfigDiagnostic> findings)
    {
        AuthenticationHeaderValue? token = null;
        X509ChainPolicy? trusted = null;
        if (RouteLookupConfig.FaultOf(config.Url, config.SendsPassword) is { } fault)
            Find(findings, ConfigSeverity.Error, config.Position, $"\"ftp_route\" {fault}");
        else if (config.Timeout <= TimeSpan.Zero || config.Timeout > TimeSpan.FromHours(1) || config.CacheEntries < 1 || config.CacheTime < TimeSpan.Zero || config.StaleTime < TimeSpan.Zero)
            Find(findings, ConfigSeverity.Error, config.Position, "a bound of \"ftp_route\" is none: a time below nothing, a time-out of more than an hour, or no entries");
        else if ((config.TokenFile is null || TryToken(config.TokenFile, findings, out token)) && (config.TrustedCertificate is null || TryTrust(config.TrustedCertificate, findings, out trusted)))
            return new RouteService(config, token, trusted, time);
        return null;
    }

    /// <summary>Asks. Never throws.</summary>
    /// <param name="body">The question.</param>
    /// <param name="ct">Nobody waits for the answer any more.</param>
    public async Task<RouteReply> AskAsync(byte[] body, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(_config.Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            using var response = await SendAsync(body, both.Token).ConfigureAwait(false);
            return await ReadAsync(response, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new RouteReply(null, $"no answer within {_config.Timeout.TotalSeconds:0.###} s");
        }
        catch (HttpRequestException e)
        {
            return new RouteReply(null, Words(e));
        }
        catch (IOException)
        {
            return new RouteReply(null, "the connection was lost within its answer");
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>A service may close a connection that was kept just when it is used again, and .NET sends no POST twice; a question may be asked twice.</summary>
    private async Task<HttpResponseMessage> SendAsync(byte[] body, CancellationToken ct)
    {
        try
        {
            return await SendOnceAsync(body, ct).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (IsClosed(e))
        {
            return await SendOnceAsync(body, ct).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(byte[] body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _config.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Ferry", null));
        request.Headers.Authorization = _token;
        return await _http.SendAsync(request, ct).ConfigureAwait(false);
    }

    private static bool IsClosed(HttpRequestException e) => e.HttpRequestError == HttpRequestError.ResponseEnded
        || e is { HttpRequestError: not HttpRequestError.ConnectionError and not HttpRequestError.SecureConnectionError } && e.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown };

    private async Task<RouteReply> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var lifetime = LifetimeOf(response.Headers.CacheControl);
        switch (response.StatusCode)
        {
            case HttpStatusCode.NotFound or HttpStatusCode.NoContent:
                return new RouteReply(RouteAnswer.Nothing, null, lifetime);
            case HttpStatusCode.Forbidden:
                return new RouteReply(RouteAnswer.Refusal, null, lifetime);
            case not HttpStatusCode.OK:
                return new RouteReply(null, $"it answered with the status {(int)response.StatusCode}");
        }
        var buffer = new byte[MostBytes + 1];
        try
        {
            using var stream = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
            if (length > MostBytes)
                return new RouteReply(null, $"its answer is longer than {MostBytes} bytes");
            return RouteAnswer.TryRead(buffer.AsSpan(0, length), _config.SendsPassword, out var answer, out var fault)
                ? new RouteReply(answer, null, lifetime)
                : new RouteReply(null, fault);
        }
        finally
        {
            Array.Clear(buffer); // it may hold a password
        }
    }

    // RFC 9111 §5.2.2, as far as it shortens what the configuration allows.
    private static TimeSpan? LifetimeOf(CacheControlHeaderValue? control) => control switch
    {
        { NoStore: true } => RouteReply.NotKept,
        { NoCache: true } => TimeSpan.Zero,
        _ => control?.MaxAge,
    };

    private static string Words(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "its name cannot be resolved",
        HttpRequestError.ConnectionError => "connecting failed: " + Cause(e),
        HttpRequestError.SecureConnectionError => "TLS failed: " + Cause(e),
        HttpRequestError.ConfigurationLimitExceeded => "the head of its answer is too long",
        _ => "its answer is not HTTP, or was cut off",
    };

    private static string Cause(HttpRequestException e) => LogText.Bounded(e.GetBaseException().Message) ?? "";

    private static bool TryToken(PlacedText file, List<ConfigDiagnostic> findings, out AuthenticationHeaderValue? token)
    {
        token = null;
        var why = HealthPassword.TryRead(file.Value, out var line);
        if (why is null && line.AsSpan().ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            why = "its first line has spaces in it, or is not ASCII";
        if (why is not null)
        {
            Find(findings, ConfigSeverity.Error, file.Position, $"the token of \"ftp_route\" cannot be read from \"{file.Value}\": {why}");
            return false;
        }
        if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(file.Value).HasFlag(UnixFileMode.OtherRead))
            Find(findings, ConfigSeverity.Warning, file.Position, $"the token in \"{file.Value}\" can be read by every user of this machine: chmod o-r");
        token = new AuthenticationHeaderValue("Bearer", Encoding.ASCII.GetString(line));
        return true;
    }

    private static bool TryTrust(PlacedText file, List<ConfigDiagnostic> findings, out X509ChainPolicy? policy)
    {
        policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        string? why;
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(file.Value);
            why = policy.CustomTrustStore.Count == 0 ? "there is no certificate in it" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            why = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e is UnauthorizedAccessException ? "permission denied" : "it is no certificate in PEM form";
        }
        if (why is not null)
            Find(findings, ConfigSeverity.Error, file.Position, $"the certificates of \"ftp_route\" cannot be read from \"{file.Value}\": {why}");
        return why is null;
    }

    private static void Find(List<ConfigDiagnostic> findings, ConfigSeverity severity, ConfigPosition position, string message) =>
        findings.Add(new ConfigDiagnostic(severity, position, 1, message, null));
}
