using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Transport.Linux;

/// <summary>A program that runs beside Ferry, from its start until it has been reaped. What it prints is bounded; its time is the caller's matter.</summary>
internal sealed class ChildProgram
{
    /// <summary>A program that prints more is killed.</summary>
    public const int MostOutput = 1 << 20;

    private const int KeptOutput = 1024;
    private const int LongestLine = 200;

    private readonly int _pid;
    private readonly SafeFileHandle _output;
    private readonly SafeFileHandle _exit;
    private readonly Readiness _outputReady;
    private readonly Readiness _exitReady;
    private readonly byte[] _piece = new byte[4096];
    private readonly List<byte> _kept = new(KeptOutput);
    private readonly Lock _gate = new();
    private long _printed;
    private bool _isReaped;

    private ChildProgram(int pid, SafeFileHandle output, SafeFileHandle exit)
    {
        (_pid, _output, _exit) = (pid, output, exit);
        _outputReady = new Readiness(output);
        _exitReady = new Readiness(exit);
        Ended = RunAsync();
    }

    /// <summary>Ends when the program has ended and nothing is left of it; never fails.</summary>
    public Task<ProgramEnd> Ended { get; }

    /// <summary>Starts a program.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="arguments">Without the program's own name.</param>
    /// <param name="environment">All of it, as NAME=VALUE.</param>
    /// <param name="error">Why there is none.</param>
    public static ChildProgram? TryStart(string path, IEnumerable<string> arguments, IEnumerable<string> environment, out string error)
    {
        error = "";
        if (!TryOpenPipe(out var output, out var input))
        {
            error = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            return null;
        }
        int failed, pid;
        try
        {
            failed = ProgramStart.Spawn(path, arguments, environment, input, out pid);
        }
        catch (EntryPointNotFoundException e)
        {
            output.Dispose();
            error = "the C library is too old: " + e.Message;
            return null;
        }
        finally
        {
            input.Dispose();
        }
        if (failed == 0)
        {
            var exit = new SafeFileHandle(Libc.pidfd_open(pid), ownsHandle: true);
            if (!exit.IsInvalid)
                return new ChildProgram(pid, output, exit);
            failed = Marshal.GetLastPInvokeError();
            _ = Libc.kill(-pid, Libc.SIGKILL);
            _ = Reap(pid, 0);
            EndedGroups.Add(pid);
        }
        output.Dispose();
        error = Marshal.GetPInvokeErrorMessage(failed);
        return null;
    }

    /// <summary>Kills it with all processes of its group. Without effect once it has ended.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            // Until it is reaped its number is its own.
            if (!_isReaped)
                _ = Libc.kill(-_pid, Libc.SIGKILL);
        }
    }

    private async Task<ProgramEnd> RunAsync()
    {
        var reading = ReadAsync();
        var isWaited = true;
        try
        {
            await _exitReady.WaitReadableAsync().ConfigureAwait(false);
        }
        catch (SocketException)
        {
            isWaited = false; // the kernel has no room for another wait
        }
        Kill(); // whom it has left behind
        // Who has left its group too may hold the pipe open for as long as it likes.
        _outputReady.Close();
        await reading.ConfigureAwait(false);
        while (_printed <= MostOutput && ReadPiece() > 0)
        {
        }
        int? status;
        lock (_gate)
        {
            status = Reap(_pid, isWaited ? Libc.WNOHANG : 0);
            _isReaped = true;
        }
        EndedGroups.Add(_pid);
        if (!isWaited)
            status = null; // it was killed for no fault of its own
        _exitReady.Close();
        _exit.Dispose();
        _output.Dispose();
        var signal = status is { } s ? s & 0x7f : 0;
        return new ProgramEnd(status is { } code && signal == 0 ? code >> 8 & 0xff : null, signal, FirstLine(), _printed > MostOutput);
    }

    private async Task ReadAsync()
    {
        try
        {
            do
                await _outputReady.WaitReadableAsync().ConfigureAwait(false);
            while (ReadPiece() is > 0 or -Libc.EAGAIN && _printed <= MostOutput);
            if (_printed > MostOutput)
                Kill();
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // It has ended, or what it says is not to be had.
        }
    }

    /// <summary>Reads what is there, of which the beginning is kept.</summary>
    /// <returns>How much; 0 at the end; or an error, negative.</returns>
    private unsafe int ReadPiece()
    {
        fixed (byte* piece = _piece)
        {
            var count = (int)Libc.read(_output, piece, (nuint)_piece.Length);
            if (count < 0)
                return Marshal.GetLastPInvokeError() is Libc.EAGAIN or Libc.EINTR ? -Libc.EAGAIN : -Libc.EINVAL;
            _printed += count;
            _kept.AddRange(_piece.AsSpan(0, Math.Min(count, KeptOutput - _kept.Count)));
            return count;
        }
    }

    private string FirstLine()
    {
        var text = CollectionsMarshal.AsSpan(_kept).TrimStart(" \t\r\n"u8);
        var line = text.IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var end ? text[..end] : text;
        var shown = new StringBuilder(LongestLine);
        foreach (var c in line[..Math.Min(line.Length, LongestLine)])
            shown.Append(c is >= (byte)' ' and <= (byte)'~' ? (char)c : '?');
        return shown.ToString().TrimEnd();
    }

    /// <returns>Its status; null where there is none to be had, as where whoever started Ferry has SIGCHLD ignored.</returns>
    private static unsafe int? Reap(int pid, int options)
    {
        int status;
        int reaped;
        do
            reaped = Libc.waitpid(pid, &status, options);
        while (reaped < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR);
        return reaped == pid ? status : null;
    }

    /// <summary>Only our end never waits: a program whose own output does not wait would lose some of it.</summary>
    private static unsafe bool TryOpenPipe(out SafeFileHandle output, out SafeFileHandle input)
    {
        var ends = stackalloc int[2] { -1, -1 };
        var isMade = Libc.pipe2(ends, Libc.O_CLOEXEC) == 0;
        output = new SafeFileHandle(ends[0], ownsHandle: true);
        input = new SafeFileHandle(ends[1], ownsHandle: true);
        if (isMade)
            _ = Libc.fcntl(output, Libc.F_SETFL, Libc.O_NONBLOCK);
        return isMade;
    }
}
