namespace Ferry.Protocol;

internal sealed partial class ControlEngine
{
    private enum Inside
    {
        /// <summary>Between replies.</summary>
        Nothing,

        /// <summary>Lines pass as they come.</summary>
        Text,

        /// <summary>Lines of a FEAT reply.</summary>
        Features,

        /// <summary>Lines of a 227 or 229: read for the address, none passed.</summary>
        Passive,

        /// <summary>Lines of a reply that something else has replaced.</summary>
        Replaced,
    }

    private Inside _inside;
    private int _insideCode;
    private bool _held;
    private int _asker;
    private int _lines;
    private uint _seenAddress;
    private int _seenPort;
    private byte[]? _instead;
    private bool _listsEprt;
    private bool _listsEpsv;

    /// <summary>Most lines of one reply. A reply is passed on line by line and costs no memory; this only ends one that never ends.</summary>
    public const int MaxReplyLines = 1_000_000;

    /// <summary>A FinishTransfer was said, and its data may still be on its way: the reply has not been passed on.</summary>
    public bool IsHolding => _held;

    /// <summary>True when a server's reply has gone on for more than <see cref="MaxReplyLines"/>.</summary>
    public bool ReplyIsEndless => _lines > MaxReplyLines;

    /// <summary>Shows a line of the server.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="truncated">The line was longer than <see cref="LineScanner.MaxLine"/>; this is its beginning.</param>
    public ControlDecision OnReply(ReadOnlySpan<byte> line, bool truncated = false)
    {
        if (_inside == Inside.Nothing)
            return OnFirstLine(ReplyLine.ParseFirst(line), truncated);
        var reply = ReplyLine.Parse(line);
        var isCoded = reply.Code == _insideCode;
        _lines++;
        if (_inside == Inside.Passive)
            ReadPassive(isCoded ? reply.Text : line, truncated);
        if (_inside == Inside.Features)
            ReadFeature(isCoded ? reply.Text : line);
        if (isCoded && !reply.Continues)
        {
            var added = _inside == Inside.Features ? AddedFeatures : [];
            if (_inside == Inside.Features && _greeting.HidesServer)
                return End(new ControlDecision(DecisionKind.Rewrite) { Bytes = [.. added, .. FeatureList.Tail] });
            var ended = End(ControlDecision.Forward);
            return added.Length == 0 ? ended : ended with { Kind = DecisionKind.Rewrite, Bytes = [.. added, .. line, (byte)'\r', (byte)'\n'] };
        }
        return _inside switch
        {
            Inside.Passive or Inside.Replaced => ControlDecision.Swallow,
            Inside.Features when !FeatureList.IsCarried(isCoded ? reply.Text : line) => ControlDecision.Swallow,
            Inside.Features when _greeting.HidesServer && !FeatureList.IsStandard(isCoded ? reply.Text : line) => ControlDecision.Swallow,
            _ => ControlDecision.Forward,
        };
    }

    /// <summary>The data of a FinishTransfer has been delivered, or will not be; its line is passed on now.</summary>
    /// <param name="replaced">Another reply is sent in its place, so its remaining lines are dropped.</param>
    public void TransferFinished(bool replaced)
    {
        _held = false;
        if (replaced && _inside != Inside.Nothing)
            _inside = Inside.Replaced;
    }

    private ControlDecision OnFirstLine(ReplyLine reply, bool truncated)
    {
        if (reply.Code == 0)
            return ControlDecision.Forward; // text between replies is nobody's answer
        if (reply.Code == 421 && _isReplaceable)
            return new ControlDecision(DecisionKind.NextServer) { Code = 421 };
        _insideCode = reply.Code;
        _seenPort = 0;
        _lines = 1;
        var begun = Begin(reply.Code, reply.Text);
        if (!reply.Continues && _inside == Inside.Features)
            _instead = FeatureList.Whole(AddedFeatures);
        if (_inside == Inside.Passive)
            ReadPassive(reply.Text, truncated);
        return reply.Continues ? begun : End(begun);
    }

