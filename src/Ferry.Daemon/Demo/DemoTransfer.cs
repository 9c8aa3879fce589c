using System.IO;
using System.Net.Sockets;

namespace Ferry.Daemon.Demo;

/// <summary>A transfer that is ready to go, or why there is none.</summary>
internal readonly record struct DemoTransfer
{
    /// <param name="move">Moves the bytes; its source is to be given a new deadline before each wait.</param>
    /// <param name="file">What is read or written, closed by whoever runs the transfer; null for a listing.</param>
    public DemoTransfer(Func<Socket, CancellationTokenSource, Task> move, FileStream? file = null)
    {
        Move = move;
        File = file;
    }

    public DemoTransfer(string refusal) => Refusal = refusal;

    public Func<Socket, CancellationTokenSource, Task>? Move { get; }

    public FileStream? File { get; }

    public string? Refusal { get; }
}
