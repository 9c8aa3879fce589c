using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transport.Linux;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Transport;

/// <summary>
/// One thread that waits with epoll(7) for the descriptors that were given to it, and goes on with whoever waited for them. All connections of a session
/// have the same loop, so what arrives for one while the other is served costs no switch between threads.
/// <code>
///   epoll_wait ──events──> whoever waited goes on, here, until the next wait ──> what was queued ──> epoll_wait
/// </code>
/// </summary>
/// <remarks>.NET's own engine deals sockets out to its threads one by one and is told of every segment, wanted or not. Here a descriptor is armed for one event at
/// a time (EPOLLONESHOT) and is silent otherwise. Nothing that runs on a loop may block.</remarks>
internal sealed unsafe class EventLoop
{
    private const int MostEvents = 256;

    // struct epoll_event: 32 bits of events, 64 bits of data; packed on x86-64 only.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private static readonly EventLoop[] All = StartAll();
    private static int _next;

    [ThreadStatic]
    private static EventLoop? _current;

    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _bell;
    private readonly ConcurrentQueue<(Action<object?> Action, object? State)> _queue = new();
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private Readiness?[] _places = new Readiness?[64];
    private int _used = 1; // 0 is the bell's
    private ulong _generation;
    private int _sleeps;

    private EventLoop()
    {
        _epoll = Open(Libc.epoll_create1(Libc.EPOLL_CLOEXEC));
        _bell = Open(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK));
        Control(Libc.EPOLL_CTL_ADD, _bell, Libc.EPOLLIN, 0);
    }

    /// <summary>The loop that runs the caller; null elsewhere.</summary>
    public static EventLoop? Current => _current;

    /// <summary>The loops take turns.</summary>
    public static EventLoop Next() => All[(uint)Interlocked.Increment(ref _next) % (uint)All.Length];

    /// <summary>Has the loop run something, after what is queued already. Any thread.</summary>
    public void Post(Action<object?> action, object? state)
    {
        _queue.Enqueue((action, state));
        // Either the loop sees the item before it sleeps, or this sees that it sleeps.
        if (Interlocked.CompareExchange(ref _sleeps, 0, 1) == 1)
        {
            ulong one = 1;
            _ = Libc.write(_bell, &one, sizeof(ulong));
        }
    }

    /// <summary>Lets the others of the loop go first; whoever awaits it goes on here.</summary>
    public Turn NextTurn() => new(this);

    /// <summary>Gives a place, under which events come in.</summary>
    internal ulong Add(Readiness readiness)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out var place))
            {
                place = _used++;
                if (place == _places.Length)
                    Array.Resize(ref _places, place * 2);
            }
            // An event of the place's last holder may be on its way still.
            var token = (++_generation << 32) | (uint)place;
            readiness.Token = token;
            Volatile.Write(ref _places[place], readiness);
            return token;
        }
    }

    internal void Remove(Readiness readiness)
    {
        var place = (int)(uint)readiness.Token;
        lock (_gate)
        {
            if (_places[place] != readiness)
                return;
            _places[place] = null;
            _free.Push(place);
        }
    }

    /// <summary>Asks for one event of a descriptor.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel has no memory for it, or fs.epoll.max_user_watches is reached.</exception>
    internal void Arm(SafeHandle descriptor, ulong token, uint events, bool isFirst) =>
        Control(isFirst ? Libc.EPOLL_CTL_ADD : Libc.EPOLL_CTL_MOD, descriptor, events | Libc.EPOLLONESHOT, token);

    private static EventLoop[] StartAll()
    {
        var loops = new EventLoop[Environment.ProcessorCount];
        for (var i = 0; i < loops.Length; i++)
        {
            var loop = loops[i] = new EventLoop();
            new Thread(loop.Run) { IsBackground = true, Name = $"ferry loop {i}" }.UnsafeStart();
        }
        return loops;
    }

    private static SafeFileHandle Open(int descriptor) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new SocketException();

    private void Control(int operation, SafeHandle descriptor, uint events, ulong token)
    {
        var wanted = stackalloc byte[16];
        Unsafe.WriteUnaligned(wanted, events);
        Unsafe.WriteUnaligned(wanted + DataOffset, token);
        if (Libc.epoll_ctl(_epoll, operation, descriptor, wanted) == 0)
            return;
        // A limit of this machine's, which is nobody's fault at the other end.
        throw Marshal.GetLastPInvokeError() is Libc.ENOSPC or Libc.ENOMEM ? new SocketException((int)SocketError.NoBufferSpaceAvailable) : new SocketException();
    }

    private void Run()
    {
        _current = this;
        var epoll = (int)_epoll.DangerousGetHandle();
        var events = (byte*)NativeMemory.Alloc((nuint)(MostEvents * EventSize));
        while (true)
        {
            Interlocked.Exchange(ref _sleeps, 1);
            var count = Libc.epoll_wait(epoll, events, MostEvents, _queue.IsEmpty ? -1 : 0);
            Volatile.Write(ref _sleeps, 0);
            for (var i = 0; i < count; i++)
                Tell(Unsafe.ReadUnaligned<ulong>(events + i * EventSize + DataOffset), Unsafe.ReadUnaligned<uint>(events + i * EventSize));
            // What these queue in turn waits for the next round, behind what the kernel has.
            for (var left = _queue.Count; left > 0 && _queue.TryDequeue(out var item); left--)
                item.Action(item.State);
        }
    }

    private void Tell(ulong token, uint events)
    {
        if (token == 0)
        {
            ulong rings;
            _ = Libc.read(_bell, (byte*)&rings, sizeof(ulong));
            return;
        }
        if (Volatile.Read(ref Volatile.Read(ref _places)[(uint)token]) is { } readiness && readiness.Token == token)
            readiness.Tell(events);
    }

    /// <summary>What <see cref="NextTurn"/> gives to be awaited.</summary>
    internal readonly struct Turn(EventLoop loop) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public Turn GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => loop.Post(static state => ((Action)state!)(), continuation);
    }
}
