namespace Ferry.Upstreams;

/// <summary>
/// What has changed of the servers of a group, for balancers that keep them in an order instead of looking at each. One for all generations,
/// as they share the counts; written and read under their lock.
/// </summary>
internal sealed class ChangeLog
{
    /// <summary>So many changes may be caught up with one by one.</summary>
    public const int Kept = 256;

    private readonly ServerTally?[] _sessions = new ServerTally?[Kept];

    /// <summary>How often the sessions of a server have changed.</summary>
    public long Sessions { get; private set; }

    /// <summary>
    /// How often a server that could be had had a failure, became full, or was tried again. That one can be had again need not be said: those that
    /// cannot be had are looked at with every pick. One that cannot be had without a word here is not chosen either, only its turn is counted for a while.
    /// </summary>
    public long Standing { get; set; }

    /// <summary>How often an agent has changed the share of its server's weight.</summary>
    public long Weights { get; set; }

    /// <summary>The server whose sessions changed as the number says, of the last <see cref="Kept"/> ones.</summary>
    public ServerTally this[long number] => _sessions[number % Kept]!;

    public void AddSession(ServerTally server) => _sessions[Sessions++ % Kept] = server;
}
