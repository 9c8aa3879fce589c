using System.Globalization;
using System.Linq;
using System.Net;
using Ferry.FunctionalTests.Transport;

namespace Ferry.FunctionalTests.Load;

/// <summary>
/// The entry point of this assembly when it is run as a program: server and clients of <see cref="ConcurrencyTests"/>. They are a
/// process of their own because one process may not open as many sockets as they and the proxy need together. With another first argument
/// it is another test's program.
/// </summary>
internal static class FleetProgram
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    /// <param name="arguments">server port, gate port, proxy port, how many transfers, from how many client addresses.</param>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is [ActiveConnectorProgram.Name, _, _, _, _, _])
            return await ActiveConnectorProgram.RunAsync(arguments[1..]);
        if (arguments is not [_, _, _, _, _])
            return 2;
        var numbers = arguments.Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToArray();
        var (serverPort, gatePort, proxyPort, transfers, addresses) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);

        using var bound = new CancellationTokenSource(Bound);
        using var server = new FleetServer(serverPort, gatePort, transfers, bound.Token);
        var serving = server.RunAsync();
        using var starting = new SemaphoreSlim(64);
        var proxy = new IPEndPoint(IPAddress.Loopback, proxyPort);
        var clients = new List<Task<string?>>();
        for (var number = 0; number < transfers; number++)
        {
            await starting.WaitAsync(bound.Token);
            // 127.0.1.1, 127.0.1.2, …
            var from = new IPAddress([127, 0, (byte)(1 + number % addresses / 250), (byte)(1 + number % addresses % 250)]);
            clients.Add(new FleetClient(number, from, proxy, bound.Token).RunAsync(starting));
        }
        var failures = (await Task.WhenAll(clients)).OfType<string>().ToArray();
        await serving;
        foreach (var failure in failures.Take(10))
            Console.WriteLine(failure);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"compared {transfers - failures.Length} of {transfers}"));
        return failures.Length == 0 ? 0 : 1;
    }
}
