using System.Collections.Frozen;
using System.Linq;

namespace Ferry.Config;

/// <summary>The variables that a server may be chosen by, and the configuration's own.</summary>
internal static partial class ConfigVariables
{
    /// <summary>Those that are known when a client has said who it is.</summary>
    public static readonly FrozenSet<string> InRoutes = FrozenSet.ToFrozenSet(
    [
        "remote_addr", "remote_port", "server_addr", "server_port", "proxy_protocol_addr", "proxy_protocol_port", "proxy_protocol_server_addr", "proxy_protocol_server_port",
        "realip_remote_addr", "realip_remote_port", "connection", "protocol", "pid", "hostname",
        "ssl_protocol", "ssl_cipher", "ssl_session_reused", "ssl_server_name", "ssl_client_s_dn", "ssl_client_verify", "ftp_user", "ftp_host", "ftp_session",
    ], StringComparer.Ordinal);

    /// <summary>Those that are not known before the client has said USER.</summary>
    public static readonly FrozenSet<string> OfUser = FrozenSet.ToFrozenSet(["ftp_user", "ftp_host"], StringComparer.Ordinal);

    public static bool IsBuiltIn(string name) => ByName.ContainsKey(name);

    /// <summary>Cuts a text that is looked at before a server is chosen.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">The word that it stands in.</param>
    /// <param name="own">The configuration's own variables.</param>
    /// <param name="captures">What a regular expression beside it has captured.</param>
    /// <param name="findings">Where mistakes go.</param>
    public static TextTemplate? ParseRoute(string text, ConfigToken at, IReadOnlyCollection<string> own, IReadOnlyCollection<string> captures, ConfigFindings findings) =>
        Cut(text, [at], name => own.Contains(name) || captures.Contains(name) ? null : RouteFault(name, own, captures), findings);

    private static string? RouteFault(string name, IReadOnlyCollection<string> own, IReadOnlyCollection<string> captures)
    {
        if (InRoutes.Contains(name))
            return null;
        if (IsBuiltIn(name))
            return $"\"${name}\" cannot be used here: it is {(name == "binary_remote_addr" ? "no text; use $remote_addr" : "not known before the session has ended")}";
        if (char.IsAsciiDigit(name[0]))
            return $"there is no capture \"${name}\" here: the regular expression has {(captures.Count == 0 ? "none" : "groups of both kinds, with and without names; name them all")}";
        return $"unknown variable {ConfigFindings.Show("$" + name)}{Spelling.DidYouMean("$" + name, [.. InRoutes.Concat(own).Concat(captures).Select(v => "$" + v)])}";
    }
}
