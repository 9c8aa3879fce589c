using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Config;
using Ferry.Protocol;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Upstreams;

/// <summary>One check of one server: a short session as a client has it, as far as its type says. Everything that the server may say is bounded, in time and in bytes.</summary>
internal sealed partial class HealthProbe : IDisposable
{
    /// <summary>More lines than any banner.</summary>
    private const int MostLines = 200;

    /// <summary>What all replies of a check together may have.</summary>
    private const int MostReplyBytes = 64 * 1024;

    private readonly HealthProbePlan _plan;
    private readonly IPEndPoint _server;
    private readonly CancellationToken _ct;
    private ControlChannel? _channel;
    private TlsContext? _context;
    private DateTimeOffset? _expires;
    private string _awaited = "connection";
    private bool _isOurs;
    private int _dataPort;
    private uint _dataAddress;

    private HealthProbe(HealthProbePlan plan, IPEndPoint server, CancellationToken ct)
    {
        _plan = plan;
        _server = server;
        _ct = ct;
    }

    /// <summary>Checks a server.</summary>
    /// <param name="plan">How.</param>
    /// <param name="server">Its address.</param>
    /// <param name="time">The clock of the bound.</param>
    /// <param name="stop">Gives up at once.</param>
    public static async Task<HealthProbeResult> RunAsync(HealthProbePlan plan, IPEndPoint server, TimeProvider time, CancellationToken stop)
    {
        // The caller is the heartbeat, whose thread no server is to keep.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = new CancellationTokenSource(plan.Check.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        using var probe = new HealthProbe(plan, plan.EndPointOf(server), both.Token);
        string? failure;
        try
        {
            failure = await probe.ConverseAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            failure = e is SocketException { SocketErrorCode: not SocketError.OperationAborted and var error }
                ? $"waiting for its {probe._awaited} failed ({error})"
                : $"it sent no {probe._awaited} in time";
        }
        if (failure is not null && limit.IsCancellationRequested)
            failure = $"no {probe._awaited} within {plan.Check.Timeout.TotalSeconds:0.###} s";
        return new HealthProbeResult(failure)
        {
            IsVoid = failure is not null && (stop.IsCancellationRequested || probe._isOurs),
            CertificateExpires = probe._expires,
        };
    }

    public void Dispose() => _channel?.Dispose();

    private async Task<string?> ConverseAsync()
    {
        var check = _plan.Check;
        var connected = await UpstreamConnector.ConnectAsync(_server, _plan.BindAddress, ProxyProtocol.Header(_plan.Header, null), null, _ct).ConfigureAwait(false);
        if (connected.Connection is not { } connection)
        {
            _isOurs = connected.IsOurs;
            return $"connecting failed ({connected.Error})";
        }
        if (check.Type == HealthCheckType.Connect && _plan.Match is null)
        {
            connection.Dispose();
            return null;
        }
        _awaited = "greeting";
        try
        {
            _channel = new ControlChannel(connection, noDelay: true, keepAlive: false, urgent: false);
        }
        catch (SocketException)
        {
            connection.Dispose();
            throw;
        }
        // Whatever is waited for on the channel ends with it.
        using var ending = _ct.UnsafeRegister(static c => ((ControlChannel)c!).Dispose(), _channel);
        if (_plan.Match is { } match)
            return await MatchAsync(_channel, match).ConfigureAwait(false);
        if (await GreetAsync(_channel).ConfigureAwait(false) is { } notGreeted)
            return notGreeted;
        if (check.Type >= HealthCheckType.Login && await LogInAsync(_channel).ConfigureAwait(false) is { } notLoggedIn)
            return notLoggedIn;
        if (check.Type >= HealthCheckType.List && await FetchAsync(_channel).ConfigureAwait(false) is { } notFetched)
            return notFetched;
        await LeaveAsync(_channel).ConfigureAwait(false);
        return null;
    }

    private async Task<string?> GreetAsync(ControlChannel channel)
    {
        if (_plan.TlsMode == UpstreamTls.Implicit && await StartTlsAsync(channel).ConfigureAwait(false) is { } noTls)
            return noTls;
        var code = await ReadReplyAsync(channel, "greeting").ConfigureAwait(false);
        if (code == 120) // a delay is announced (RFC 959 §5.4)
            code = await ReadReplyAsync(channel, "greeting").ConfigureAwait(false);
        if (code != 220)
            return code switch
            {
                End => "it closed the connection without a greeting",
                TooLong => "its greeting does not end",
                NoReply => "its greeting is not that of an FTP server",
                _ => $"it greeted with {code}",
            };
        if (_plan.TlsMode != UpstreamTls.Explicit)
            return null;
        code = await AskAsync(channel, "AUTH TLS").ConfigureAwait(false);
        if (code is >= 500 and < 600)
            code = await AskAsync(channel, "AUTH SSL").ConfigureAwait(false); // the draft's name, which is all that old servers know
        if (code is not (234 or 334))
            return Said("AUTH TLS", code);
        return channel.Buffered.IsEmpty
            ? await StartTlsAsync(channel).ConfigureAwait(false)
            : "it sent bytes in clear behind its 234";
    }

