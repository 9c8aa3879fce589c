using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>One side of a data channel before its connection is in use: it stands, it is awaited, or it is made.</summary>
internal interface IDataEnd : IDisposable
{
    /// <summary>Ends with the connection, which the caller owns then; with null where it does not come about. Once.</summary>
    Task<Connection?> ConnectAsync();

    /// <summary>Ends a <see cref="ConnectAsync"/> that waits, with null. Without effect on a connection that is there.</summary>
    void Cancel();

    /// <summary>Gives the end up as an abort: a connection that is there and that nobody took is reset.</summary>
    void Reset();
}
