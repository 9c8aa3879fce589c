using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>Waits for a descriptor to be readable or writable, on a loop. One waiter for each at a time, on any threads. A readiness that nobody waits for costs nothing.</summary>
internal sealed class Readiness(SafeHandle descriptor)
{
    private readonly Lock _gate = new();
    private EventLoop? _loop;
    private Waiter? _reader;
    private Waiter? _writer;
    private uint _awaited;
    private bool _isAdded;
    private bool _isClosed;

    /// <summary>Its place in the loop. The loop's.</summary>
    internal ulong Token { get; set; }

    /// <summary>Where waiters go on; may be set before the first wait.</summary>
    public EventLoop Loop
    {
        get
        {
            lock (_gate)
                return _loop ??= EventLoop.Current ?? EventLoop.Next();
        }

        set
        {
            lock (_gate)
            {
                if (Token == 0)
                    _loop = value;
            }
        }
    }

    /// <summary>Ends when there is something to read, an end or an error among them; not before the loop's next turn, so that nobody who always has something keeps the thread.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel cannot tell.</exception>
    public ValueTask WaitReadableAsync() => Wait(ref _reader, Libc.EPOLLIN);

    /// <summary>Ends when there is room to write, or an error.</summary>
    /// <inheritdoc cref="WaitReadableAsync" path="/exception"/>
    public ValueTask WaitWritableAsync() => Wait(ref _writer, Libc.EPOLLOUT);

    /// <summary>Ends a <see cref="WaitReadableAsync"/> that is under way, as if there were something.</summary>
    public void CancelReading() => Finish(Libc.EPOLLIN, closes: false);

    /// <summary>Ends all waits with <see cref="ObjectDisposedException"/>, those to come too. Before the descriptor is closed. May be called again.</summary>
    public void Close() => Finish(Libc.EPOLLIN | Libc.EPOLLOUT, closes: true);

    /// <summary>The kernel's word. On the loop's thread.</summary>
    internal void Tell(uint events)
    {
        uint met;
        lock (_gate)
        {
            var wanted = (events & (Libc.EPOLLERR | Libc.EPOLLHUP)) != 0 ? Libc.EPOLLIN | Libc.EPOLLOUT : events;
            met = _awaited & wanted;
            _awaited &= ~met;
            if (_awaited != 0)
                Rearm(ref met);
        }
        Complete(met);
    }

    private ValueTask Wait(ref Waiter? waiter, uint what)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if ((_awaited & what) != 0)
                throw new InvalidOperationException("Two wait for the same event of one descriptor.");
            if (Token == 0)
                Token = (_loop ??= EventLoop.Current ?? EventLoop.Next()).Add(this);
            waiter ??= new Waiter();
            waiter.Begin();
            _awaited |= what;
            try
            {
                _loop!.Arm(descriptor, Token, _awaited, isFirst: !_isAdded);
                _isAdded = true;
            }
            catch
            {
                _awaited &= ~what;
                throw;
            }
            return waiter.Task;
        }
    }

    private void Rearm(ref uint met)
    {
        try
        {
            _loop!.Arm(descriptor, Token, _awaited, isFirst: false);
        }
        catch (Exception e) when (e is ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            met |= _awaited; // whoever waits finds out by its next call
            _awaited = 0;
        }
    }

    private void Finish(uint what, bool closes)
    {
        uint met;
        lock (_gate)
        {
            if (closes && !_isClosed)
            {
                _isClosed = true;
                if (Token != 0)
                    _loop!.Remove(this);
            }
            met = _awaited & what;
            _awaited &= ~met;
        }
        // Not here: the caller may hold locks that those who go on need.
        if (met != 0)
            _loop!.Post(met switch
            {
                Libc.EPOLLIN => static state => ((Readiness)state!).Complete(Libc.EPOLLIN),
                Libc.EPOLLOUT => static state => ((Readiness)state!).Complete(Libc.EPOLLOUT),
                _ => static state => ((Readiness)state!).Complete(Libc.EPOLLIN | Libc.EPOLLOUT),
            }, this);
    }

    private void Complete(uint met)
    {
        if ((met & Libc.EPOLLIN) != 0)
            _reader!.End(_isClosed);
        if ((met & Libc.EPOLLOUT) != 0)
            _writer!.End(_isClosed);
    }

    /// <summary>One direction's wait, used again for each.</summary>
    private sealed class Waiter : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core; // continues on the spot, which is the loop's thread

        public ValueTask Task => new(this, _core.Version);

        public void Begin() => _core.Reset();

        public void End(bool isClosed)
        {
            if (isClosed)
                _core.SetException(new ObjectDisposedException(nameof(Connection)));
            else
                _core.SetResult(true);
        }

        public void GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
