using System.Net;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

public sealed class ListeningSocketTests
{
    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(ObjectDisposedException))]
    public async Task A_connection_that_cannot_be_served_is_closed_and_told_and_the_next_one_is_served(Type failure)
    {
        var logs = new CapturedLogs();
        using var listening = ListeningSocket.TryOpen(new IPEndPoint(IPAddress.Loopback, 0), 16, TimeProvider.System, logs.CreateLogger("test"), out _)!;
        var served = new TaskCompletionSource<Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        var count = 0;
        var accepting = listening.AcceptAsync(connection =>
        {
            if (count++ == 0)
                throw failure == typeof(ObjectDisposedException) ? new ObjectDisposedException("something else") : new InvalidOperationException("first");
            served.SetResult(connection);
        });

        using (var first = await DataEnd.ConnectAsync(listening.EndPoint, IPAddress.Loopback))
            Assert.Empty((await first.ReceiveToEndAsync()).Bytes);
        using var second = await DataEnd.ConnectAsync(listening.EndPoint, IPAddress.Loopback);
        using (await Wait.For(served.Task, "the second connection to be served"))
            Assert.IsType(failure, (await logs.EventAsync(101)).Exception);

        listening.Dispose();
        await Wait.For(accepting, "the loop to end");
    }
}
