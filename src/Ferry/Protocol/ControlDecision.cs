namespace Ferry.Protocol;

/// <summary>What the session is to do with the line that it has just shown to the <see cref="ControlEngine"/>.</summary>
internal enum DecisionKind
{
    /// <summary>Pass the line on as it came.</summary>
    Forward,

    /// <summary>Pass <see cref="ControlDecision.Bytes"/> on in place of the line.</summary>
    Rewrite,

    /// <summary>Send <see cref="ControlDecision.Bytes"/> back to the client; the server sees nothing.</summary>
    Answer,

    /// <summary>Nothing now: the answer stands in line behind replies that are still to come.</summary>
    Queued,

    /// <summary>Show the same command again when a reply has come.</summary>
    Wait,

    /// <summary>Connect to the server's data port, then call <see cref="ControlEngine.TransferOpened"/> or <see cref="ControlEngine.TransferRefused"/>.</summary>
    OpenTransfer,

    /// <summary>Drop the line.</summary>
    Swallow,

    /// <summary>The server has opened <see cref="ControlDecision.Port"/>: lend a port, then answer in place of the line.</summary>
    OpenPassive,

    /// <summary>The server's answer to PASV or EPSV is of no use: answer <see cref="ControlDecision.Bytes"/> in place of the line.</summary>
    RefusePassive,

    /// <summary>Pass the line on, then let data flow.</summary>
    StartTransfer,

    /// <summary>The transfer's last reply: pass the line on when the data has been delivered.</summary>
    FinishTransfer,
}

/// <summary>A <see cref="DecisionKind"/> and what it needs.</summary>
internal readonly record struct ControlDecision(DecisionKind Kind)
{
    /// <summary>A whole line with its end, where the kind sends one.</summary>
    public byte[]? Bytes { get; init; }

    /// <summary>The reply's code; 0 for a command or a line without one.</summary>
    public int Code { get; init; }

    /// <summary>The server's data port.</summary>
    public int Port { get; init; }

    /// <summary>The address that a 227 names, h1 in the highest byte; 0 for EPSV.</summary>
    public uint Address { get; init; }

    /// <summary>The command that asked for the passive port, PASV or EPSV; or the transfer command.</summary>
    public FtpVerb Verb { get; init; }

    /// <summary>The number of the transfer that starts or finishes (<see cref="ControlEngine.LastTransfer"/>).</summary>
    public int Transfer { get; init; }

    public static ControlDecision Forward { get; } = new(DecisionKind.Forward);

    public static ControlDecision Wait { get; } = new(DecisionKind.Wait);

    public static ControlDecision Swallow { get; } = new(DecisionKind.Swallow);
}
