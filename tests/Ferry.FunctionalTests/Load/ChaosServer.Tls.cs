using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Load;

// A server that speaks TLS, and means it most of the time.
internal sealed partial class ChaosServer
{
    /// <summary>Answers AUTH.</summary>
    /// <returns>False where the connection is over.</returns>
    private async Task<bool> AgreeToTlsAsync(FtpsWire control, Random random)
    {
        var does = random.Next(72);
        if (_context is null || does == 0)
        {
            await SayAsync(control, "504 Not with me.");
            return true;
        }
        await SayAsync(control, does == 1 ? "234 Go on.\r\n230 You are in." : "234 Go on.");
        switch (does)
        {
            case 2:
                control.Reset();
                return false;
            case 3:
                return false;
            case 4:
                await SayAsync(control, "220 What was it that you wanted?");
                return true;
            case 5:
                await control.SendAsync(ChaosClient.Garbage(random), _end.Token);
                return true;
            case 6:
                // Takes the ClientHello, and never answers.
                await ListenOnAsync(control, _end.Token);
                return false;
            case 7:
                // Answers it, and is gone before the other end has read that.
                _ = control.SecureAsync(TlsConnection.AcceptControl(_context, control.Socket.AsConnection()), _end.Token);
                await Task.Yield();
                control.Reset();
                return false;
        }
        var tls = TlsConnection.AcceptControl(_context, control.Socket.AsConnection());
        if (!await control.SecureAsync(tls, _end.Token))
            return false;
        return does >= 12 || await TlsConnectionPair.TrySendKeyUpdatesAsync(tls, 200);
    }

    private static async Task SecureDataAsync(FtpsWire data, TlsOrigin origin, Random random, CancellationToken patience)
    {
        var does = random.Next(60);
        switch (does)
        {
            case 0:
                await data.SendAsync(ChaosClient.Garbage(random), patience);
                return;
            case 1:
                return; // and what follows is in clear
            case 2:
                await ListenOnAsync(data, patience);
                break;
        }
        var tls = TlsConnection.AcceptData(origin, data.Socket.AsConnection(), tickets: 1);
        var shaking = data.SecureAsync(tls, patience);
        if (does == 3)
            data.Reset();
        if (!await shaking)
            throw new OperationCanceledException();
        if (does < 8 && !await TlsConnectionPair.TrySendKeyUpdatesAsync(tls, 200))
            throw new OperationCanceledException();
    }

    /// <summary>Reads, until the other end has had enough.</summary>
    private static async Task ListenOnAsync(FtpsWire wire, CancellationToken ct)
    {
        var buffer = new byte[1024];
        while (await wire.ReceiveAsync(buffer, ct) > 0)
        {
        }
    }
}
