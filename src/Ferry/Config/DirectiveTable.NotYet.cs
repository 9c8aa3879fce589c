namespace Ferry.Config;

/// <summary>The directives whose feature is still to come: errors, so that nobody believes that they work.</summary>
internal static partial class DirectiveTable
{
    private static Directive Later(string name, ConfigContexts contexts, string syntax, string? meanwhile, string? neutral = null) =>
        new(name, contexts, syntax, "none", "Not supported yet: an error, so that nobody relies on it.")
        {
            Status = DirectiveStatus.NotYet,
            MinArguments = 0,
            MaxArguments = Directive.Many,
            Repeats = true,
            Reason = meanwhile,
            Neutral = neutral,
        };

    private static Directive LaterBlock(string name, ConfigContexts contexts, string syntax, string? meanwhile) =>
        Later(name, contexts, syntax, meanwhile) with { IsBlock = true };

    private static Directive Never(string name, string syntax) =>
        LaterBlock(name, InMain, syntax, null) with
        {
            Summary = "Ferry serves FTP only: an error. What the block holds is not looked at.",
            Refusal = $"Ferry serves FTP only: run nginx beside it for \"{name}\", and remove the block here",
        };

    private static IEnumerable<Directive> NotYet() =>
    [
        Never("http", "http { ... }"),
        Never("mail", "mail { ... }"),
        Later("set", InServer, "set $NAME VALUE;", null),
        Later("return", InServer, "return TEXT;", null),
        Later("pass", InServer, "pass ADDR;", "use proxy_pass"),

        Later("least_time", InUpstream, "least_time connect | first_byte | last_byte [inflight];", "use least_conn"),

        Later("proxy_upload_rate", InBoth, "proxy_upload_rate RATE;", null, "0"),
        Later("proxy_download_rate", InBoth, "proxy_download_rate RATE;", null, "0"),
        Later("proxy_session_drop", InBoth, "proxy_session_drop on | off;", "sessions stay with a server that is removed until they end", "off"),
        Later("limit_conn", InBoth, "limit_conn ZONE NUMBER;", "worker_connections bounds all sessions, ftp_client_ports the ports of a client"),
        Later("limit_conn_zone", InStream, "limit_conn_zone KEY zone=NAME:SIZE;", null),
        Later("limit_conn_log_level", InBoth, "limit_conn_log_level info | notice | warn | error;", null),
        Later("limit_conn_dry_run", InBoth, "limit_conn_dry_run on | off;", null, "off"),
    ];
}
