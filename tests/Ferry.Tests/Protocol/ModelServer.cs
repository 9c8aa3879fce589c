using System.Text;

namespace Ferry.Tests.Protocol;

/// <summary>
/// An FTP server that does one command after the other and says which it answers, so that a reply which reaches the wrong side is known by its text.
/// </summary>
internal sealed class ModelServer
{
    private readonly Queue<string> _replies = new(["220 re:greeting"]);
    private readonly Queue<string> _lines = [];
    private int _read;
    private bool _loggedIn;
    private bool _hasPort;
    private readonly HashSet<string> _refused = [];
    private bool _isTls;
    private bool _hadTls;
    private bool _isPrivate;

    /// <summary>The transfers in their order: whether its data connection was TLS, and whether it could have been.</summary>
    public List<(bool IsPrivate, bool HadTls)> Transfers { get; } = [];

    /// <summary>What has come that must never come.</summary>
    public List<string> Wrong { get; } = [];

    /// <summary>Called before USER or PASS is taken: whether it may have come.</summary>
    public required Func<bool> MayLogIn { get; init; }

    /// <summary>What AUTH TLS and AUTH SSL are answered; 234 or a refusal.</summary>
    public required int Tls { get; init; }

    public required int Ssl { get; init; }

    /// <summary>Data is private from the start where TLS comes from the first byte or by AUTH SSL.</summary>
    public required bool StartsPrivate { get; init; }

    /// <summary>What PROT P and PROT C are answered.</summary>
    public required int Private { get; init; }

    public required int Clear { get; init; }

    public required int Ccc { get; init; }

    public required int Feat { get; init; }

    /// <summary>What PASV, EPSV, PORT and EPRT are answered; 200 where they do what they should.</summary>
    public required IReadOnlyDictionary<string, int> SetUps { get; init; }

    /// <summary>PBSZ and PROT want the login first.</summary>
    public required bool LoginFirst { get; init; }

    /// <summary>TLS was turned on before the greeting.</summary>
    public void StartTls(bool isImplicit)
    {
        _isTls = _hadTls = true;
        _isPrivate = isImplicit && StartsPrivate;
    }

    /// <summary>Reads on in everything that has been sent to it.</summary>
    public void Read(string sent)
    {
        while (sent.IndexOf('\n', _read) is >= 0 and var end)
        {
            var line = sent[_read..end].TrimEnd('\r');
            _read = end + 1;
            while (line.StartsWith('['))
            {
                _isTls = line.StartsWith("[TLS]", StringComparison.Ordinal);
                line = line[(line.IndexOf(']', StringComparison.Ordinal) + 1)..];
            }
            _lines.Enqueue(line);
        }
    }

    /// <summary>The next line that it says; null when it has nothing to say.</summary>
    public byte[]? Say()
    {
        if (_replies.Count == 0 && _lines.TryDequeue(out var line))
            Do(line);
        return _replies.TryDequeue(out var reply) ? Encoding.ASCII.GetBytes(reply + "\r\n") : null;
    }

    private void Do(string line)
    {
        var words = line.Split(' ');
        switch (words[0])
        {
            case "USER" or "PASS":
                if (!MayLogIn())
                    Wrong.Add("a login in clear: " + line);
                _loggedIn |= words[0] == "PASS";
                Reply(words[0] == "PASS" ? 230 : 331, line);
                break;
            case "AUTH":
                var code = words[1] == "SSL" ? Ssl : Tls;
                if (_isTls)
                    Wrong.Add("AUTH within TLS");
                if (code == 234)
                {
                    _isTls = _hadTls = true;
                    _isPrivate = words[1] == "SSL" && StartsPrivate;
                }
                Reply(code, line);
                break;
            case "PBSZ" or "PROT" when !_isTls:
                Wrong.Add(line + " outside TLS");
                Reply(503, line);
                break;
            case "PBSZ" or "PROT" when LoginFirst && !_loggedIn:
                Reply(530, line);
                break;
            case "PBSZ":
                Reply(200, line);
                break;
            case "PROT":
                var verdict = words[1] == "P" ? Private : Clear;
                if (verdict == 200)
                    _isPrivate = words[1] == "P";
                Reply(verdict, line);
                break;
            case "CCC":
                _isTls &= Ccc != 200;
                Reply(Ccc, line);
                break;
            case "REIN":
                _loggedIn = _hasPort = false;
                _refused.Clear();
                Reply(220, line);
                break;
            case "FEAT" when Feat == 211:
                _replies.Enqueue("211-Features");
                _replies.Enqueue(" AUTH TLS");
                _replies.Enqueue(" UTF8");
                Reply(211, line);
                break;
            case "FEAT":
                Reply(Feat, line);
                break;
            case "EPSV" when words is [_, "ALL"]:
                Reply(200, line);
                break;
            case "PASV" or "EPSV" or "PORT" or "EPRT":
                SetUp(words[0], line);
                break;
            case "RETR" or "STOR" or "LIST" or "XLST":
                if (_hasPort)
                {
                    Transfers.Add((_isPrivate, _hadTls));
                    _replies.Enqueue("150 go");
                }
                Reply(_hasPort ? 226 : 425, line);
                _hasPort = false;
                break;
            default:
                Reply(200, line);
                break;
        }
    }

    private void SetUp(string verb, string line)
    {
        if (line is not ("PASV" or "EPSV" or "PORT 127,0,0,1,78,32" or "EPRT |1|127.0.0.1|20000|" or "EPRT |2|::1|20000|"))
            Wrong.Add("asked in words that are not Ferry's: " + line);
        var code = _loggedIn ? SetUps[verb] : 530;
        if (_loggedIn && code is 500 or 501 or 502 or 504 or 522 or 550 && !_refused.Add(verb))
            Wrong.Add(verb + " was asked again");
        _hasPort |= code == 200;
        if (code == 200 && (verb is "PASV" or "EPSV"))
            _replies.Enqueue(verb == "PASV" ? "227 (10,0,0,1,4,1)" : "229 (|||1025|)");
        else
            Reply(code, verb);
    }

    private void Reply(int code, string line) => _replies.Enqueue($"{code} re:{line}");
}
