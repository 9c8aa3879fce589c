using System.Buffers;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.Daemon.Demo;

/// <summary>Data connections and what goes over them (RFC 959 §4.1.2, RFC 2428, RFC 3659 §5). Passive only: Ferry is the client.</summary>
internal sealed partial class DemoSession
{
    private const int BlockSize = 64 * 1024;
    private const string NoPort = "425 PASV or EPSV comes first.";

    // For the data connection to come, and for each block after it.
    private static readonly TimeSpan DataTimeout = TimeSpan.FromSeconds(60);

    private Socket? _passive;
    private bool _binary = true;
    private long _restart;
    private bool _extendedOnly;

    // While a transfer runs: its end with the reply to send then, and the way to cut it short.
    private Task<string>? _transfer;
    private CancellationTokenSource? _abort;

    /// <summary>Commands about data connections, and all that nobody else knew.</summary>
    private async Task<string?> AnswerDataAsync(string verb, string argument, CancellationToken ct)
    {
        var restart = _restart;
        // Some clients send REST before they ask for the port, though RFC 3659 §5.3 has it right before the transfer.
        if (verb is not ("PASV" or "EPSV"))
            _restart = 0;
        switch (verb)
        {
            case "PASV" when _extendedOnly:
                return "503 EPSV ALL was asked for (RFC 2428, section 4).";
            case "PASV":
                var port = Listen();
                return string.Create(CultureInfo.InvariantCulture,
                    $"227 Entering Passive Mode ({_localAddress.ToString().Replace('.', ',')},{port / 256},{port % 256})");
            case "EPSV":
                switch (argument.ToUpperInvariant())
                {
                    case "ALL":
                        _extendedOnly = true;
                        return "200 Only EPSV from now on.";
                    case "" or "1":
                        return string.Create(CultureInfo.InvariantCulture, $"229 Entering Extended Passive Mode (|||{Listen()}|)");
                    default:
                        return "522 The network protocol is not supported, use (1)";
                }
            case "REST":
                if (!long.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out _restart))
                    return "501 REST takes a number of bytes.";
                return string.Create(CultureInfo.InvariantCulture, $"350 The next transfer begins at byte {_restart}.");
            case "ABOR":
                return "226 Nothing was going on.";
            case "RETR" or "STOR" or "APPE" when argument.Length == 0:
                return $"501 {verb} takes a name.";
            case "RETR" or "STOR" or "APPE" or "LIST" or "NLST" or "MLSD" when _passive is null:
                return NoPort;
            case "RETR":
                return await BeginAsync(OpenForReading(argument, restart), ct).ConfigureAwait(false);
            case "STOR" or "APPE":
                return await BeginAsync(OpenForWriting(argument, restart, append: verb == "APPE"), ct).ConfigureAwait(false);
            case "LIST" or "NLST" or "MLSD":
                return await BeginAsync(OpenListing(verb, argument), ct).ConfigureAwait(false);
            default:
                return $"502 {(verb.All(char.IsAsciiLetter) && verb.Length <= 8 ? verb : "That")} is not known here.";
        }
    }

    /// <summary>Opens a port for one data connection; an earlier one is given up.</summary>
    private int Listen()
    {
        _passive?.Dispose();
        _passive = new Socket(_localAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _passive.Bind(new IPEndPoint(_localAddress, 0));
        _passive.Listen(1);
        return ((IPEndPoint)_passive.LocalEndPoint!).Port;
    }

    /// <summary>Starts a transfer, or says why there is none.</summary>
    private async Task<string?> BeginAsync(DemoTransfer opened, CancellationToken ct)
    {
        if (opened.Move is not { } move)
            return opened.Refusal;
        try
        {
            await ReplyAsync("150 Here it comes.", ct).ConfigureAwait(false);
        }
        catch
        {
            opened.File?.Dispose();
            throw;
        }
        _abort?.Dispose();
        _abort = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var listener = _passive!;
        _passive = null;
        _transfer = TransferAsync(listener, opened.File, move, _abort.Token);
        return null;
    }

    /// <summary>Waits for the transfer's end or the client's next line; false where the line has been dealt with, so that the next may be read.</summary>
    private async Task<bool> LeavesLineAsync(Task<string> transfer, Task<DemoLine?> pending, CancellationToken ct)
    {
        var verb = "";
        if (await Task.WhenAny(transfer, pending).ConfigureAwait(false) == pending)
        {
            var line = pending.IsCompletedSuccessfully ? pending.Result : null;
            verb = line?.Text.Split(' ')[0].ToUpperInvariant() ?? "";
            if (verb is "NOOP" or "STAT")
            {
                await ReplyAsync(verb == "NOOP" ? "200 OK." : "213 A transfer is going on.", ct).ConfigureAwait(false);
                return false;
            }
            // ABOR, or the end of the control connection, cuts the transfer short; any other command waits for its end.
            if (verb == "ABOR" || line is null)
                await _abort!.CancelAsync().ConfigureAwait(false);
        }
        var reply = await transfer.ConfigureAwait(false);
        _transfer = null;
        await ReplyAsync(reply, ct).ConfigureAwait(false);
        if (verb != "ABOR")
            return true;
        await ReplyAsync("226 Aborted.", ct).ConfigureAwait(false);
        return false;
    }

    private async Task<string> TransferAsync(Socket listener, FileStream? file, Func<Socket, CancellationTokenSource, Task> move, CancellationToken ct)
    {
        await using var ownedFile = file;
        Socket? data = null;
        try
        {
            using (listener)
                data = await AcceptDataAsync(listener, ct).ConfigureAwait(false);
            if (data is null)
                return "425 No data connection was made.";
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await move(data, stall).ConfigureAwait(false);
            return "226 All is transferred.";
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // Closed as an abort (RST): the client must not take what it has for the whole.
            if (data is not null)
                data.LingerState = new LingerOption(true, 0);
            return e is SocketException or OperationCanceledException ? "426 The transfer was cut off." : "451 The file could not be read or written.";
        }
        finally
        {
            data?.Dispose();
        }
    }

    private async Task<Socket?> AcceptDataAsync(Socket listener, CancellationToken ct)
    {
        var deadline = _time.GetTimestamp();
        while (DataTimeout - _time.GetElapsedTime(deadline) is var left && left > TimeSpan.Zero)
        {
            try
            {
                var data = await listener.AcceptAsync(ct).AsTask().WaitAsync(left, _time, ct).ConfigureAwait(false);
                if (((IPEndPoint)data.RemoteEndPoint!).Address.Equals(_client))
                    return data;
                // A stranger who was faster.
                data.Dispose();
            }
            catch (TimeoutException)
            {
                break;
            }
        }
        return null;
    }

    private DemoTransfer OpenForReading(string name, long restart)
    {
        if (!FindFile(name, out var info))
            return new DemoTransfer(Outside);
        var file = info.Open(new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
        if (restart > file.Length)
        {
            file.Dispose();
            return new DemoTransfer("554 The file is shorter than that.");
        }
        file.Position = restart;
        return new DemoTransfer(async (data, stall) =>
        {
            using var block = MemoryPool<byte>.Shared.Rent(BlockSize);
            while (await file.ReadAsync(block.Memory, stall.Token).ConfigureAwait(false) is > 0 and var length)
                await SendAsync(data, block.Memory[..length], stall).ConfigureAwait(false);
            data.Shutdown(SocketShutdown.Send);
        }, file);
    }

    private DemoTransfer OpenForWriting(string name, long restart, bool append)
    {
        if (!Find(name, out var path) || path.IsRoot || !Directory.Exists(Path.GetDirectoryName(path.Real)))
            return new DemoTransfer("553 There is no folder for it.");
        var info = new FileInfo(path.Real);
        if (Directory.Exists(path.Real) || info.Exists && !DemoFolder.IsPlain(info))
            return new DemoTransfer("553 That is no file.");
        if (restart > (info.Exists ? info.Length : 0))
            return new DemoTransfer("554 The file is shorter than that.");
        var file = info.Open(new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 });
        file.SetLength(append ? file.Length : restart);
        file.Position = file.Length;
        return new DemoTransfer(async (data, stall) =>
        {
            using var block = MemoryPool<byte>.Shared.Rent(BlockSize);
            while (await ReceiveAsync(data, block.Memory, stall).ConfigureAwait(false) is > 0 and var length)
                await file.WriteAsync(block.Memory[..length], stall.Token).ConfigureAwait(false);
        }, file);
    }

    private DemoTransfer OpenListing(string verb, string argument)
    {
        if (!FindEntry(verb == "MLSD" ? argument : WithoutFlags(argument), out var path, out var entry))
            return new DemoTransfer(Outside);
        if (verb == "MLSD" && entry is not DirectoryInfo)
            return new DemoTransfer("501 MLSD lists a folder.");
        var now = _time.GetUtcNow();
        var lines = Entries(path, entry).Select(e => verb switch
        {
            "NLST" => e.Name,
            "MLSD" => DemoListing.Machine(e, e.Name, _facts),
            _ => DemoListing.Unix(e, now),
        });
        return new DemoTransfer(async (data, stall) =>
        {
            var text = new StringBuilder();
            foreach (var line in lines)
            {
                text.Append(line).Append("\r\n");
                if (text.Length < BlockSize)
                    continue;
                await SendAsync(data, Encoding.UTF8.GetBytes(text.ToString()), stall).ConfigureAwait(false);
                text.Clear();
            }
            await SendAsync(data, Encoding.UTF8.GetBytes(text.ToString()), stall).ConfigureAwait(false);
            data.Shutdown(SocketShutdown.Send);
        });
    }

    private static async Task SendAsync(Socket data, ReadOnlyMemory<byte> bytes, CancellationTokenSource stall)
    {
        while (!bytes.IsEmpty)
        {
            stall.CancelAfter(DataTimeout);
            bytes = bytes[await data.SendAsync(bytes, SocketFlags.None, stall.Token).ConfigureAwait(false)..];
        }
    }

    private static async Task<int> ReceiveAsync(Socket data, Memory<byte> buffer, CancellationTokenSource stall)
    {
        stall.CancelAfter(DataTimeout);
        return await data.ReceiveAsync(buffer, SocketFlags.None, stall.Token).ConfigureAwait(false);
    }
}
