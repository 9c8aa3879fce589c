using System.Net.Sockets;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Upstreams;

namespace Ferry.Sessions;

// What counts against a server after its greeting (max_fails). A client must not be able to make a server look bad: each session counts once at most for
// each of login and data, and what a client may have brought about does not count.
internal sealed partial class FtpSession
{
    // A server closes a port that nobody comes to, often after half a minute; whoever comes later finds it closed on a server that is well.
    private static readonly TimeSpan FreshPort = TimeSpan.FromSeconds(5);

    private const string RefusedLogin = "it answered the login with 421";

    private long _connectBy = long.MaxValue;
    private bool _isTurnedAway;
    private bool _loginFailed;
    private bool _toldOfLogin;
    private int _toldOfData;
    private volatile bool _hasAborted;

    /// <summary>The server takes our connections for the client's own: whatever it does to them may be meant for this client, whom its rules, limits and bans are for.</summary>
    private bool PassesForClient => _source is { IsTransparent: true, IsOfClient: true };

    /// <summary>The server knows who the client is, so that a refusal may be meant for this client.</summary>
    private bool KnowsClient => PassesForClient || _server.Config.ProxyProtocol != ProxyProtocolVersion.Off;

    /// <summary>A time stamp that is so far behind another; <see cref="long.MaxValue"/> for none.</summary>
    private long DeadlineSince(long began, TimeSpan limit) => limit <= TimeSpan.Zero
        ? long.MaxValue
        : began + (long)Math.Min(limit.TotalSeconds * _server.Time.TimestampFrequency, long.MaxValue / 4);

    /// <summary>The server has answered USER, PASS or ACCT. Under the lock.</summary>
    /// <param name="code">The answer; 0 before its last line.</param>
    private void NoteLogin(int code)
    {
        // After a wrong password 421 means that there have been too many of them.
        _isTurnedAway |= code == 421 && !_loginFailed;
        _loginFailed |= code is >= 500 and < 600;
    }

    /// <summary>Tells of a 421 to the user's login. Outside of the lock, as the log may wait for a disk.</summary>
    private void TellRefusal()
    {
        if (!_isTurnedAway || _toldOfLogin)
            return;
        _toldOfLogin = true;
        if (!KnowsClient)
            Report(_upstreamServer, RefusedLogin);
    }

    private void TellTlsFailure(string failure)
    {
        if (_endReason is null)
            Report(_upstreamServer, failure);
    }

    /// <summary>The server's passive port could not be connected to.</summary>
    /// <param name="age">How long the port was known when the attempt began.</param>
    /// <param name="result">How that ended.</param>
    private void TellDataConnect(TimeSpan age, ConnectResult result)
    {
        if (!result.IsOurs && age < FreshPort)
            TellData(result.Error == SocketError.TimedOut ? "connecting to its data port timed out" : $"connecting to its data port failed ({result.Error})");
    }

    /// <summary>A transfer is over.</summary>
    private void TellTransfer(Transfer transfer, int code, TransferOutcome outcome)
    {
        if (transfer.RelayEnd is not null)
            _upstreamServer?.ReportSuccess(isOfData: true);
        else if (outcome == TransferOutcome.UpstreamTlsFailed)
            TellData($"TLS on its data connection failed ({transfer.TlsFailure})");
        else if (outcome == TransferOutcome.NoUpstream || (outcome == TransferOutcome.Refused && code == 425 && transfer.LacksUpstream))
            TellData("it did not connect for its data");
    }

    private void TellData(string reason)
    {
        // ABOR makes servers forget data connections that were prepared, and a client that is leaving has its server end them.
        if (!_hasAborted && _state == SessionState.Open && Interlocked.Exchange(ref _toldOfData, 1) == 0)
            Report(_upstreamServer, reason, isOfData: true);
    }

    private void Report(UpstreamServer? server, string failure, bool isOfData = false)
    {
        if (!PassesForClient)
            server?.ReportFailure(failure, isOfData);
    }
}
