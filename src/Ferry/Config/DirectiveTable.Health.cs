namespace Ferry.Config;

/// <summary>The directives that do something: the health of servers.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> HealthRows() =>
    [
        new("health_check", InServer | InUpstream,
            "health_check [interval=TIME] [jitter=TIME] [timeout=TIME] [rise=NUMBER] [fall=NUMBER] [type=connect | banner | login | list | retr] [user=NAME] [password_file=FILE] [path=PATH] [expect=TEXT | expect=size:BYTES] [match=NAME] [port=PORT] [tls=off | explicit | implicit] [mandatory [persistent]] [agent_port=PORT [agent_addr=ADDR] [agent_interval=TIME] [agent_send=TEXT]] | off;", "none",
            "Checks each server of the upstream all the time, and sends no new session to one that fails, whatever `max_fails` says; see [Health of servers](#health-of-servers). In a `server` it speaks of the upstream there, and comes before what that says itself; `off` checks nothing. `passes=` and `fails=` are nginx's words for `rise=` and `fall=`. With `agent_port=` the servers' [agents](#what-agents-say) are asked too.")
        { MinArguments = 0, MaxArguments = Directive.Many, ControlOnly = true, Set = (b, n) => b.SetHealthCheck(n) },
        new("health_check_exec", InUpstream, "health_check_exec PROGRAM [ARGUMENT ...];", "none",
            "Has a program check the servers, in place of Ferry's own conversation with them; see [Checks by a program](#checks-by-a-program). It runs once for each check and server, without a shell, and ends with 0 where the server is well. `health_check` in the same block says how often, how long, and what else; without it, its defaults count. PROGRAM is an absolute path.")
        { MaxArguments = 64, Set = (b, n) => b.SetHealthProgram(n) },
        new("match", InStream, "match NAME { ... }", "none",
            "A conversation of your own for checks, which `health_check match=NAME` has in place of FTP's: what is sent, and what has to come; see [Your own conversation](#your-own-conversation).")
        { IsBlock = true, Opens = InMatch, Repeats = true, Set = (b, n) => b.SetMatch(n) },
        new("send", InMatch, "send TEXT;", "none",
            "What is sent first. `\\xHH` is a byte, in hexadecimal digits; `\\r` and `\\n` are the ends of lines.")
        { Set = (b, n) => b.SetMatchSend(n) },
        new("expect", InMatch, "expect TEXT | ~ REGEX | ~* REGEX;", "none",
            "What has to be in the first 4096 bytes that come: a text, in which `\\xHH` is a byte, or something that a regular expression matches, with `~*` without regard to case. The check passes as soon as it is.")
        { MaxArguments = 2, Set = (b, n) => b.SetMatchExpect(n) },
        new("health_check_timeout", InBoth, "health_check_timeout TIME;", "none",
            "The bound of one whole check, for each `health_check` that has no `timeout=` of its own. Where neither is written it is five seconds.")
        { ControlOnly = true, Set = (b, n) => b.SetHealthTimeout(n) },
    ];
}
