using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Ferry.Daemon;

/// <summary>What a signal asks for, beside an immediate stop.</summary>
internal enum SignalRequest
{
    /// <summary>SIGHUP: read the configuration again.</summary>
    Reload,

    /// <summary>SIGUSR1: open the log files again.</summary>
    Reopen,

    /// <summary>SIGQUIT: let transfers finish, then end.</summary>
    Drain,
}

/// <summary>Turns the process's signals into requests, in the order in which they came, and into a stop that overtakes them.</summary>
internal sealed class Signals : IDisposable
{
    // A sender in a loop must not fill the memory; whoever has 256 reloads before it does not miss the next.
    private readonly Channel<SignalRequest> _requests =
        Channel.CreateBounded<SignalRequest>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _interrupts;

    public Signals()
    {
        // A shell starts "ferryd … &" in a script with these two ignored, and the runtime would leave them so: `ferryd quit`
        // would have no effect. They are a daemon's controls, so they count however it was started, as in NGINX.
        _ = Libc.signal(Libc.SIGINT, 0);
        _ = Libc.signal(Libc.SIGQUIT, 0);
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Queue(context, SignalRequest.Reload)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Queue(context, SignalRequest.Drain)),
            // PosixSignal has no name for it; a positive value is the number of the system itself.
            PosixSignalRegistration.Create((PosixSignal)Libc.SIGUSR1, context => Queue(context, SignalRequest.Reopen)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
            {
                // Whoever presses Ctrl-C again does not want to wait: the second one keeps its default action, and kills.
                if (Interlocked.Increment(ref _interrupts) == 1)
                    Stop(context);
            }),
        ];
    }

    public ChannelReader<SignalRequest> Requests => _requests.Reader;

    /// <summary>Cancelled by SIGTERM and SIGINT: a reload or a drain under way gives way to it.</summary>
    public CancellationToken StopToken => _stop.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
    }

    private void Queue(PosixSignalContext context, SignalRequest request)
    {
        context.Cancel = true;
        _requests.Writer.TryWrite(request);
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop.Cancel();
    }
}
