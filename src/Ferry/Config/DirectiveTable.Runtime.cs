namespace Ferry.Config;

/// <summary>The directives that do something: servers that are full, gone, or found anew while Ferry runs.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> RuntimeRows() =>
    [
        new("queue", InUpstream, "queue NUMBER [timeout=TIME];", "none",
            "Lets so many sessions wait while every server that could be had is at its `max_conns`: the first come is the first served. A client for whom no place is free within `timeout=` (60s when left out), or who finds the queue full, is told `ftp_sorry`. Without it nobody waits. Servers that have failed or are down are not waited for.")
        { MaxArguments = 2, Set = (b, n) => b.SetQueue(n) },
        new("ftp_sorry", InUpstream | InBoth, "ftp_sorry TEXT;", $"\"{ServerConfig.DefaultSorry}\"",
            "The reply that a client gets when no server can be had: a code of 4xx or 5xx, a space and a text on one line, 500 bytes at most. That of an upstream counts before that of the server block, and that before the one of `stream`.")
        { ControlOnly = true, Set = (b, n) => b.SetSorry(n) },
        new("state", InUpstream, "state FILE;", "none",
            "Keeps the servers of the upstream in a file, a `server` line each as in the block, which has none of its own then. Changes that are made while Ferry runs are written to it at once and so survive reloads and restarts. A file that is not there holds no servers yet; one that has anything else in it, or cannot be written, is an error. The file is not meant to be changed by hand while Ferry runs.")
        { Set = (b, n) => b.SetState(n) },
        new("resolver", InBoth | InUpstream, "resolver ADDR ... [valid=TIME] [ipv4=on | off] [ipv6=on | off];", "none",
            "Who is asked for the addresses of names with `resolve`, and for services: name servers by address, port 53 when left out, one after the other. An answer is used as long as it says itself, or for `valid=`; `ipv4=off` and `ipv6=off` leave a family out. Without it the system's hosts file and name servers are used (`/etc/hosts`, `/etc/resolv.conf`). In a server block it has no effect.")
        { MaxArguments = Directive.Many, Set = (b, n) => b.SetResolver(n) },
        new("resolver_timeout", InBoth | InUpstream, "resolver_timeout TIME;", "none",
            "The bound of one resolution, all questions together; 30s when left out. Name servers that do not answer are left after 3 seconds each, and asked twice.")
        { Set = (b, n) => b.SetResolverTimeout(n) },
    ];
}
