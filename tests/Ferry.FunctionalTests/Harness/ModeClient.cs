using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The four ways in which a client asks for a data connection.</summary>
public enum DataVerb
{
    /// <summary>RFC 959: the client connects; IPv4 only.</summary>
    Pasv,

    /// <summary>RFC 2428: the client connects.</summary>
    Epsv,

    /// <summary>RFC 959: the client is connected to; IPv4 only.</summary>
    Port,

    /// <summary>RFC 2428: the client is connected to.</summary>
    Eprt,
}

/// <summary>A client that opens its data connections in one way of the four, and takes active ones from the address only that it logged on to.</summary>
internal sealed class ModeClient(ScriptedClient control, DataVerb verb) : IDisposable
{
    private DataPort? _listener;
    private IPEndPoint? _target;

    public ScriptedClient Control { get; } = control;

    /// <summary>May be changed between transfers.</summary>
    public DataVerb Verb { get; set; } = verb;

    public bool IsActive => Verb is DataVerb.Port or DataVerb.Eprt;

    /// <summary>Where the last data connection came from or went to.</summary>
    public IPEndPoint? DataPeer { get; private set; }

    /// <summary>Connects and logs in: in clear, or with AUTH TLS and data in TLS or not.</summary>
    public static async Task<ModeClient> LogInAsync(
        IPEndPoint to, DataVerb verb, TlsEnd? tls = null, bool protect = true, IPAddress? from = null, string user = "ferry", string password = "secret")
    {
        var control = await ScriptedClient.ConnectAsync(to, from);
        try
        {
            await control.ExpectAsync(220);
            if (tls is not null)
                await control.AuthAsync(tls);
            await control.CommandAsync($"USER {user}", 331);
            await control.CommandAsync($"PASS {password}", 230);
            if (tls is not null)
            {
                await control.CommandAsync("PBSZ 0", 200);
                await control.CommandAsync(protect ? "PROT P" : "PROT C", 200);
                control.DataTls = protect ? tls : null;
            }
            await control.CommandAsync("TYPE I", 200);
            return new ModeClient(control, verb);
        }
        catch
        {
            control.Dispose();
            throw;
        }
    }

    /// <summary>PORT or EPRT for an address.</summary>
    public static string Announce(DataVerb verb, IPEndPoint endPoint) => verb == DataVerb.Port
        ? $"PORT {DataPort.HostPortOf(endPoint)}"
        : $"EPRT |{(endPoint.AddressFamily == AddressFamily.InterNetwork ? 1 : 2)}|{endPoint.Address}|{endPoint.Port}|";

    /// <summary>Asks for a data connection; what was asked for before is forgotten.</summary>
    public async Task<Reply> TrySetUpAsync()
    {
        Forget();
        switch (Verb)
        {
            case DataVerb.Pasv:
                var pasv = await Control.CommandAsync("PASV");
                _target = pasv.Code == 227 ? pasv.PasvEndPoint : null;
                return pasv;
            case DataVerb.Epsv:
                var epsv = await Control.CommandAsync("EPSV");
                _target = epsv.Code == 229 ? new IPEndPoint(Control.ControlEndPoint.Address, epsv.EpsvPort) : null;
                return epsv;
            default:
                // PORT has no room for more: over IPv6 it names an address that is none of the client's.
                var address = Verb == DataVerb.Port && Control.ControlEndPoint.AddressFamily == AddressFamily.InterNetworkV6
                    ? IPAddress.Loopback
                    : Control.Wire.LocalEndPoint.Address;
                _listener = new DataPort(address);
                return await Control.CommandAsync(Announce(Verb, _listener.EndPoint));
        }
    }

    public async Task SetUpAsync()
    {
        var reply = await TrySetUpAsync();
        var expected = Verb switch { DataVerb.Pasv => 227, DataVerb.Epsv => 229, _ => 200 };
        Assert.True(reply.Code == expected, $"Expected {expected} to {Verb}, and got {reply}");
    }

    /// <summary>Sets up, sends the transfer command, and gives the data connection, in TLS where data is protected.</summary>
    /// <param name="command">The transfer command.</param>
    /// <param name="before">Sent right before it, and answered with 350.</param>
    public async Task<(DataEnd Data, Reply Preliminary)> BeginAsync(string command, string? before = null)
    {
        await SetUpAsync();
        if (before is not null)
            await Control.CommandAsync(before, 350);
        DataEnd? data = null;
        try
        {
            if (!IsActive)
                data = await ConnectAsync();
            var preliminary = await Control.CommandAsync(command);
            Assert.True(preliminary.Code is 150 or 125, $"Expected 150 or 125 to {command}, and got {preliminary}");
            data ??= await AcceptAsync();
            if (Control.DataTls is { } tls)
                await data.StartTlsAsync(tls);
            return (data, preliminary);
        }
        catch
        {
            data?.Dispose();
            throw;
        }
    }

    /// <summary>A whole download or listing.</summary>
    public async Task<byte[]> ReceiveAsync(string command, string? before = null)
    {
        var (data, _) = await BeginAsync(command, before);
        using var end = data;
        var received = await data.ReceiveToEndAsync();
        Assert.True(received.Ending == DataEnding.Closed, $"{command} ended with {received.Ending} after {received.Bytes.Length} bytes.");
        if (Control.DataTls is not null)
            await data.EndSendAsync();
        // As most clients do; pyftpdlib's 226 comes only after that.
        data.Dispose();
        await Control.ExpectAsync(226);
        return received.Bytes;
    }

    /// <summary>A whole upload.</summary>
    /// <returns>The 1xx, which tells the name of a STOU.</returns>
    public async Task<Reply> SendAsync(string command, byte[] bytes)
    {
        var (data, preliminary) = await BeginAsync(command);
        using (data)
        {
            await data.SendAsync(bytes);
            await data.EndSendAsync();
            // What the other end says after that (its close_notify, TLS 1.3's tickets) would make the close a reset.
            if (Control.DataTls is not null)
                await data.ReceiveToEndAsync();
        }
        await Control.ExpectAsync(226);
        return preliminary;
    }

    /// <summary>A transfer that the server refuses with 550.</summary>
    public async Task RefusedAsync(string command)
    {
        await SetUpAsync();
        using var data = IsActive ? null : await ConnectAsync();
        await Control.CommandAsync(command, 550);
        Forget();
    }

    public Task QuitAsync() => Control.QuitAsync();

    public void Dispose()
    {
        Forget();
        Control.Dispose();
    }

    /// <summary>Connects to the port that was asked for.</summary>
    public async Task<DataEnd> ConnectAsync()
    {
        var data = await Control.ConnectDataAsync(_target ?? throw new InvalidOperationException("No port was asked for."));
        DataPeer = data.RemoteEndPoint;
        return data;
    }

    /// <summary>Takes the connection to the port that was announced.</summary>
    public async Task<DataEnd> AcceptAsync()
    {
        var listener = _listener ?? throw new InvalidOperationException("No port was announced.");
        var data = await listener.AcceptAsync();
        DataPeer = data.RemoteEndPoint;
        Assert.Equal(Control.ControlEndPoint.Address, data.RemoteEndPoint.Address);
        Forget();
        return data;
    }

    /// <summary>Closes the port that was announced.</summary>
    public void Forget()
    {
        _listener?.Dispose();
        _listener = null;
        _target = null;
    }
}