    /// <summary>Decides on a reply's first line: which command it answers, and how its lines are treated.</summary>
    private ControlDecision Begin(int code, ReadOnlySpan<byte> text)
    {
        _inside = Inside.Text;
        if (code is 227 or 228 or 229)
        {
            _inside = Inside.Passive;
            DropStale(static p => FtpVerbs.IsPassive(p.Verb));
            _asker = _pending.FindIndex(static p => FtpVerbs.IsPassive(p.Verb));
            if (_asker < 0)
                _asker = IndexOfAsker(code);
            return ControlDecision.Swallow;
        }
        if (code is 125 or 150)
            DropStale(static p => p.HasData && !p.Preliminary);
        _asker = IndexOfAsker(code);
        if (_asker < 0)
            return ControlDecision.Forward;
        var asker = _pending[_asker];
        if (asker.Inserted != InsertedCommand.None && code != 421)
        {
            _inside = Inside.Replaced;
            return ControlDecision.Swallow;
        }
        if (IsToldAlready(asker, code))
        {
            _inside = Inside.Replaced;
            return ControlDecision.Swallow;
        }
        if (asker.IsSetUp && VerdictOn(code) != SetUpVerdict.Pass)
        {
            _inside = Inside.Replaced;
            return ControlDecision.Swallow;
        }
        if (MaskOf(asker, code, text) is { } mask)
        {
            _inside = Inside.Replaced;
            _instead = mask;
            return ControlDecision.Swallow;
        }
        if (asker.Verb == FtpVerb.Feat && code == 211)
        {
            _inside = Inside.Features;
            _listsEprt = _listsEpsv = false;
            if (_greeting.HidesServer)
                return new ControlDecision(DecisionKind.Rewrite) { Bytes = [.. FeatureList.Head] };
        }
        // A client that is shown a list does without what is not in it, so none is made for EPRT and EPSV alone.
        if (asker.Verb == FtpVerb.Feat && code is 500 or 502 && TlsFeatures.Length > 0)
        {
            _inside = Inside.Replaced;
            _listsEprt = _listsEpsv = false;
            _instead = FeatureList.Whole(AddedFeatures);
            return ControlDecision.Swallow;
        }
        if (!asker.HasData || code < 200)
            return ControlDecision.Forward;
        _held = true;
        return new ControlDecision(DecisionKind.FinishTransfer) { Code = code, Verb = asker.Verb, Transfer = asker.Transfer };
    }

    /// <summary>Decides on a reply's last line, which may be its first: the command that asked has been answered.</summary>
    private ControlDecision End(ControlDecision begun)
    {
        var inside = _inside;
        var code = _insideCode;
        var instead = _instead;
        _inside = Inside.Nothing;
        _instead = null;
        _lines = 0;
        if (inside == Inside.Passive)
            return EndPassive();
        if (_asker >= 0)
        {
            var asker = _pending[_asker];
            if (code < 200)
            {
                _pending[_asker] = asker with { Preliminary = true };
                if (code is 125 or 150 && (asker.HasData || OpensUnknownTransfer(asker)))
                    return Started(_pending[_asker], code);
            }
            else
            {
                _pending.RemoveAt(_asker);
                if (asker.Inserted != InsertedCommand.None)
                    return InsertedAnswered(asker.Inserted, code);
                if (asker.IsSetUp)
                    return SetUpAnswered(begun, code);
                if (asker.Verb == FtpVerb.Abor && code < 300)
                    DropTransfersBefore(_asker);
                Answered(asker, code);
            }
        }
        if (instead is not null)
            return new ControlDecision(DecisionKind.Rewrite) { Bytes = instead, Code = code };
        return inside == Inside.Replaced ? ControlDecision.Swallow : begun with { Code = code };
    }

    private static ControlDecision Started(PendingCommand asker, int code) => new(DecisionKind.StartTransfer)
    {
        Code = code,
        Verb = asker.Verb,
        Transfer = asker.Transfer,
        ClientIsPrivate = asker.ClientIsPrivate,
        UpstreamIsPrivate = asker.UpstreamIsPrivate,
    };

    // A command that Ferry does not know may use the passive port as well; its 150 is what tells.
    private bool OpensUnknownTransfer(PendingCommand asker)
    {
        if (!_channelReady || asker.Verb != FtpVerb.Other || asker.Inserted != InsertedCommand.None)
            return false;
        _channelReady = false;
        _pending[_asker] = _pending[_asker] with { Transfer = ++LastTransfer };
        return true;
    }

    /// <summary>What a FEAT reply's own lines do not name.</summary>
    private byte[] AddedFeatures => [.. TlsFeatures, .. FeatureList.Extended(!_listsEprt, !_listsEpsv)];

    private void ReadFeature(ReadOnlySpan<byte> line)
    {
        _listsEprt |= FeatureList.Names(line, "EPRT"u8);
        _listsEpsv |= FeatureList.Names(line, "EPSV"u8);
    }

    private void Answered(PendingCommand asker, int code)
    {
        if (IsAtFront)
            AnsweredAtFront(asker.Verb, code);
        switch (asker.Verb)
        {
            case FtpVerb.User or FtpVerb.Pass or FtpVerb.Acct when code is >= 200 and < 300: // 230, 232, and 202 "superfluous"
                LoggedIn = true;
                break;
            case FtpVerb.Rein when code is >= 200 and < 300:
                LoggedIn = false;
                _channelReady = false;
                _onlyEpsv = false;
                _unknown = SetUpCommands.None;
                break;
        }
        if (asker.ForbidsOtherModes && code is >= 200 and < 300)
            _onlyEpsv = true;
    }
}
