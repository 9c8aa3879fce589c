using System.Text;
using Ferry.Upstreams;

namespace Ferry.Sessions;

internal sealed partial class FtpSession
{
    private bool _isQueued;

    /// <summary>The next server to try; where all are full, the session waits for a place in the upstream's queue. Null when there is none to be had.</summary>
    private ValueTask<UpstreamServer?> NextServerAsync(UpstreamChoice choice) =>
        choice.TryNextAtOnce(out var server) ? new(server) : WaitForServerAsync(choice);

    private async ValueTask<UpstreamServer?> WaitForServerAsync(UpstreamChoice choice)
    {
        using var turn = new ConnectDeadline();
        var began = _server.Time.GetTimestamp();
        _connectBy = long.MaxValue;
        BeginStep(turn, _place!.Group.QueueTimeout);
        Volatile.Write(ref _isQueued, true);
        var server = await choice.WaitAsync(turn.Token).ConfigureAwait(false);
        EndStep();
        GoOnSearching(began);
        // A client cannot log in while it waits for a server; the time for that begins here.
        lock (_sync)
            _loggedOutAt = _server.Time.GetTimestamp();
        Touch();
        Volatile.Write(ref _isQueued, false);
        return server;
    }

    /// <summary>A client that has gone gives up its place, or its question; nobody reads from it while it waits, so it has to be looked for.</summary>
    private void SweepQueue()
    {
        if ((Volatile.Read(ref _isQueued) || Volatile.Read(ref _isAsking)) && _client.HasPeerGone())
            End(SessionEndReason.ClientClosed, null);
    }

    private byte[] SorryLine() => Encoding.UTF8.GetBytes((_place?.Group.Sorry ?? _server.Config.Sorry) + "\r\n");
}
