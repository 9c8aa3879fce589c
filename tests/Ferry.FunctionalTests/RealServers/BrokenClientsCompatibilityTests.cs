using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>pure-ftpd -b, which answers EPSV with 500.</summary>
public sealed class BrokenClientsCompatibilityTests
{
    [RootFact("pure-ftpd", "curl")]
    public async Task A_client_gets_its_EPSV_from_a_server_that_has_none()
    {
        using var folder = new TempFolder();
        await using var server = await RealServer.StartAsync(ServerKind.PureFtpd, settings: ["-b"]);
        using (var direct = await ScriptedClient.LogInAsync(server.EndPoint))
            await direct.CommandAsync("EPSV", 500);
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint);

        var said = await SessionOperations.RunAsync(
            new Curl(folder.Path, new ToolOptions { Extended = true, Verbose = true }), new FtpTarget("127.0.0.1", proxy.EndPoint.Port, server.User, server.Password), server, folder);

        Assert.Contains("< 229 ", said, StringComparison.Ordinal);
        Assert.DoesNotContain(said.Split('\n'), l => l.StartsWith("< 227", StringComparison.Ordinal) || l.StartsWith("< 500", StringComparison.Ordinal));
        await proxy.UntilIdleAsync();
    }
}
