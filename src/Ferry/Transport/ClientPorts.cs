namespace Ferry.Transport;

/// <summary>
/// The ports of a range in the order in which one client gets them: first those it never had, until so many rest that the one that it gave
/// back longest ago has rested enough, then that one. Both ends are O(1), and the memory is that of the ports which the client holds
/// or which rest, whatever the range.
/// </summary>
internal sealed class ClientPorts
{
    /// <summary>A port is lent again after so many others at the earliest, where the range has them. Without this bound a client that comes and goes
    /// for days would leave a trace of the whole range, and its ports would be opened and closed in turn where a few that stay open do.</summary>
    public const int Resting = 1024;

    private readonly int _first;
    private readonly int _count;
    private readonly int _offset;
    private readonly int _step;
    private readonly Queue<int> _givenBack = new();
    private int _fresh;

    /// <param name="first">First port of the range.</param>
    /// <param name="count">Ports in the range.</param>
    /// <param name="random">Chooses where the client begins and how far it strides, so that the next port cannot be guessed from the last.</param>
    public ClientPorts(int first, int count, Random random)
    {
        _first = first;
        _count = count;
        _offset = random.Next(count);
        _step = Stride(count, random);
    }

    /// <summary>Ports of this turn that are held.</summary>
    public int Held { get; private set; }

    /// <summary>Of these, those that clients behind it hold, for whom it is the balancer.</summary>
    public int HeldByOthers { get; set; }

    /// <summary>Ports that the client holds of the turns of balancers that it came by.</summary>
    public int HeldElsewhere { get; set; }

    /// <summary>Leases of the client, by whatever way.</summary>
    public int Leases => Held - HeldByOthers + HeldElsewhere;

    /// <summary>Something of it is held.</summary>
    public bool IsInUse => Held > 0 || HeldElsewhere > 0;

    /// <summary>When the last lease went; only of meaning while it is not <see cref="IsInUse"/>.</summary>
    public long IdleSince { get; set; }

    /// <summary>The pool will look whether it is still unused.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Takes the next port; false when all are held.</summary>
    public bool TryTake(out int port)
    {
        if (_fresh < _count && _givenBack.Count < Resting)
            port = _first + (int)((_offset + ((long)_fresh++ * _step)) % _count);
        else if (!_givenBack.TryDequeue(out port))
            return false;
        Held++;
        return true;
    }

    public void GiveBack(int port)
    {
        Held--;
        _givenBack.Enqueue(port);
    }

    // A stride that shares no factor with the count visits every port once before any a second time.
    private static int Stride(int count, Random random)
    {
        for (var i = 0; i < 16 && count > 2; i++)
        {
            var stride = random.Next(1, count);
            if (Gcd(stride, count) == 1)
                return stride;
        }
        return 1;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
