namespace Ferry.Config;

/// <summary>The directives of routing: variables, and what is done before a server is chosen.</summary>
internal static partial class DirectiveTable
{
    private static Directive Variable(string name, string syntax, string summary, Action<ConfigBinder, ConfigNode> set) =>
        new(name, InStream, syntax, "none", summary) { IsBlock = true, Opens = ConfigContexts.Lines, Repeats = true, Set = set };

    private static IEnumerable<Directive> RoutingRows() =>
    [
        Variable("map", "map TEXT $NAME { ... }",
            "Makes a variable out of a text: each line has a key and a value. A key is the whole text, in upper or lower case; `~` before it makes it a regular expression, `~*` one without regard to case. With `hostnames;` keys may be `*.NAME`, `.NAME` and `NAME.*`. The whole text comes first, then the longest `*.NAME`, the longest `NAME.*`, the regular expressions in their order, and last `default`. Values may hold variables, captures among them (`$1`, or `$NAME` of a group `(?<NAME>...)`). A backslash before a key takes its meaning from it, as in `\\default`. `include FILE;` may stand among the lines; `volatile;` is accepted and changes nothing.",
            static (b, n) => b.SetMap(n)) with { MinArguments = 2, MaxArguments = 2 },
        Variable("split_clients", "split_clients TEXT $NAME { ... }",
            "Makes a variable out of the hash of a text, with the shares of nginx (MurmurHash2): each line has a percentage, or `*` for the rest, and a value.",
            static (b, n) => b.SetSplitClients(n)) with { MinArguments = 2, MaxArguments = 2 },
        Variable("geo", "geo [$ADDRESS] $NAME { ... }",
            "Makes a variable out of an address, `$remote_addr` unless another one is named: each line has a network, or `default`, and a value. The narrowest network counts.",
            static (b, n) => b.SetGeo(n)) with { MaxArguments = 2 },
        new("ftp_user", InServer, "ftp_user TEXT;", "the client's own",
            "The name that the server is given with USER, where it is another than the client's: a text with variables. Where its value is empty the client's own goes on. With it the server is chosen when USER comes.")
        { ControlOnly = true, Set = static (b, n) => b.SetUser(n) },
        new("ftp_route", InBoth, "ftp_route URL [timeout=TIME] [cache=TIME] [entries=NUMBER] [stale=TIME] [password=on | off] [token_file=FILE] [trusted_certificate=FILE] [allow=NETWORK] ... | off;", "off",
            "Asks a service over HTTP or HTTPS where a user belongs; see [A service that routes](#a-service-that-routes). `proxy_pass` beside it is for users whom the service gives no place; without it there are none. The server is chosen when USER comes, with `password=on` when PASS does.")
        { ControlOnly = true, MaxArguments = Directive.Many, Set = static (b, n) => b.SetRouteLookup(n) },
        new("ftp_greeting", InBoth, "ftp_greeting TEXT | off;", "off",
            "The text of the 220 that clients are greeted with. With `off` it is the server's own, and `FTP server ready` where the server is chosen when USER comes, or is hidden.")
        { ControlOnly = true, Set = static (b, n) => b.SetGreeting(n) },
        new("ftp_hide_server", InBoth, "ftp_hide_server on | off;", "off",
            "Replaces what tells the server's software: its greeting, its answers to SYST, HELP, STAT without an argument, and to a login (331, and 530 to PASS), and the lines of FEAT that no standard has.")
        { ControlOnly = true, Set = static (b, n) => b.SetOnOff(n, static (s, v) => s.HideServer = v) },
    ];
}
