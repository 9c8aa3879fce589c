using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Daemon;

/// <summary>Tells systemd where the daemon stands (sd_notify(3)): one datagram a change, nothing at all outside systemd.</summary>
internal sealed class SystemdNotifier
{
    private readonly string? _path = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    public void Ready() => Send(string.Create(CultureInfo.InvariantCulture, $"READY=1\nMAINPID={Environment.ProcessId}"));

    // Type=notify-reload wants the time of CLOCK_MONOTONIC in microseconds, which is the system provider's timestamp.
    public void Reloading()
    {
        var time = TimeProvider.System;
        var microseconds = (Int128)time.GetTimestamp() * 1_000_000 / time.TimestampFrequency;
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    public void Stopping() => Send("STOPPING=1");

    private void Send(string state)
    {
        // A leading "@" names an abstract socket, whose address begins with a zero byte.
        var address = _path switch
        {
            ['@', .. var name] => "\0" + name,
            ['/', ..] => _path,
            _ => null,
        };
        if (address is null)
            return;
        try
        {
            // One that blocks would be a stalled systemd; nothing of the proxy's work may hang on it.
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(address));
        }
        catch (Exception e) when (e is SocketException or ArgumentOutOfRangeException)
        {
            // systemd's own start time-out tells the operator; the proxy works all the same.
        }
    }
}
