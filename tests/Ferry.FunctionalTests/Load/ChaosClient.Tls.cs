using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Load;

// A client that speaks TLS, and means it most of the time.
internal sealed partial class ChaosClient
{
    /// <summary>The beginning of a ClientHello (RFC 8446 §4.1.2) of which most is still to come.</summary>
    private static readonly byte[] HalfHello = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 1, 2, 3, 4, 5];

    /// <summary>The server has agreed to PROT P.</summary>
    private bool _isPrivate;

    /// <summary>Bytes that mean nothing, but may look like the header of a TLS record.</summary>
    public static byte[] Garbage(Random random)
    {
        var bytes = new byte[random.Next(6, 3000)];
        random.NextBytes(bytes);
        if (random.Next(2) == 0)
            (bytes[0], bytes[1], bytes[2]) = ((byte)random.Next(20, 24), 3, 3);
        return bytes;
    }

    private async Task StartTlsAsync(TlsContext tlsContext)
    {
        var does = _isDecent ? 71 : random.Next(72);
        // What stands behind AUTH in the same packet must never be read as a command (CVE-2011-1575).
        await SendAsync(does == 0 ? "AUTH TLS\r\nUSER chaos\r\n" : "AUTH TLS\r\n");
        if (await ReadUntilAsync("234", "4", "5") is not ['2', ..])
            return;
        using var patience = OutOfPatience();
        var tls = TlsConnection.Connect(tlsContext, _control.Socket.AsConnection(), isData: false, TlsPeerName.Any, resume: null);
        switch (does)
        {
            case 1:
                await _control.SendAsync(Garbage(random), patience.Token);
                break;
            case 2 or 3:
                await _control.SendAsync(HalfHello, patience.Token);
                if (does == 2)
                    _control.Reset();
                break;
            case 4:
                _control.Reset();
                break;
            case 5:
                // The ClientHello goes out, and RST with it or soon behind it.
                _ = _control.SecureAsync(tls, patience.Token);
                _control.Reset();
                break;
            case 6:
                _control.CutOff();
                break;
        }
        if (does is > 0 and < 7)
        {
            if (_control.Tls is null)
                tls.Dispose();
            // Ferry must have ended it; text is the last that comes, if any does.
            await ReadUntilAsync("the end");
            throw new OperationCanceledException();
        }
        if (!await _control.SecureAsync(tls, patience.Token))
            throw new OperationCanceledException();
        await SendAsync("PBSZ 0\r\n");
        await ReadUntilAsync("200", "4", "5");
        if (Happens(6))
            return;
        await SendAsync("PROT P\r\n");
        _isPrivate = await ReadUntilAsync("200", "4", "5") is ['2', ..];
    }

    /// <summary>What only a client in TLS can do wrong.</summary>
    private async Task ActInTlsAsync(TlsConnection tls, int act)
    {
        _isConfused = true;
        using var patience = OutOfPatience();
        switch (act)
        {
            case 0:
                // Keys are changed for nothing, each time with the wish for an answer (RFC 8446 §4.6.3).
                if (!await TlsConnectionPair.TrySendKeyUpdatesAsync(tls, random.Next(1, 400)))
                    throw new OperationCanceledException();
                await SendAsync("NOOP\r\n");
                break;
            case 1:
                for (ReadOnlyMemory<byte> rest = Garbage(random); rest.Length > 0;)
                    rest = rest[await _control.Socket.SendAsync(rest, patience.Token)..];
                break;
            default:
                await SendAsync("AUTH TLS\r\nPROT S\r\nPROT C\r\nCCC\r\nPBSZ 1\r\n");
                break;
        }
    }

    /// <returns>False where nothing more is to come of the connection.</returns>
    private async Task<bool> SecureDataAsync(FtpsWire data, CancellationToken patience)
    {
        if (!_isPrivate)
            return true;
        var does = _isDecent ? 49 : random.Next(50);
        if (does < 4)
        {
            _isConfused = true;
            if (does == 0)
                await data.SendAsync(Garbage(random), patience);
            else if (does == 1)
                await data.SendAsync(HalfHello, patience);
            if (does < 3)
                data.Reset();
            return false; // the last one is silent
        }
        using var session = Happens(4) ? null : _control.Tls!.GetSession();
        var tls = TlsConnection.Connect(context!, data.Socket.AsConnection(), isData: true, TlsPeerName.Any, session);
        var shaking = data.SecureAsync(tls, patience);
        if (does == 4)
            data.Reset();
        if (!await shaking)
        {
            // The server's end may have been in the way; its reply tells, and is nobody's business here.
            _isConfused = true;
            return false;
        }
        return does >= 8 || await TlsConnectionPair.TrySendKeyUpdatesAsync(tls, 200);
    }
}
