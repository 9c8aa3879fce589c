using System.Net;
using System.Threading.Channels;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport;

namespace Ferry.FunctionalTests.Transport;

public sealed class ListeningSocketTests
{
    [Theory]
    [InlineData(typeof(InvalidOperationException), false)]
    [InlineData(typeof(ObjectDisposedException), false)]
    [InlineData(typeof(InvalidOperationException), true)]
    public async Task A_connection_that_cannot_be_served_is_closed_and_told_and_the_next_one_is_served(Type failure, bool spreads)
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
        }, spreads);

        using (var first = await DataEnd.ConnectAsync(listening.EndPoint, IPAddress.Loopback))
            Assert.Empty((await first.ReceiveToEndAsync()).Bytes);
        using var second = await DataEnd.ConnectAsync(listening.EndPoint, IPAddress.Loopback);
        using (await Wait.For(served.Task, "the second connection to be served"))
            Assert.IsType(failure, (await logs.EventAsync(101)).Exception);

        listening.Dispose();
        await Wait.For(accepting, "the loop to end");
    }

    [Fact]
    public async Task Connections_are_dealt_out_to_the_loops_and_begin_where_they_stay()
    {
        using var listening = ListeningSocket.TryOpen(new IPEndPoint(IPAddress.Loopback, 0), 16, TimeProvider.System, new CapturedLogs().CreateLogger("test"), out _)!;
        var begun = Channel.CreateUnbounded<(EventLoop? At, EventLoop Stays)>();
        var accepting = listening.AcceptAsync(connection =>
        {
            begun.Writer.TryWrite((EventLoop.Current, connection.Loop));
            connection.Dispose();
        }, spreads: true);

        // Other tests have loops dealt to them meanwhile, so which comes next is not known.
        var met = new HashSet<EventLoop>();
        while (met.Count < Math.Min(2, Environment.ProcessorCount))
        {
            using var client = await DataEnd.ConnectAsync(listening.EndPoint, IPAddress.Loopback);
            var (at, stays) = await Wait.For(begun.Reader.ReadAsync().AsTask(), "a connection to be handed over");
            Assert.Same(stays, at);
            met.Add(stays);
        }

        listening.Dispose();
        await Wait.For(accepting, "the loop to end");
    }
}
