namespace Ferry.Protocol;

/// <summary>
/// Where the server is chosen by user and password together: USER is answered without a server, which then hears of both.
/// <code>
///   USER: Route ── Deferred (331) ──> PASS: LookUp ── LookedUp ──USER──> 331: swallowed ── PasswordLine ──> as the PASS of any login
///                                        │               └──────────────> 230, 530: the answer to PASS
///                                        └── Refused (530)
/// </code>
/// </summary>
internal sealed partial class ControlEngine
{
    private bool _awaitsPassword;
    private bool _isLookedUp;

    /// <summary>The server has taken the USER of <see cref="LookedUp"/>, and wants the password.</summary>
    public bool WantsPassword { get; private set; }

    /// <summary>The place for the user of the Route depends on the password.</summary>
    /// <returns>Answer, or Queued.</returns>
    public ControlDecision Deferred()
    {
        _awaitsPassword = true;
        return Answer(331, PasswordWanted);
    }

    /// <summary>A place has been found for the user and the password of the LookUp.</summary>
    /// <param name="name">What the server is to call the user; null: as the client does.</param>
    /// <returns>Rewrite, with the line that the server is to be told first.</returns>
    public ControlDecision LookedUp(string? name)
    {
        _isLookedUp = true;
        WantsPassword = false;
        return Routed(name);
    }

    /// <summary>The server is told the password now.</summary>
    public void PasswordSent()
    {
        WantsPassword = false;
        _pending.Add(new PendingCommand(FtpVerb.Pass));
    }

    /// <summary>There is no place for the user and the password of the LookUp.</summary>
    /// <returns>Deny.</returns>
    public ControlDecision Refused()
    {
        _refusals++;
        return new ControlDecision(DecisionKind.Deny) { Verb = FtpVerb.Pass, Code = 530, Bytes = ReplyWriter.Line(530, LoginRefused) };
    }

    /// <summary>Whether a reply to USER is not for the client, who has been told so before.</summary>
    private bool IsToldAlready(PendingCommand asker, int code) => _isLookedUp && asker.Verb == FtpVerb.User && code == 331;

    /// <summary>A reply to USER, PASS or ACCT of a login that was looked up.</summary>
    private void LookedUpAnswered(FtpVerb verb, int code)
    {
        WantsPassword = verb == FtpVerb.User && code == 331;
        if (code < 400)
            return;
        // The next password is another question, for which USER has to be said again.
        _hasServer = false;
        if (verb == FtpVerb.User)
            _refusals++;
    }
}
