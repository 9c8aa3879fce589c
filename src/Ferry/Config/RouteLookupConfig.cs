using System.Collections.Immutable;
using System.Net;

namespace Ferry.Config;

/// <summary>A service that is asked over HTTP where a user belongs (<c>ftp_route</c>).</summary>
/// <param name="Url">Where it is: absolute, <c>http</c> or <c>https</c>, without a name and password of its own.</param>
public sealed record RouteLookupConfig(Uri Url)
{
    /// <summary>The bound of one question (<c>timeout=</c>), more than zero and at most one hour. Default 3 s: a person waits for it, before any server is connected to.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long an answer is used at most (<c>cache=</c>); zero keeps none. Default 60 s.</summary>
    public TimeSpan CacheTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most answers that are kept (<c>entries=</c>), at least 1. Default 10,000.</summary>
    public int CacheEntries { get; init; } = 10_000;

    /// <summary>How long an answer is used beyond its time while the service fails (<c>stale=</c>). Default 10 minutes.</summary>
    public TimeSpan StaleTime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether the service gets the client's password, and may give another one for the server (<c>password=on</c>): it is asked at PASS then. Over https only, or to a loopback address. Default off.</summary>
    public bool SendsPassword { get; init; }

    /// <summary>The file whose first line is the token that Ferry shows the service (<c>token_file=</c>); null: none.</summary>
    public PlacedText? TokenFile { get; init; }

    /// <summary>The certificates in PEM form that the service's may be signed by (<c>trusted_certificate=</c>); null: those that the system trusts.</summary>
    public PlacedText? TrustedCertificate { get; init; }

    /// <summary>The servers that the service may name by their addresses (<c>allow=</c>). Default none: it names what the configuration has.</summary>
    public ImmutableArray<IPNetwork> AllowedServers { get; init; } = [];

    /// <summary>Where the line is, for messages.</summary>
    public ConfigPosition Position { get; init; } = new("(code)", 0, 0);

    /// <summary>The URL as it may be logged: without what may be a secret.</summary>
    internal string Shown => Url.IsAbsoluteUri ? Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : "(a relative URL)";

    /// <summary>What is wrong with a URL; null where nothing is.</summary>
    internal static string? FaultOf(Uri url, bool sendsPassword) =>
        !url.IsAbsoluteUri || url.Scheme is not ("http" or "https") || url.Host.Length == 0 ? "needs a URL such as https://routes.example.com/ftp"
        : url.UserInfo.Length > 0 ? "cannot have a name or a password in its URL: write token_file=, a file with a token that the service knows"
        : url.Fragment.Length > 0 ? "cannot have a \"#\" in its URL: no service would see what is behind it"
        : sendsPassword && url.Scheme == "http" && !IsLoopback(url) ? "would send passwords in clear: with password=on write https://, or an address of this machine such as http://127.0.0.1:8080/"
        : null;

    // A name may lead anywhere, "localhost" included.
    private static bool IsLoopback(Uri url) => IPAddress.TryParse(url.IdnHost, out var address) && IPAddress.IsLoopback(address);
}
