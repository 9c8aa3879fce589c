using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Config;
using Ferry.Transport;

namespace Ferry.Upstreams;

/// <summary>Asks an agent once: a connection, what it is to be sent, and one line. All of it is bounded, in time and in bytes.</summary>
/// <param name="Config">How agents are asked.</param>
/// <param name="Timeout">For all of it.</param>
/// <param name="BindAddress">What they see questions come from; null lets the kernel choose.</param>
internal sealed record AgentCheck(AgentCheckConfig Config, TimeSpan Timeout, SourceAddress? BindAddress)
{
    /// <summary>Asks.</summary>
    /// <param name="server">The server's address.</param>
    /// <param name="time">The clock of the bound.</param>
    /// <param name="stop">Gives up at once.</param>
    public async Task<AgentResult> RunAsync(IPAddress server, TimeProvider time, CancellationToken stop)
    {
        // The caller is the heartbeat, whose thread no agent is to keep.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        AgentResult result;
        try
        {
            result = await AskAsync(new IPEndPoint(Config.Address ?? server, Config.Port), both.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            result = new AgentResult(null, e is SocketException { SocketErrorCode: var error } ? $"waiting for its answer failed ({error})" : "it gave no answer in time");
        }
        if (result.Failure is null)
            return result;
        return result with
        {
            IsVoid = result.IsVoid || stop.IsCancellationRequested,
            Failure = limit.IsCancellationRequested ? $"no answer within {Timeout.TotalSeconds:0.###} s" : result.Failure,
        };
    }

    private async Task<AgentResult> AskAsync(IPEndPoint agent, CancellationToken ct)
    {
        var connected = await UpstreamConnector.ConnectAsync(agent, BindAddress, default, null, ct).ConfigureAwait(false);
        if (connected.Connection is not { } connection)
            return new AgentResult(null, $"connecting to {agent} failed ({connected.Error})") { IsVoid = connected.IsOurs };
        using (connection)
        using (ct.UnsafeRegister(static c => ((Connection)c!).Dispose(), connection))
        {
            await connection.SendAsync(Encoding.UTF8.GetBytes(Config.Send ?? "")).ConfigureAwait(false);
            return await ReadAsync(connection).ConfigureAwait(false);
        }
    }

    /// <summary>Reads up to the first end of a line; half a line might say something else than the whole.</summary>
    private static async Task<AgentResult> ReadAsync(Connection connection)
    {
        var buffer = new byte[AgentAnswer.MostBytes];
        var count = 0;
        while (true)
        {
            await connection.WaitReadableAsync().ConfigureAwait(false);
            var received = connection.Receive(buffer.AsSpan(count), out var error);
            if (error == SocketError.WouldBlock)
                continue;
            if (error != SocketError.Success)
                throw new SocketException((int)error);
            if (received == 0)
                return new AgentResult(null, count == 0 ? "it closed the connection without an answer" : "it closed the connection within its line");
            count += received;
            if (buffer.AsSpan(0, count).IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var end)
                return new AgentResult(AgentAnswer.Parse(buffer.AsSpan(0, end)), null);
            if (count == buffer.Length)
                return new AgentResult(null, "its line does not end");
        }
    }
}
