namespace Ferry.Protocol;

/// <summary>A command of Ferry's own to the server, which the client knows nothing of.</summary>
internal enum InsertedCommand
{
    None,
    AuthTls,
    AuthSsl,
    Pbsz,
    ProtClear,
    ProtPrivate,
    Ccc,
}

/// <summary>A command whose final reply has not come yet, or an answer of Ferry's own that waits for its turn behind such commands.</summary>
/// <param name="Verb">The command.</param>
internal readonly record struct PendingCommand(FtpVerb Verb)
{
    /// <summary>Set for an answer of Ferry's own: the line to send when its turn comes.</summary>
    public byte[]? Answer { get; init; }

    /// <summary>No command: the greeting.</summary>
    public bool IsGreeting { get; init; }

    /// <summary>It has no argument.</summary>
    public bool IsBare { get; init; }

    /// <summary>Set for a command of Ferry's own: its reply is not the client's.</summary>
    public InsertedCommand Inserted { get; init; }

    /// <summary>The server's side of the data channel that is being set up.</summary>
    public bool IsSetUp { get; init; }

    /// <summary>The number of the transfer (<see cref="ControlEngine.LastTransfer"/>); 0 where the command has none.</summary>
    public int Transfer { get; init; }

    /// <summary>A transfer command whose data goes through Ferry.</summary>
    public bool HasData => Transfer > 0;

    /// <summary>A 1xx has come (RFC 959 §4.2: the command goes on, another reply will follow).</summary>
    public bool Preliminary { get; init; }

    /// <summary>EPSV ALL (RFC 2428 §4).</summary>
    public bool ForbidsOtherModes { get; init; }

    /// <summary>The client's data was private when the command was sent; a later PROT does not change its transfer.</summary>
    public bool ClientIsPrivate { get; init; }

    /// <summary>The server's data was private when the command was sent.</summary>
    public bool UpstreamIsPrivate { get; init; }
}
