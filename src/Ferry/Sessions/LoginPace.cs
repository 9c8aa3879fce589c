namespace Ferry.Sessions;

/// <summary>
/// How long servers have taken lately over logins that they refused. A user whom nobody knows is refused after one of these times, drawn by lot, so that
/// time does not tell who is known.
/// </summary>
internal sealed class LoginPace
{
    private const int Most = 16;

    private readonly Lock _sync = new();
    // Before any login was refused: about what servers take whose authentication slows guessing down.
    private readonly List<(TimeSpan User, TimeSpan Password)> _times = [(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(1))];
    private int _next;

    /// <summary>A server has refused a login.</summary>
    /// <param name="user">From USER to its answer, with the connection to the server.</param>
    /// <param name="password">From PASS to its answer.</param>
    public void Refused(TimeSpan user, TimeSpan password)
    {
        lock (_sync)
        {
            if (_times.Count < Most)
                _times.Add((user, password));
            else
                _times[_next] = (user, password);
            _next = (_next + 1) % Most;
        }
    }

    /// <summary>The times for a user whom nobody knows.</summary>
    public (TimeSpan User, TimeSpan Password) Draw()
    {
        lock (_sync)
            return _times[System.Security.Cryptography.RandomNumberGenerator.GetInt32(_times.Count)];
    }
}
