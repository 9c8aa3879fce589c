using System.Net;

namespace Ferry.Protocol;

/// <summary>What the session is to do with the line that it has just shown to the <see cref="ControlEngine"/>.</summary>
internal enum DecisionKind
{
    /// <summary>Pass the line on as it came.</summary>
    Forward,

    /// <summary>Pass <see cref="ControlDecision.Bytes"/> on in place of the line: of the client's, or of the server's last line of FEAT.</summary>
    Rewrite,

    /// <summary>Send <see cref="ControlDecision.Bytes"/> back to the client; the server sees nothing.</summary>
    Answer,

    /// <summary>Nothing now: the answer stands in line behind replies that are still to come.</summary>
    Queued,

    /// <summary>Show the same command again when a reply has come.</summary>
    Wait,

    /// <summary>
    /// Make the server's side of the data channel ready, which is to connect to its port where it has opened one; then call
    /// <see cref="ControlEngine.TransferOpened"/> or <see cref="ControlEngine.TransferRefused"/>.
    /// </summary>
    OpenTransfer,

    /// <summary>
    /// Open a port that the server is to connect to, then call <see cref="ControlEngine.ListenerOpened"/> or <see cref="ControlEngine.ListenerRefused"/>;
    /// what that says is what is done with the client's line.
    /// </summary>
    OpenListener,

    /// <summary>Drop the line.</summary>
    Swallow,

    /// <summary>
    /// The server's side is ready for the client's PASV or EPSV: lend a port, call <see cref="ControlEngine.DataChannelOpened"/>, and answer in place of
    /// the line.
    /// </summary>
    OpenPassive,

    /// <summary>
    /// The server's side is ready for the client's PORT or EPRT: call <see cref="ControlEngine.DataChannelOpened"/> and answer
    /// <see cref="ControlDecision.Bytes"/> in place of the line.
    /// </summary>
    OpenActive,

    /// <summary>The server has refused a command for a data channel: drop the line, and send it <see cref="ControlDecision.Bytes"/>, which ask in another way.</summary>
    Retry,

    /// <summary>The server's answer to a command for a data channel is of no use to the client: answer <see cref="ControlDecision.Bytes"/> in place of the line.</summary>
    RefuseSetUp,

    /// <summary>Pass the line on, then let data flow.</summary>
    StartTransfer,

    /// <summary>The transfer's last reply: pass the line on when the data has been delivered.</summary>
    FinishTransfer,

    /// <summary>
    /// Send <see cref="ControlDecision.Bytes"/> to the server ahead of the client's line, which is not consumed but shown again when a reply
    /// has come: as <see cref="Wait"/>. The reply is the engine's.
    /// </summary>
    Insert,

    /// <summary>
    /// The client's AUTH: consume the line; where bytes stand behind it, end the session, for they are an injection. Else send
    /// <see cref="ControlDecision.Bytes"/>, the last that goes out in clear, shake hands, and call <see cref="ControlEngine.ClientTlsStarted"/>.
    /// No reply of the server's is outstanding; one that comes by itself must not be written before the handshake has ended.
    /// </summary>
    StartClientTls,

    /// <summary>
    /// The server takes TLS: drop the line; where bytes stand behind it, end the session, for they are an injection. Else shake hands with the
    /// server and call <see cref="ControlEngine.UpstreamTlsStarted"/>; the client's command is then shown again.
    /// </summary>
    StartUpstreamTls,

    /// <summary>The client's CCC: consume the line, send <see cref="ControlDecision.Bytes"/> still encrypted, end TLS by close_notify both ways, and call <see cref="ControlEngine.ClientTlsStopped"/>.</summary>
    StopClientTls,

    /// <summary>The server has taken CCC: drop the line, end TLS by close_notify both ways, and call <see cref="ControlEngine.UpstreamTlsStopped"/>; the client's command is then shown again.</summary>
    StopUpstreamTls,

    /// <summary>
    /// The client's USER, for which a server is to be found: call <see cref="ControlEngine.Routed"/> or <see cref="ControlEngine.Unrouted"/>. With the
    /// former send its bytes to the server, and read the answer before the next line of the client's.
    /// </summary>
    Route,

    /// <summary>
    /// The client's PASS, whose argument is <see cref="ControlDecision.Bytes"/>, and by which a server is to be found: call
    /// <see cref="ControlEngine.LookedUp"/> or <see cref="ControlEngine.Refused"/>. With the former send its bytes to the server, read the answer, and
    /// where <see cref="ControlEngine.WantsPassword"/> then holds, call <see cref="ControlEngine.PasswordSent"/> and send the password.
    /// </summary>
    LookUp,

    /// <summary>The client's PASS or ACCT: pass the line on, and read the answer before the next line of the client's.</summary>
    LogIn,

    /// <summary>The PASS of a user whom nobody knows: answer <see cref="ControlDecision.Bytes"/> after as long a time as a server would take.</summary>
    Deny,

    /// <summary>The client's QUIT, and there is no server to answer it: answer <see cref="ControlDecision.Bytes"/> and end the session.</summary>
    Farewell,

    /// <summary>The client's REIN: leave the server, call <see cref="ControlEngine.UpstreamLeft"/>, and answer <see cref="ControlDecision.Bytes"/>.</summary>
    Release,

    /// <summary>The server refuses the session before PASS was answered: drop the line and the server, and try the next one.</summary>
    NextServer,
}

/// <summary>A <see cref="DecisionKind"/> and what it needs.</summary>
internal readonly record struct ControlDecision(DecisionKind Kind)
{
    /// <summary>A whole line with its end, or several, where the kind sends them.</summary>
    public byte[]? Bytes { get; init; }

    /// <summary>The reply's code; 0 for a command or a line without one.</summary>
    public int Code { get; init; }

    /// <summary>The server's data port; 0 where the server connects to Ferry.</summary>
    public int Port { get; init; }

    /// <summary>The address that a 227 names, h1 in the highest byte; 0 for EPSV.</summary>
    public uint Address { get; init; }

    /// <summary>The server connects to the port that OpenListener asked for; else Ferry connects to the server's.</summary>
    public bool UpstreamIsActive { get; init; }

    /// <summary>Where the client waits for its data connection, for OpenActive.</summary>
    public IPEndPoint? Client { get; init; }

    /// <summary>What a PORT or EPRT named and must not be connected to, where that is why it is refused.</summary>
    public IPEndPoint? RefusedPeer { get; init; }

    /// <summary>The client's command for a data channel; the server's for Retry; or the transfer command.</summary>
    public FtpVerb Verb { get; init; }

    /// <summary>The client's data connection is TLS, for a transfer that opens or starts.</summary>
    public bool ClientIsPrivate { get; init; }

    /// <summary>The server's data connection is TLS, for a transfer that opens or starts.</summary>
    public bool UpstreamIsPrivate { get; init; }

    /// <summary>The number of the transfer that starts or finishes (<see cref="ControlEngine.LastTransfer"/>).</summary>
    public int Transfer { get; init; }

    public static ControlDecision Forward { get; } = new(DecisionKind.Forward);

    public static ControlDecision Wait { get; } = new(DecisionKind.Wait);

    public static ControlDecision Swallow { get; } = new(DecisionKind.Swallow);
}
