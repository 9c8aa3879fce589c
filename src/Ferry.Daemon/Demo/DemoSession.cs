using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Daemon.Demo;

/// <summary>One client of the demo server: the conversation. Any name and any password will do, and neither is kept.</summary>
internal sealed partial class DemoSession : IAsyncDisposable
{
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(10);

    private readonly Socket _control;
    private readonly DemoLineReader _lines;
    private readonly DemoFolder _folder;
    private readonly TimeProvider _time;
    private readonly IPAddress _localAddress;
    private readonly IPAddress _client;
    private bool _userNamed;
    private bool _loggedIn;
    private bool _ended;
    private string _current = "/";

    public DemoSession(Socket control, DemoFolder folder, TimeProvider time)
    {
        _control = control;
        _control.NoDelay = true;
        // Telnet's DM comes as urgent data (RFC 959 §4.1.3); in line it is one byte among the others.
        _control.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.OutOfBandInline, true);
        _lines = new DemoLineReader(control);
        _folder = folder;
        _time = time;
        _localAddress = ((IPEndPoint)control.LocalEndPoint!).Address;
        _client = ((IPEndPoint)control.RemoteEndPoint!).Address;
    }

    public async Task RunAsync(CancellationToken ct)
    {
        await ReplyAsync("220 Ferry's demo server. Any name and password will do.", ct).ConfigureAwait(false);
        Task<DemoLine?>? pending = null;
        while (!_ended)
        {
            pending ??= _lines.ReadAsync(ct);
            if (_transfer is { } transfer)
            {
                if (!await LeavesLineAsync(transfer, pending, ct).ConfigureAwait(false))
                    pending = null;
                continue;
            }
            DemoLine? line;
            try
            {
                line = await pending.WaitAsync(IdleTimeout, _time, ct).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                await ReplyAsync("421 Nothing was said for ten minutes.", ct).ConfigureAwait(false);
                return;
            }
            if (line is not { } command)
                return;
            pending = null;
            await ReplyAsync(command.Problem ?? await AnswerAsync(command.Text, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_transfer is { } transfer)
        {
            await _abort!.CancelAsync().ConfigureAwait(false);
            await transfer.ConfigureAwait(false);
        }
        _passive?.Dispose();
        _abort?.Dispose();
    }

    private async Task<string?> AnswerAsync(string line, CancellationToken ct)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var verb = (space < 0 ? line : line[..space]).ToUpperInvariant();
        var argument = space < 0 ? "" : line[(space + 1)..];
        if (!_loggedIn && verb is not ("USER" or "PASS" or "QUIT" or "FEAT" or "SYST" or "HELP" or "NOOP" or "OPTS"))
            return "530 Log in first: USER, then PASS.";
        try
        {
            return AnswerTalk(verb, argument)
                ?? AnswerFiles(verb, argument)
                ?? await AnswerDataAsync(verb, argument, ct).ConfigureAwait(false);
        }
        catch (FileNotFoundException)
        {
            return "550 There is no such file or folder.";
        }
        catch (DirectoryNotFoundException)
        {
            return "550 There is no such folder.";
        }
        catch (UnauthorizedAccessException)
        {
            return "550 That is not permitted.";
        }
        catch (IOException e)
        {
            // The system's own text names real paths, which are nobody's business here.
            return (e.HResult & 0xFFFF) switch
            {
                17 or 39 => "550 The folder is not empty.",
                28 => "452 The disk is full.",
                _ => "550 The file system does not allow that.",
            };
        }
    }

    /// <summary>Commands that touch neither files nor data connections; null where it is none of them.</summary>
    private string? AnswerTalk(string verb, string argument)
    {
        switch (verb)
        {
            case "USER":
                _loggedIn = false;
                _userNamed = argument.Length > 0;
                return _userNamed ? "331 And the password, please." : "501 USER takes a name.";
            case "PASS":
                if (_loggedIn)
                    return "202 You are logged in already.";
                if (!_userNamed)
                    return "503 USER comes first.";
                _loggedIn = true;
                return "230 Welcome.";
            case "ACCT":
                return "202 No account is needed.";
            case "QUIT":
                _ended = true;
                return "221 Goodbye.";
            case "SYST":
                return "215 UNIX Type: L8";
            case "NOOP":
                return "200 OK.";
            case "FEAT":
                return "211-Features:\r\n EPSV\r\n MDTM\r\n " + MlstFeature() + "\r\n PASV\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End";
            case "OPTS":
                return Options(argument);
            case "HELP":
                return "214-These commands are known:\r\n"
                    + " ABOR ACCT ALLO APPE CDUP CWD DELE EPSV FEAT HELP LIST MDTM MKD MLSD MLST MODE NLST NOOP\r\n"
                    + " OPTS PASS PASV PWD QUIT REST RETR RMD RNFR RNTO SIZE STAT STOR STRU SYST TYPE USER\r\n214 End";
            case "STAT" when argument.Length == 0:
                return "211-Ferry's demo server\r\n Folder: " + Quote(_current) + "\r\n TYPE " + (_binary ? "I" : "A") + ", STRU F, MODE S\r\n211 End";
            case "ALLO":
                return "202 No space need be allotted.";
            case "TYPE":
                switch (argument.ToUpperInvariant())
                {
                    case "I" or "L 8":
                        _binary = true;
                        return "200 Type is image.";
                    case "A" or "A N":
                        // As vsftpd has it by default: the bytes of a file are its bytes in either type.
                        _binary = false;
                        return "200 Type is ASCII; files travel unchanged.";
                    default:
                        return "504 TYPE takes A or I.";
                }
            case "MODE":
                return argument.Equals("S", StringComparison.OrdinalIgnoreCase) ? "200 Mode is stream." : "504 MODE takes S.";
            case "STRU":
                return argument.Equals("F", StringComparison.OrdinalIgnoreCase) ? "200 Structure is file." : "504 STRU takes F.";
            default:
                return null;
        }
    }

    private string Options(string argument)
    {
        var words = argument.ToUpperInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case ["UTF8", "ON"] or ["UTF8"]:
                return "200 Names are UTF-8 always.";
            case ["MLST", .. var facts] when facts.Length <= 1:
                // RFC 3659 §7.9: the facts asked for that are known; the answer lists them.
                var wanted = facts is [var list] ? list.Split(';') : [];
                _facts = (wanted.Contains("TYPE") ? DemoFacts.Type : 0)
                    | (wanted.Contains("SIZE") ? DemoFacts.Size : 0)
                    | (wanted.Contains("MODIFY") ? DemoFacts.Modify : 0);
                return "200 MLST OPTS " + (_facts.HasFlag(DemoFacts.Type) ? "type;" : "")
                    + (_facts.HasFlag(DemoFacts.Size) ? "size;" : "") + (_facts.HasFlag(DemoFacts.Modify) ? "modify;" : "");
            default:
                return "501 There is no such option.";
        }
    }

    // RFC 3659 §7.8: the facts that are known, those in use with a star.
    private string MlstFeature() => "MLST type" + Star(DemoFacts.Type) + "size" + Star(DemoFacts.Size) + "modify" + Star(DemoFacts.Modify);

    private string Star(DemoFacts fact) => _facts.HasFlag(fact) ? "*;" : ";";

    // RFC 959, appendix II: a quote within quotes is doubled.
    private static string Quote(string path) => "\"" + path.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    private async Task ReplyAsync(string? reply, CancellationToken ct)
    {
        if (reply is null)
            return;
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(reply + "\r\n");
        while (!bytes.IsEmpty)
            bytes = bytes[await _control.SendAsync(bytes, SocketFlags.None, ct).ConfigureAwait(false)..];
    }
}
