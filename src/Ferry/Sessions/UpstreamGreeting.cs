using System.Buffers;
using System.Net.Sockets;
using Ferry.Protocol;
using Ferry.Transport;

namespace Ferry.Sessions;

/// <summary>The first words of a server: its greeting, and its answer to AUTH where TLS is asked for before the client has seen anything.</summary>
internal static class UpstreamGreeting
{
    /// <summary>More lines than any banner; a reply that is read before it is passed on is held in memory.</summary>
    private const int MostLines = 200;

    /// <summary>What is wrong with a server that goes on in clear where TLS is to begin.</summary>
    public const string Injection = "it sent bytes in clear behind its 234; nothing of it is read";

    private const string Refusal = "it greeted with ";

    // Old servers know only the name of the draft (draft-murray-auth-ftp-ssl).
    private static readonly byte[][] Asks = [[.. "AUTH TLS\r\n"u8], [.. "AUTH SSL\r\n"u8]];

    /// <summary>Whether it is the server's word that it does not want this connection, and not a want of the server's own.</summary>
    /// <param name="failure">What was wrong.</param>
    public static bool IsRefusal(string failure) => failure.StartsWith(Refusal, StringComparison.Ordinal);

    /// <summary>Waits for the first line of a greeting, which stays in the channel's buffer with all that follows.</summary>
    /// <returns>Null when the server has greeted; else what was wrong.</returns>
    public static async Task<string?> ReadAsync(ControlChannel channel)
    {
        try
        {
            while (true)
            {
                switch (LineScanner.TryRead(channel.Buffered, out var line, out _))
                {
                    case OperationStatus.Done:
                        return Judge(ReplyLine.Parse(line).Code, mayWait: true);
                    case OperationStatus.InvalidData:
                        return "its greeting is too long";
                }
                if (!await channel.FillAsync().ConfigureAwait(false))
                    return "it closed the connection without a greeting";
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Words(e, "greeting");
        }
    }

    /// <summary>Reads the whole greeting, then asks for TLS, with or without FEAT's leave. The greeting is put back, to be read again behind the handshake.</summary>
    /// <returns>Null when the server waits for the handshake, else what was wrong; and whether only the old name of TLS was taken.</returns>
    public static async Task<(string? Failure, bool BySsl)> ReadAndAskForTlsAsync(ControlChannel channel)
    {
        var (bySsl, hasGreeted) = (false, false);
        try
        {
            var greeting = new ArrayBufferWriter<byte>();
            int? code;
            do
            {
                greeting.Clear(); // of 120 and 220 the second is what counts
                code = await ReadReplyAsync(channel, greeting).ConfigureAwait(false);
            }
            while (code == 120);
            if (code is null)
                return ("it closed the connection without a greeting", false);
            if (Judge(code.Value, mayWait: false) is { } failure)
                return (failure, false);
            hasGreeted = true;
            foreach (var auth in Asks)
            {
                bySsl = auth != Asks[0];
                channel.Write(auth);
                await channel.FlushAsync().ConfigureAwait(false);
                code = await ReadReplyAsync(channel, null).ConfigureAwait(false);
                if (code is not (>= 500 and < 600))
                    break;
            }
            if (code is null)
                return ("it closed the connection at AUTH TLS", false);
            if (code is not (234 or 334)) // 334 is an older draft's
                return ($"it refuses TLS (AUTH TLS was answered {code})", false);
            if (!channel.Buffered.IsEmpty)
                return (Injection, false);
            channel.PutBack(greeting.WrittenSpan);
            return (null, bySsl);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return (Words(e, hasGreeted ? "answer to AUTH TLS" : "greeting"), false);
        }
    }

    /// <summary>Takes the greeting, which <see cref="ReadAsync"/> has seen the first line of.</summary>
    /// <returns>Null, or what was wrong.</returns>
    public static async Task<string?> TakeAsync(ControlChannel channel)
    {
        try
        {
            int? code;
            do
                code = await ReadReplyAsync(channel, null).ConfigureAwait(false);
            while (code == 120);
            return code is null ? "it closed the connection within its greeting" : Judge(code.Value, mayWait: false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Words(e, "greeting");
        }
    }

    /// <summary>Tells a server what the client has said already. What it answers is of no matter, save to USER, which must want a password.</summary>
    /// <returns>Null, or what was wrong.</returns>
    public static async Task<string?> TellAsync(ControlChannel channel, IReadOnlyList<byte[]> heard, ReadOnlyMemory<byte> user)
    {
        try
        {
            for (var i = 0; i <= heard.Count; i++)
            {
                var line = i < heard.Count ? heard[i] : user;
                if (line.IsEmpty)
                    continue;
                channel.Write(line.Span);
                await channel.FlushAsync().ConfigureAwait(false);
                var code = await ReadReplyAsync(channel, null).ConfigureAwait(false);
                if (code is null or 421)
                    return code is null ? "it closed the connection before the login" : "it answered 421 before the login";
                if (i == heard.Count && code is not (>= 300 and < 400))
                    return $"it answered USER with {code}, where another server wanted a password";
            }
            return null;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Words(e, "answer before the login");
        }
    }

    private static string? Judge(int code, bool mayWait) => code switch
    {
        220 => null,
        120 when mayWait => null, // a delay is announced (RFC 959 §5.4)
        0 => "its greeting is not that of an FTP server",
        _ => $"{Refusal}{code}",
    };

    private static string Words(Exception e, string what) => e is SocketException { SocketErrorCode: not SocketError.OperationAborted and var error }
        ? $"reading its {what} failed ({error})"
        : $"it sent no {what} in time";

    /// <summary>Reads one reply to its last line.</summary>
    /// <param name="channel">The server's.</param>
    /// <param name="lines">Takes the lines; a reply too long to be put back is reduced to its last line.</param>
    /// <returns>Its code, 0 where it is no reply; null at the end of the stream.</returns>
    private static async Task<int?> ReadReplyAsync(ControlChannel channel, ArrayBufferWriter<byte>? lines)
    {
        var first = 0;
        var isTooLong = false;
        for (var i = 0; i < MostLines; i++)
        {
            int length;
            OperationStatus status;
            while ((status = LineScanner.TryRead(channel.Buffered, out _, out length)) == OperationStatus.NeedMoreData)
            {
                if (!await channel.FillAsync().ConfigureAwait(false))
                    return null;
            }
            if (status != OperationStatus.Done)
                return 0;
            isTooLong |= lines?.WrittenCount + length > LineScanner.MaxLine;
            if (isTooLong)
                lines?.Clear();
            var reply = Take(channel, length, isFirst: i == 0, lines);
            if (i == 0)
                first = reply.Code;
            if (first == 0 || (reply.Code == first && !reply.Continues))
                return first;
        }
        return 0;
    }

    private static (int Code, bool Continues) Take(ControlChannel channel, int length, bool isFirst, ArrayBufferWriter<byte>? lines)
    {
        var whole = channel.Buffered[..length];
        var line = whole.TrimEnd("\r\n"u8);
        var reply = isFirst ? ReplyLine.ParseFirst(line) : ReplyLine.Parse(line);
        lines?.Write(whole);
        var result = (reply.Code, reply.Continues);
        channel.Consume(length);
        return result;
    }
}
