using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary>A variable that a text of the configuration may hold.</summary>
/// <param name="Name">Without the dollar sign.</param>
/// <param name="InHash">Whether it is known before a server is chosen, so that <c>hash</c> may use it.</param>
/// <param name="Summary">What it stands for.</param>
internal sealed record ConfigVariable(string Name, bool InHash, string Summary);

/// <summary>The variables, and the texts that hold them.</summary>
internal static partial class ConfigVariables
{
    public static readonly ImmutableArray<ConfigVariable> All =
    [
        new("remote_addr", true, "the client's address"),
        new("binary_remote_addr", true, "the client's address as its 4 or 16 bytes"),
        new("remote_port", true, "the client's port"),
        new("server_addr", true, "the address that the client connected to, or the balancer in front of it"),
        new("server_port", true, "the port that the client connected to, or the balancer in front of it"),
        new("proxy_protocol_addr", true, "the client's address by the PROXY header (`listen … proxy_protocol`), whether it is believed or not"),
        new("proxy_protocol_port", true, "the client's port by the PROXY header"),
        new("proxy_protocol_server_addr", true, "the address that the client connected to, by the PROXY header"),
        new("proxy_protocol_server_port", true, "the port that the client connected to, by the PROXY header"),
        new("realip_remote_addr", true, "the address that the connection came from, whoever the PROXY header says is behind it"),
        new("realip_remote_port", true, "the port that the connection came from"),
        new("connection", false, "the session's id, which every log of Ferry carries"),
        new("time_local", false, "local time when the session ended, as in nginx's logs: 10/Oct/2026:13:55:36 +0200"),
        new("time_iso8601", false, "the same in ISO 8601: 2026-10-10T13:55:36+02:00"),
        new("msec", false, "the same in seconds since 1970, with milliseconds"),
        new("status", false, "how the session ended, in the numbers of nginx: 200, 502 (no server, or the connection to it failed), 500 (a fault of Ferry)"),
        new("bytes_sent", false, "bytes sent to the client, on the control channel and all data channels together"),
        new("bytes_received", false, "bytes received from the client, on the control channel and all data channels together"),
        new("session_time", false, "how long the session lasted, in seconds with milliseconds"),
        new("upstream_addr", false, "address and port of the server that the session was tied to"),
        new("upstream_bytes_sent", false, "bytes sent to the server, on the control channel and all data channels together"),
        new("upstream_bytes_received", false, "bytes received from the server, on the control channel and all data channels together"),
        new("upstream_connect_time", false, "how long connecting to the server took, in seconds with milliseconds"),
        new("ssl_protocol", false, "the version of TLS on the client's control channel, such as TLSv1.3"),
        new("ssl_cipher", false, "the cipher suite on the client's control channel"),
        new("ssl_session_reused", false, "r where the client's control channel resumed a session, . where it did not"),
        new("ssl_server_name", true, "the name that the client asked for (SNI)"),
        new("ssl_client_s_dn", true, "the subject of the client's certificate, as in RFC 2253"),
        new("ssl_client_verify", false, "SUCCESS, FAILED: with the reason, or NONE where the client showed no certificate"),
        new("upstream_ssl_protocol", false, "the version of TLS on the server's control channel"),
        new("upstream_ssl_cipher", false, "the cipher suite on the server's control channel"),
        new("upstream_ssl_session_reused", false, "r where the server's control channel resumed a session, . where it did not"),
        new("protocol", false, "TCP, as in nginx"),
        new("pid", false, "the process id of ferryd"),
        new("hostname", false, "the name of this machine"),
        new("ftp_user", true, "the name that the client logged in with"),
        new("ftp_host", true, "the name that the client gave with HOST"),
        new("ftp_end", false, "why the session ended"),
        new("ftp_session", false, "the session's id, as $connection"),
        new("ftp_transfers", false, "how many transfers the session made"),
        new("ftp_commands", false, "how many commands the client sent"),
    ];

    private static readonly FrozenDictionary<string, ConfigVariable> ByName = All.ToFrozenDictionary(v => v.Name, StringComparer.Ordinal);

    /// <summary>Cuts a text at its variables, <c>$name</c> or <c>${name}</c>; reports those that there are not.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">The words that the text was joined from, in order, for the places of mistakes.</param>
    /// <param name="inHash">Whether the text is the key of <c>hash</c>.</param>
    /// <param name="findings">Where mistakes go.</param>
    /// <param name="own">The variables of the configuration's own; null: none.</param>
    public static TextTemplate? Parse(string text, IReadOnlyList<ConfigToken> at, bool inHash, ConfigFindings findings, IReadOnlyCollection<string>? own = null) =>
        Cut(text, at, name => own?.Contains(name) == true ? null : Fault(name, inHash), findings);

    private static TextTemplate? Cut(string text, IReadOnlyList<ConfigToken> at, Func<string, string?> fault, ConfigFindings findings)
    {
        var parts = ImmutableArray.CreateBuilder<TextPart>();
        var isGood = true;
        for (var i = 0; i < text.Length;)
        {
            var dollar = text.IndexOf('$', i);
            if (dollar != i)
            {
                var end = dollar < 0 ? text.Length : dollar;
                parts.Add(new TextPart(text[i..end], IsVariable: false));
                i = end;
                continue;
            }
            var braced = text.AsSpan(i).StartsWith("${");
            var start = i + (braced ? 2 : 1);
            var stop = start;
            while (stop < text.Length && (char.IsAsciiLetterOrDigit(text[stop]) || text[stop] == '_'))
                stop++;
            var name = text[start..stop];
            i = stop + (braced && stop < text.Length && text[stop] == '}' ? 1 : 0);
            var wrong = name.Length == 0 ? "a variable's name is missing after \"$\""
                : braced && i == stop ? $"\"}}\" is missing after \"${{{name}\""
                : fault(name);
            if (wrong is not null)
                findings.Error(PlaceOf(at, dollar, Math.Max(1, i - dollar)), wrong);
            isGood &= wrong is null;
            parts.Add(new TextPart(name, IsVariable: true));
        }
        return isGood ? new TextTemplate(text, parts.ToImmutable()) : null;
    }

    /// <summary>Whether there is such a variable, and it is not known yet when a server is chosen.</summary>
    public static bool IsKnownTooLate(string name) => ByName.TryGetValue(name, out var variable) && !variable.InHash;

    private static string? Fault(string name, bool inHash)
    {
        if (!ByName.TryGetValue(name, out var variable))
        {
            var known = All.Where(v => v.InHash || !inHash).Select(v => "$" + v.Name);
            return $"unknown variable {ConfigFindings.Show("$" + name)}{Spelling.DidYouMean("$" + name, known)}";
        }
        return inHash && !variable.InHash
            ? $"\"${name}\" is not known when a server is chosen; a key may use {string.Join(", ", All.Where(v => v.InHash).Select(v => "$" + v.Name))}"
            : null;
    }

    private static ConfigToken PlaceOf(IReadOnlyList<ConfigToken> words, int offset, int length)
    {
        foreach (var word in words)
        {
            if (offset < word.Text.Length)
                return word.Part(offset, Math.Min(length, word.Text.Length - offset));
            offset -= word.Text.Length;
        }
        return words[^1];
    }
}
