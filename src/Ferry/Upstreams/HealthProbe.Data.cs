using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Config;
using Ferry.Transport;
using Ferry.Transport.Tls;

namespace Ferry.Upstreams;

// The data path of a check: a passive data connection, and what comes over it.
internal sealed partial class HealthProbe
{
    private async Task<string?> FetchAsync(ControlChannel channel)
    {
        var isFile = _plan.Check.Type == HealthCheckType.Retr;
        // A size means nothing where line ends are changed on the way.
        if (isFile && await AskAsync(channel, "TYPE I").ConfigureAwait(false) is not 200 and var typed)
            return Said("TYPE I", typed);
        if (await AskForPortAsync(channel).ConfigureAwait(false) is { } noPort)
            return noPort;
        _awaited = "data connection";
        var connected = await UpstreamConnector.ConnectAsync(DataEndPoint(), _plan.BindAddress, ProxyProtocol.Header(_plan.DataHeader, null), null, _ct).ConfigureAwait(false);
        if (connected.Connection is not { } connection)
        {
            _isOurs = connected.IsOurs;
            return $"connecting to its data port failed ({connected.Error})";
        }
        DataLeg leg;
        try
        {
            leg = new DataLeg(connection);
        }
        catch (SocketException)
        {
            connection.Dispose();
            throw;
        }
        using (leg)
        using (_ct.UnsafeRegister(static l => ((DataLeg)l!).Reset(), leg))
            return await FetchAsync(channel, leg, isFile ? "RETR" : "LIST").ConfigureAwait(false);
    }

    private async Task<string?> AskForPortAsync(ControlChannel channel)
    {
        _dataAddress = 0;
        var code = await AskAsync(channel, "EPSV").ConfigureAwait(false);
        if (code == 229 && _dataPort != 0)
            return null;
        if (code is not (>= 500 and < 600) || _server.AddressFamily != AddressFamily.InterNetwork)
            return code == 229 ? "its 229 names no port" : Said("EPSV", code);
        code = await AskAsync(channel, "PASV").ConfigureAwait(false);
        return code != 227 ? Said("PASV", code) : _dataPort == 0 ? "its 227 names no port" : null;
    }

    /// <summary>Where sessions would go: the announced address only where the operator trusts it (RFC 2577 §3).</summary>
    private IPEndPoint DataEndPoint()
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, _dataAddress);
        var announced = new IPAddress(bytes);
        return new IPEndPoint(_dataAddress != 0 && _plan.PassiveAddress.Trusts(announced) ? announced : _server.Address, _dataPort);
    }

    private async Task<string?> FetchAsync(ControlChannel channel, DataLeg leg, string verb)
    {
        var code = await AskAsync(channel, verb, Encoding.UTF8.GetBytes(_plan.Check.Path ?? "")).ConfigureAwait(false);
        if (code is not (125 or 150))
            return Said(verb, code);
        if (await ReceiveAsync(channel, leg).ConfigureAwait(false) is { } broken)
            return broken;
        code = await ReadReplyAsync(channel, $"end of {verb}").ConfigureAwait(false);
        return code is 226 or 250 ? null : $"it ended {verb} with {code}";
    }

    private async Task<string?> ReceiveAsync(ControlChannel channel, DataLeg leg)
    {
        var expected = new ExpectedData(_plan.Check.ExpectText, _plan.Check.ExpectSize);
        using var session = _plan.SessionReuse ? channel.Tls?.GetSession() : null;
        if (_plan.TlsMode != UpstreamTls.Off && _plan.DataIsPrivate)
        {
            _awaited = "TLS handshake on its data connection";
            var tls = TlsConnection.Connect(_context!, leg.Connection, isData: true, _plan.PeerName, session);
            leg.Secure(tls);
            if (!await tls.HandshakeAsync().ConfigureAwait(false))
                return $"TLS on its data connection failed ({tls.Failure})";
        }
        _awaited = "end of its data";
        var buffer = new byte[8192];
        while (true)
        {
            switch (leg.Receive(buffer, out var count))
            {
                case LegReadStatus.Data when !expected.TryTake(buffer.AsSpan(0, count)):
                    return $"it sent more than {HealthDraft.MostData} bytes";
                case LegReadStatus.Data:
                    break;
                case LegReadStatus.Nothing:
                    await leg.WaitReadableAsync().ConfigureAwait(false);
                    break;
                case LegReadStatus.Truncated when _plan.AllowTruncation:
                case LegReadStatus.Closed:
                    await leg.TryEndAsync(isWhole: true).ConfigureAwait(false);
                    leg.Dispose();
                    return expected.Missing;
                default:
                    return "its data connection was cut off";
            }
        }
    }
}