    private async Task<string?> StartTlsAsync(ControlChannel channel)
    {
        _awaited = "TLS handshake";
        _context = _plan.Tls!();
        var tls = TlsConnection.Connect(_context, channel.Connection, isData: false, _plan.PeerName, resume: null);
        if (!await channel.StartTlsAsync(tls).ConfigureAwait(false))
            return $"TLS failed ({(tls.MetClearText ? "the server speaks no TLS" : tls.Failure)})";
        _expires = tls.PeerExpires();
        return null;
    }

    private async Task<string?> LogInAsync(ControlChannel channel)
    {
        var code = await AskAsync(channel, "USER", Encoding.UTF8.GetBytes(_plan.Check.User ?? "anonymous")).ConfigureAwait(false);
        if (code == 331)
            code = await AskAsync(channel, "PASS", _plan.Password.Bytes.ToArray()).ConfigureAwait(false);
        else if (code is not (230 or 232))
            return Said("USER", code);
        if (code is not (202 or 230 or 232))
            return Said("PASS", code);
        if (_plan.TlsMode == UpstreamTls.Off || _plan.Check.Type < HealthCheckType.List)
            return null;
        _ = await AskAsync(channel, "PBSZ 0").ConfigureAwait(false); // what matters is PROT
        var protection = _plan.DataIsPrivate ? "PROT P" : "PROT C";
        code = await AskAsync(channel, protection).ConfigureAwait(false);
        return code == 200 ? null : Said(protection, code);
    }

    /// <summary>Says goodbye, so that the server's log is not full of lost connections. What has been found stands.</summary>
    private async Task LeaveAsync(ControlChannel channel)
    {
        try
        {
            _ = await AskAsync(channel, "QUIT").ConfigureAwait(false);
            channel.Close();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has had enough of us, or took too long over it.
        }
    }

    // Codes that no server sends.
    private const int NoReply = 0;
    private const int End = -1;
    private const int TooLong = -2;

    private static string Said(string command, int code) => code switch
    {
        End => $"it closed the connection at {command}",
        TooLong => $"its answer to {command} does not end",
        NoReply => $"its answer to {command} is not that of an FTP server",
        _ => $"it answered {command} with {code}",
    };

    private Task<int> AskAsync(ControlChannel channel, string command) => AskAsync(channel, command, []);

    private async Task<int> AskAsync(ControlChannel channel, string verb, byte[] argument)
    {
        channel.Write([.. Encoding.ASCII.GetBytes(verb), .. argument.Length == 0 ? [] : " "u8, .. argument, .. "\r\n"u8]);
        await channel.FlushAsync().ConfigureAwait(false);
        return await ReadReplyAsync(channel, $"answer to {verb}").ConfigureAwait(false);
    }

    /// <summary>Reads a reply to its last line.</summary>
    private async Task<int> ReadReplyAsync(ControlChannel channel, string what)
    {
        _awaited = what;
        _dataPort = 0;
        var first = NoReply;
        for (var i = 0; i < MostLines; i++)
        {
            int length;
            OperationStatus status;
            while ((status = LineScanner.TryRead(channel.Buffered, out _, out length)) == OperationStatus.NeedMoreData)
            {
                if (channel.BytesReceived > MostReplyBytes)
                    return TooLong;
                if (!await channel.FillAsync().ConfigureAwait(false))
                    return End;
            }
            if (status != OperationStatus.Done)
                return TooLong;
            var (code, continues) = TakeLine(channel, length, first);
            if (i == 0)
                first = code;
            if (first == NoReply || (code == first && !continues))
                return first;
        }
        return TooLong;
    }

    private (int Code, bool Continues) TakeLine(ControlChannel channel, int length, int first)
    {
        var line = channel.Buffered[..length].TrimEnd("\r\n"u8);
        var reply = first == NoReply ? ReplyLine.ParseFirst(line) : ReplyLine.Parse(line);
        var result = (reply.Code, reply.Continues);
        // As the sessions' engine: the address may stand in any line of the reply.
        var kind = first == NoReply ? reply.Code : first;
        if (_dataPort == 0 && kind == 229 && ExtendedEndPoint.TryParse(reply.Text, out var extended))
            _dataPort = extended;
        else if (_dataPort == 0 && kind == 227 && HostPort.TryParse(reply.Text, out var address, out var port))
            (_dataAddress, _dataPort) = (address, port);
        channel.Consume(length);
        return result;
    }
}
