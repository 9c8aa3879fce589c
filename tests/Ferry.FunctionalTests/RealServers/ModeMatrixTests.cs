using System.Collections.Concurrent;
using System.Globalization;
using System.Linq;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Every way of a client to ask for data, with every way of Ferry to ask the server: the cells of <see cref="ModeCells"/>, each a session with every kind of transfer.</summary>
public sealed class ModeMatrixTests
{
    private const int AtOnce = 8;

    [RootFact("proftpd", "proftpd-mod-crypto")]
    public Task Every_mode_works_with_ProFTPD() => RunAsync(ServerKind.ProFtpd);

    [RootFact("vsftpd")]
    public Task Every_mode_works_with_vsftpd() => RunAsync(ServerKind.Vsftpd);

    [RootFact("pure-ftpd")]
    public Task Every_mode_works_with_pure_ftpd() => RunAsync(ServerKind.PureFtpd);

    private static async Task RunAsync(ServerKind kind)
    {
        var cells = ModeCells.Choose(kind);
        await using var ferry = await ModeFerry.StartAsync(kind, cells);
        var failures = new ConcurrentQueue<string>();

        await Parallel.ForEachAsync(cells.Index(), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (cell, _) =>
        {
            try
            {
                using var client = await ferry.LogInAsync(cell.Item);
                if (cell.Item.IsRefused)
                    await RefusedAsync(client, cell.Item);
                else
                    await ModeOperations.RunAsync(client, ferry.ServerOf(cell.Item), FolderOf(cell.Index));
                await client.QuitAsync();
            }
            catch (Exception e)
            {
                // All that fail are told, since which do and which do not is what points at the reason.
                failures.Enqueue($"{cell.Item}\n{e.Message}");
            }
        });

        Assert.True(failures.IsEmpty, $"{failures.Count} of {cells.Count} failed.\n{string.Join("\n\n", failures)}\n{Complaints(ferry.Proxy)}");
        await ferry.Proxy.UntilIdleAsync();
        if (kind != ServerKind.PureFtpd)
            AssertAsked(cells, ferry, kind);
    }

    /// <summary>The session goes on, and where Ferry can reach the server the client can have its data by EPSV.</summary>
    private static async Task RefusedAsync(ModeClient client, ModeCell cell)
    {
        var refusal = await client.TrySetUpAsync();
        var expected = cell.IsClientRefused ? cell.Verb == DataVerb.Pasv ? 425 : 500 : 502;
        Assert.True(refusal.Code == expected, $"Expected {expected} to {cell.Verb}, and got {refusal}");
        await client.Control.CommandAsync("NOOP", 200);
        if (cell.IsServerRefused)
            return;
        client.Verb = DataVerb.Epsv;
        await client.ReceiveAsync("LIST");
        await client.Control.CommandAsync("NOOP", 200);
    }

    /// <summary>The server was asked in the way that the cell says, once for each transfer, and in no other.</summary>
    private static void AssertAsked(IReadOnlyList<ModeCell> cells, ModeFerry ferry, ServerKind kind)
    {
        var asked = ferry.SetUps();
        foreach (var (index, cell) in cells.Index().Where(c => !c.Item.IsRefused))
        {
            var expected = Enumerable.Repeat(cell.Asked.ToString().ToUpperInvariant(), ModeOperations.SetUpsOf(kind));
            Assert.True(asked[FolderOf(index)].SequenceEqual(expected), $"{cell}: the server was asked {string.Join(' ', asked[FolderOf(index)])}");
        }
    }

    private static string FolderOf(int cell) => cell.ToString("'cell'0", CultureInfo.InvariantCulture);

    private static string Complaints(TestProxy proxy) =>
        string.Join('\n', proxy.Logs.Records.Where(r => r.Level >= Microsoft.Extensions.Logging.LogLevel.Warning).Take(100));
}
